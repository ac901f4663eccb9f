#!/usr/bin/env python3
"""Train the text encoder alone to guess the latents of the scene from its caption (linear head, thrown away).

  python train_text.py DATA_DIR RUN_DIR --samples 300000

Every position from the end token on learns to hold the whole scene, since those are most of the 77 positions that the
denoiser's cross-attention sees. Resumes from RUN_DIR/text.pt.
"""

import random
import sys

import numpy as np
import torch
from transformers import CLIPTokenizer

from common import Averaged, Progress, arguments, autocast, fix_seeds, load, save
from latents import CHANNELS, SIDE, SceneLatents
from networks import TEXT_WIDTH, TOKENS_MAX, make_text_encoder
from scenes import MIX, EmojiSet, draw_batch

options = arguments(__doc__, samples=(300000, "captions in all"), batch=(64, "captions a step"),
                    rate=(1e-3, "peak learning rate"), decay=(.5, "share of the samples in which the rate falls"),
                    focus=(.6, "share of the narrow list"),
                    stage=("narrow", "narrow (the short list) or wide, as for the denoiser"))
device = options.device
checkpoint = load(options.run / "text.pt", device)
progress = Progress(options, checkpoint)
fix_seeds(11 + progress.step)

tokenizer = CLIPTokenizer.from_pretrained(options.run / "tokenizer")
emoji = EmojiSet.of_stage(options.data, options.stage, options.focus)
scene_latents = SceneLatents(emoji, options.run)
text = make_text_encoder(len(tokenizer)).to(device)
head = torch.nn.Linear(TEXT_WIDTH, CHANNELS * SIDE * SIDE).to(device)
with torch.no_grad():
    text.get_input_embeddings().weight.normal_(0, .05)
    head.weight.mul_(.1)
both = torch.nn.ModuleDict({"text": text, "head": head})
optimizer = torch.optim.AdamW(both.parameters(), lr=options.rate, betas=(.9, .98), weight_decay=.01, fused=True)
average = Averaged(both.named_parameters())
if checkpoint:
    both.load_state_dict(checkpoint["live"])
    optimizer.load_state_dict(checkpoint["optimizer"])
    average.restore(checkpoint["average"])


def batch(count):
    pairs = draw_batch(emoji, MIX["scenes"], count, random)
    x = torch.from_numpy(np.stack([scene_latents(s) for s, _ in pairs])).to(device)
    ids = tokenizer([c for _, c in pairs], padding="max_length", truncation=True, max_length=TOKENS_MAX,
                    return_tensors="pt").input_ids
    ends = (ids == tokenizer.eos_token_id).int().argmax(1)
    used = TOKENS_MAX if random.random() < .15 else min(TOKENS_MAX, int(ends.max()) + 4)
    at = ends + (torch.rand(count) * (used - ends)).long()
    return x, ids[:, :used].to(device), at.to(device)


def checkpoint_now():
    save(options.run / "text.pt", {
        **progress.state(), "live": both.state_dict(), "optimizer": optimizer.state_dict(), "average": average.state()})
    save(options.run / "text_encoder.pt", {k.removeprefix("text."): v for k, v in average.state()["kept"].items()
                                           if k.startswith("text.")})


while not progress.is_over():
    x, ids, at = batch(options.batch)
    progress.set_rate(optimizer)
    with autocast(device):
        hidden = text(input_ids=ids).last_hidden_state
        guess = head(hidden[torch.arange(len(at), device=device), at])
    loss = (guess.float() - x.flatten(1)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(both.parameters(), 1.)
    optimizer.step()
    average.update()
    if progress.advance(options.batch, loss=loss.item()):
        checkpoint_now()
checkpoint_now()
sys.exit(progress.exit_status())
