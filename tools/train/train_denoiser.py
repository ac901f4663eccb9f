#!/usr/bin/env python3
"""Train the denoiser with the text encoder fixed (v-prediction, average of the weights kept).

  python train_denoiser.py DATA_DIR RUN_DIR --minutes 60 --workers 2
  python train_denoiser.py DATA_DIR RUN_DIR --minutes 60 --workers 2 --stage scenes

Stages: narrow (about 120 emoji, one in the middle), scenes (pairs, counts, colours of the same), wide (all emoji, all
scenes). Each continues from RUN_DIR/denoiser.pt, whatever wrote it.
"""

import json
import random

import numpy as np
import torch
from transformers import CLIPTokenizer

from common import Averaged, Schedule, Workers, arguments, autocast, fix_seeds, load, save
from latents import SceneLatents
from networks import TOKENS_MAX, make_denoiser, make_scheduler, make_text_encoder
from scenes import MIX, EmojiSet, draw_batch

options = arguments(__doc__, stage=("narrow", "narrow, scenes or wide"), captions=(16, "captions a step"),
                    levels=(2, "noise levels each caption is seen at"), rate=(1e-3, "peak learning rate"),
                    decay=(0., "share of the time in which the rate falls"), focus=(.5, "share of the narrow list"),
                    workers=(1, "processes that average their weights"), late=(.6, "share of samples with t >= 600"))
device = options.device
checkpoint = load(options.run / "denoiser.pt", device)
done = checkpoint["step"] if checkpoint else 0

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
alphas = make_scheduler().alphas_cumprod.to(device)
workers = Workers(unet.parameters(), options.run, options.workers)
fix_seeds(37 + done + 7919 * workers.rank)

wide = options.stage == "wide"
emoji = EmojiSet(options.data, "wide" if wide else "narrow", ("3d", "flat") if wide else ("3d",), options.focus)
scene_latents = SceneLatents(emoji, options.run)
mix = MIX["narrow" if options.stage == "narrow" else "scenes"]


def batch():
    pairs = draw_batch(emoji, mix, options.captions, random)
    x = torch.from_numpy(np.stack([scene_latents(s) for s, _ in pairs])).to(device)
    ids = tokenizer([c for _, c in pairs], padding="max_length", truncation=True, max_length=TOKENS_MAX,
                    return_tensors="pt").input_ids.to(device)
    with torch.no_grad(), autocast(device):
        hidden = text(input_ids=ids).last_hidden_state.float()
    return x.repeat(options.levels, 1, 1, 1), hidden.repeat(options.levels, 1, 1)


def noise_levels(count):
    """Evenly spread draws: `late` of them where only the words can tell (t >= 600), the others below."""
    u = (torch.randperm(count) + torch.rand(count)) / count
    late = options.late
    t = torch.where(u < late, 1000 - 400 * u / late, 600 - 600 * (u - late) / (1 - late))
    return t.long().clamp(0, 999).to(device)


def checkpoint_now():
    if workers.rank == 0:
        save(options.run / "denoiser.pt", {"step": done, "live": unet.state_dict(), "optimizer": optimizer.state_dict(),
                                           "average": average.state()})


schedule, saved, first = Schedule(options.minutes, options.rate, options.decay), 0., done
losses = [[] for _ in range(5)]
while not schedule.is_over():
    x, hidden = batch()
    for group in optimizer.param_groups:
        group["lr"] = schedule.rate(done - first)
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
    done += 1
    workers.after_step(done - first)
    for level, value in zip((t // 200).tolist(), each.tolist()):
        losses[level].append(value)
    if (done - first) % 100 == 0:
        rate = (done - first) * len(x) * options.workers / schedule.elapsed()
        print(json.dumps({"step": done, "seconds": round(schedule.elapsed()), "samples/s": round(rate, 1),
                          "loss by t/200": [round(float(np.mean(l)), 4) for l in losses if l]}), flush=True)
        losses = [[] for _ in range(5)]
    if schedule.elapsed() - saved > options.save_every:
        saved = schedule.elapsed()
        checkpoint_now()
workers.finish()
checkpoint_now()
