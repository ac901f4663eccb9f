#!/usr/bin/env python3
"""Teach the denoiser to do in 4 steps without guidance what it does in 16 guided ones (progressive distillation).

  python distill.py DATA_DIR RUN_DIR --samples 40000

For each of the student's steps t → s the teacher takes `substeps` guided DDIM steps over the same stretch; the student
learns the prediction that lands in the same place at once. Starts from, and resumes, RUN_DIR/student.pt; the teacher is
the averaged denoiser. Prints how far 4-step pictures are from the teacher's before and after.
"""

import json
import random
import sys

import numpy as np
import torch
from transformers import CLIPTokenizer

from common import Averaged, Progress, arguments, autocast, fix_seeds, load, save
from latents import CHANNELS, SIDE, SceneLatents
from networks import TOKENS_MAX, make_denoiser, make_scheduler, make_text_encoder
from scenes import MIX, EmojiSet, draw_batch

options = arguments(__doc__, samples=(40000, "samples in all"), stage=("narrow", "first, narrow, scenes or wide"),
                    captions=(16, "captions a step"), steps=(4, "the student's steps"),
                    substeps=(4, "the teacher's steps for each of them"),
                    guidance=(1.5, "the teacher's guidance; 1 is none"), rate=(2e-4, "peak learning rate"),
                    decay=(.5, "share of the samples in which the rate falls"),
                    focus=(.5, "share of the shorter list"))
device = options.device
checkpoint = load(options.run / "student.pt", device)
progress = Progress(options, checkpoint)
fix_seeds(53 + progress.step)

tokenizer = CLIPTokenizer.from_pretrained(options.run / "tokenizer")
text = make_text_encoder(len(tokenizer)).to(device).eval().requires_grad_(False)
text.load_state_dict(load(options.run / "text_encoder.pt", device))
teacher, student = make_denoiser().to(device), make_denoiser().to(device)
teacher.load_state_dict(load(options.run / "denoiser.pt", device)["average"]["kept"])
student.load_state_dict(teacher.state_dict())
teacher.eval().requires_grad_(False)
optimizer = torch.optim.AdamW(student.parameters(), lr=options.rate, betas=(.9, .99), weight_decay=.0, fused=True)
average = Averaged(student.named_parameters(), .995)
if checkpoint:
    student.load_state_dict(checkpoint["live"])
    optimizer.load_state_dict(checkpoint["optimizer"])
    average.restore(checkpoint["average"])

# alphas[t + 1] belongs to timestep t; the clean picture is t = -1.
alphas = torch.cat([torch.ones(1), make_scheduler().alphas_cumprod]).to(device)
stretch = 1000 // options.steps
emoji = EmojiSet.of_stage(options.data, options.stage, options.focus)
scene_latents = SceneLatents(emoji, options.run)
mix = MIX["narrow" if options.stage in ("first", "narrow") else "scenes"]


@torch.no_grad()
def embed(captions):
    ids = tokenizer(captions, padding="max_length", truncation=True, max_length=TOKENS_MAX, return_tensors="pt").input_ids
    return text(input_ids=ids.to(device)).last_hidden_state


nothing = embed([""])


def level(t):
    """Square roots of signal and noise shares at timesteps t [B], shaped to multiply latents."""
    a = alphas[t + 1][:, None, None, None]
    return a.sqrt(), (1 - a).sqrt()


def ddim(z, v, t, s):
    """One deterministic step from timesteps t to s. z, v [B, C, h, w]."""
    (at, bt), (as_, bs) = level(t), level(s)
    return as_ * (at * z - bt * v) + bs * (at * v + bt * z)


@torch.no_grad()
def guided(z, t, words, guidance):
    if guidance == 1:
        return teacher(z, t, words).sample
    both = teacher(z.repeat(2, 1, 1, 1), t.repeat(2), torch.cat([nothing.expand_as(words), words])).sample
    without, with_words = both.chunk(2)
    return without + guidance * (with_words - without)


@torch.no_grad()
def teach(z, t, words):
    """Where `substeps` guided steps lead, one student step further."""
    for k in range(options.substeps):
        here = t - k * stretch // options.substeps
        there = t - (k + 1) * stretch // options.substeps
        z = ddim(z, guided(z, here, words, options.guidance).float(), here, there)
    return z


def target_v(z, after, t, s):
    """The prediction v with which one step from z at t arrives at `after` at s."""
    (at, bt), (as_, bs) = level(t), level(s)
    return (after - (as_ * at + bs * bt) * z) / (bs * at - as_ * bt)


def batch():
    pairs = draw_batch(emoji, mix, options.captions, random)
    x = torch.from_numpy(np.stack([scene_latents(s) for s, _ in pairs])).to(device)
    t = torch.randint(1, options.steps + 1, (len(x),), device=device) * stretch - 1
    a, b = level(t)
    return a * x + b * torch.randn_like(x), t, embed([c for _, c in pairs])


@torch.no_grad()
def distance_to_teacher(network):
    """Mean squared distance of the network's few-step latents to the teacher's guided many-step ones, fixed seeds."""
    rng, generator = random.Random(5), torch.Generator().manual_seed(5)
    words = embed([c for _, c in draw_batch(emoji, mix, 32, rng)])
    z = torch.randn(32, CHANNELS, SIDE, SIDE, generator=generator).to(device)
    ours = theirs = z
    for k in range(options.steps, 0, -1):
        t = torch.full((32,), k * stretch - 1, device=device)
        theirs = teach(theirs, t, words)
        ours = ddim(ours, network(ours, t, words).sample.float(), t, t - stretch)
    return round((ours - theirs).square().mean().item(), 5)


def checkpoint_now():
    save(options.run / "student.pt", {**progress.state(), "live": student.state_dict(),
                                      "optimizer": optimizer.state_dict(), "average": average.state()})


print(json.dumps({"teacher's steps": options.steps * options.substeps, "guidance": options.guidance,
                  "distance of the teacher in few steps": distance_to_teacher(teacher)}), flush=True)
while not progress.is_over():
    z, t, words = batch()
    progress.set_rate(optimizer)
    with autocast(device):
        aim = target_v(z, teach(z, t, words), t, t - stretch)
        loss = (student(z, t, words).sample.float() - aim).square().mean()
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(student.parameters(), 1.)
    optimizer.step()
    average.update()
    if progress.advance(len(z), loss=loss.item()):
        checkpoint_now()
checkpoint_now()
student.load_state_dict(average.state()["kept"])
print(json.dumps({"distance of the student": distance_to_teacher(student)}), flush=True)
sys.exit(progress.exit_status())
