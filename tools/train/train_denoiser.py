#!/usr/bin/env python3
"""Train the denoiser with the text encoder fixed (v-prediction, average of the weights kept).

  python train_denoiser.py DATA_DIR RUN_DIR --samples 500000 --workers 2 --stage first
  python train_denoiser.py DATA_DIR RUN_DIR --samples 1000000 --workers 2 --stage scenes

Stages: first and narrow (53 and 122 emoji, one in the middle), scenes (pairs, counts, colours of the same), wide (all
emoji, all scenes). Each continues from RUN_DIR/denoiser.pt, whatever wrote it.
"""

import random
import sys

import numpy as np
import torch
from transformers import CLIPTokenizer

from common import Averaged, Progress, Workers, arguments, autocast, fix_seeds, load, save
from latents import SceneLatents
from networks import TOKENS_MAX, make_denoiser, make_scheduler, make_text_encoder
from scenes import MIX, EmojiSet, draw_batch

options = arguments(__doc__, samples=(500000, "samples of this stage"),
                    stage=("narrow", "first, narrow, scenes or wide"),
                    captions=(8, "captions a step, for each worker"),
                    levels=(2, "noise levels each caption is seen at"), rate=(1e-3, "peak learning rate"),
                    decay=(0., "share of the samples in which the rate falls"),
                    focus=(.5, "share of the shorter list"), workers=(1, "processes that average their weights"),
                    late=(.6, "share of samples with t >= 600"),
                    few=(2, "half of the samples have the noise levels of a sampler with so many steps; 0: none"))
device = options.device
checkpoint = load(options.run / "denoiser.pt", device)
progress = Progress(options, checkpoint, options.stage)

tokenizer = CLIPTokenizer.from_pretrained(options.run / "tokenizer")
text = make_text_encoder(len(tokenizer)).to(device).eval().requires_grad_(False)
text.load_state_dict(load(options.run / "text_encoder.pt", device))
unet = make_denoiser().to(device)
optimizer = torch.optim.AdamW(unet.parameters(), lr=options.rate, betas=(.9, .99), weight_decay=.01, fused=True)
average = Averaged(unet.named_parameters(), .998)
if checkpoint:
    unet.load_state_dict(checkpoint["live"])
    optimizer.load_state_dict(checkpoint["optimizer"])
    average.restore(checkpoint["average"])
    del checkpoint
alphas = make_scheduler().alphas_cumprod.to(device)
workers = Workers(unet.parameters(), options.run, options.workers)
fix_seeds(37 + progress.step + 7919 * workers.rank)

emoji = EmojiSet.of_stage(options.data, options.stage, options.focus)
scene_latents = SceneLatents(emoji, options.run)
mix = MIX["narrow" if options.stage in ("first", "narrow") else "scenes"]


def batch():
    pairs = draw_batch(emoji, mix, options.captions, random)
    x = torch.from_numpy(np.stack([scene_latents(s) for s, _ in pairs])).to(device)
    ids = tokenizer([c for _, c in pairs], padding="max_length", truncation=True, max_length=TOKENS_MAX,
                    return_tensors="pt").input_ids.to(device)
    with torch.no_grad(), autocast(device):
        hidden = text(input_ids=ids).last_hidden_state.float()
    return x.repeat(options.levels, 1, 1, 1), hidden.repeat(options.levels, 1, 1)


def noise_levels(count):
    """Half of them where a sampler with few steps looks, the others evenly spread: `late` of those where only the words
    can tell (t >= 600), the rest below."""
    u = (torch.randperm(count) + torch.rand(count)) / count
    late = options.late
    t = torch.where(u < late, 1000 - 400 * u / late, 600 - 600 * (u - late) / (1 - late))
    t = t.long().clamp(0, 999)
    if options.few:
        looks = torch.arange(1000, 0, -1000 / options.few).round().long() - 1     # trailing spacing: 999, 499
        t[:count // 2] = looks[torch.randint(len(looks), (count // 2,))]
    return t.to(device)


def checkpoint_now():
    if workers.rank == 0:
        save(options.run / "denoiser.pt", {**progress.state(), "live": unet.state_dict(),
                                           "optimizer": optimizer.state_dict(), "average": average.state()})


while not progress.is_over():
    x, hidden = batch()
    progress.set_rate(optimizer)
    t = noise_levels(len(x))
    a = alphas[t][:, None, None, None]
    noise = torch.randn_like(x)
    with autocast(device):
        v = unet(a.sqrt() * x + (1 - a).sqrt() * noise, t, hidden).sample.float()
    each = (v - (a.sqrt() * noise - (1 - a).sqrt() * x)).square().mean((1, 2, 3))
    loss = (each * (5 * (1 - a.flatten())).clamp(max=1)).mean()     # less where hardly any noise is left
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(unet.parameters(), 1.)
    optimizer.step()
    average.update()
    workers.after_step(progress.step - progress.first_step + 1)
    figures = {f"loss at t {200 * k}..": each[t // 200 == k].mean().item() for k in (t // 200).unique().tolist()}
    if progress.advance(len(x) * options.workers, **figures):
        checkpoint_now()
workers.finish()
checkpoint_now()
sys.exit(progress.exit_status())
