#!/usr/bin/env python3
"""Train the denoiser (v-prediction, average of the weights kept).

  python train_denoiser.py DATA_DIR RUN_DIR --samples 60000 --told
  python train_denoiser.py DATA_DIR RUN_DIR --samples 100000 --stage scenes

--told: the prompt's embeddings are written from the true latents (layout.py), so it needs no text encoder and learns for
any picture at once how to read them. Without: embeddings of the text encoder, with their errors.
"""

import random
import sys

import numpy as np
import torch
from transformers import CLIPTokenizer

from common import Averaged, Progress, Workers, arguments, autocast, fix_seeds, load, save
from latents import SceneLatents
from layout import FIRST_PATCH, PATCH_WIDTH, PATCHES, SPOKEN_WIDTH, TOKENS_MAX, places, to_patches
from networks import TEXT_WIDTH, fetches, ideal_queries, make_denoiser, make_scheduler, make_text_encoder
from scenes import MIX, EmojiSet, draw_batch

options = arguments(__doc__, samples=(60000, "samples of this stage"), stage=("scenes", "narrow, scenes or wide"),
                    told=(False, "embeddings from the true latents"), captions=(4, "captions a step, for each worker"),
                    levels=(2, "noise levels each caption is seen at"), rate=(1e-3, "peak learning rate"),
                    decay=(.3, "share of the samples in which the rate falls"),
                    focus=(.5, "share of the shorter list"), workers=(1, "processes that average their weights"),
                    late=(.6, "share of samples with t >= 600"), blur=(.1, "errors made in the told embeddings"),
                    orient=(4000, "samples in which positions learn where they are"),
                    few=(2, "half of the samples have the noise levels of a sampler with so many steps; 0: none"))
device = options.device
checkpoint = load(options.run / "denoiser.pt", device)
progress = Progress(options, checkpoint, f"{options.stage}{' told' * options.told}")

tokenizer = CLIPTokenizer.from_pretrained(options.run / "tokenizer")
text = make_text_encoder(len(tokenizer)).to(device).eval().requires_grad_(False)
if not options.told:
    text.load_state_dict(load(options.run / "text_encoder.pt", device))
fix_seeds(5)
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
queries, wanted = [], ideal_queries().to(device)
for attention in fetches(unet):
    attention.to_q.register_forward_hook(lambda module, inputs, output: queries.append(output))


def told(x):
    """Embeddings [B, 77, 320] as a perfect text encoder would write them, and a little worse."""
    hidden = torch.randn(len(x), TOKENS_MAX, TEXT_WIDTH, device=device)
    hidden[..., :SPOKEN_WIDTH] *= .05
    hidden[:, FIRST_PATCH:, :PATCH_WIDTH] = to_patches(x)
    hidden[:, FIRST_PATCH:, :PATCH_WIDTH] += options.blur * random.random() * torch.randn(len(x), PATCHES, PATCH_WIDTH)
    hidden[:, FIRST_PATCH:, PATCH_WIDTH:SPOKEN_WIDTH] += places().to(device)
    return hidden


def batch():
    pairs = draw_batch(emoji, mix, options.captions, random)
    x = torch.from_numpy(np.stack([scene_latents(s) for s, _ in pairs])).to(device)
    with torch.no_grad(), autocast(device):
        if options.told:
            hidden = told(x)
        else:
            ids = tokenizer([c for _, c in pairs], padding="max_length", truncation=True, max_length=TOKENS_MAX,
                            return_tensors="pt").input_ids.to(device)
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
    queries.clear()
    with autocast(device):
        v = unet(a.sqrt() * x + (1 - a).sqrt() * noise, t, hidden).sample.float()
    each = (v - (a.sqrt() * noise - (1 - a).sqrt() * x)).square().mean((1, 2, 3))
    lost = sum((q - wanted).square().mean() for q in queries) / wanted.square().mean()
    loss = (each * (5 * (1 - a.flatten())).clamp(max=1)).mean()     # less where hardly any noise is left
    if options.told and progress.seen < options.orient:
        loss = loss + 10 * lost
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(unet.parameters(), 1.)
    optimizer.step()
    average.update()
    workers.after_step(progress.step - progress.first_step + 1)
    figures = {f"loss at t {200 * k}..": each[t // 200 == k].mean().item() for k in (t // 200).unique().tolist()}
    if progress.advance(len(x) * options.workers, lost=lost.item(), **figures):
        checkpoint_now()
workers.finish()
checkpoint_now()
sys.exit(progress.exit_status())
