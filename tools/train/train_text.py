#!/usr/bin/env python3
"""Train the text encoder alone: its last 16 positions hold the latents of the scene that the caption names (layout.py).

  python train_text.py DATA_DIR RUN_DIR --samples 300000 --stage scenes

Stages as for the denoiser: scenes (the short list) and wide (all emoji). Resumes from RUN_DIR/text.pt.
"""

import random
import sys

import numpy as np
import torch
from transformers import CLIPTokenizer

from common import Averaged, Progress, Workers, arguments, autocast, fix_seeds, load, save
from latents import SceneLatents
from layout import FIRST_PATCH, PATCH_WIDTH, SPOKEN_WIDTH, TOKENS_MAX, places, to_patches
from networks import make_text_encoder
from scenes import MIX, EmojiSet, draw_batch

options = arguments(__doc__, samples=(300000, "captions of this stage"), batch=(16, "captions a step, for each worker"),
                    rate=(1e-3, "peak learning rate"), decay=(.3, "share of the samples in which the rate falls"),
                    focus=(.5, "share of the shorter list"), workers=(1, "processes that average their weights"),
                    stage=("scenes", "narrow, scenes or wide, as for the denoiser"),
                    whole=(.05, "share of the steps with all 77 positions; the others leave most of the padding out"))
device = options.device
checkpoint = load(options.run / "text.pt", device)
progress = Progress(options, checkpoint, options.stage)

tokenizer = CLIPTokenizer.from_pretrained(options.run / "tokenizer")
emoji = EmojiSet.of_stage(options.data, options.stage, options.focus)
scene_latents = SceneLatents(emoji, options.run)
text = make_text_encoder(len(tokenizer)).to(device)
with torch.no_grad():
    text.get_input_embeddings().weight.normal_(0, .05)
    text.text_model.final_layer_norm.weight.fill_(1.5)
optimizer = torch.optim.AdamW(text.parameters(), lr=options.rate, betas=(.9, .98), weight_decay=.01, fused=True)
average = Averaged(text.named_parameters(), .999)
if checkpoint:
    text.load_state_dict(checkpoint["live"])
    optimizer.load_state_dict(checkpoint["optimizer"])
    average.restore(checkpoint["average"])
workers = Workers(text.parameters(), options.run, options.workers)
fix_seeds(11 + progress.step + 7919 * workers.rank)
mix = MIX["narrow" if options.stage in ("first", "narrow") else "scenes"]
where = places().to(device)


def positions(last_word):
    """Those to compute: all words, a few of the padding, the patches."""
    if random.random() < options.whole or last_word >= FIRST_PATCH - 8:
        return torch.arange(TOKENS_MAX)
    padding = sorted(random.sample(range(last_word + 1, FIRST_PATCH), random.randint(0, 4)))
    return torch.tensor([*range(last_word + 1), *padding, *range(FIRST_PATCH, TOKENS_MAX)])


def drawn_batches(count, together=8):
    """Endless batches of captions that are about equally long: little is computed for nothing."""
    while True:
        pairs = draw_batch(emoji, mix, count * together, random)
        ids = tokenizer([c for _, c in pairs], padding="max_length", truncation=True, max_length=TOKENS_MAX,
                        return_tensors="pt").input_ids
        ends = (ids == tokenizer.eos_token_id).int().argmax(1)
        order = ends.argsort().split(count)
        for rows in random.sample(order, len(order)):
            x = torch.from_numpy(np.stack([scene_latents(pairs[i][0]) for i in rows.tolist()])).to(device)
            at = positions(int(ends[rows].max()))
            yield x, ids[rows][:, at].to(device), at.to(device)


batches = drawn_batches(options.batch)


def checkpoint_now():
    if workers.rank == 0:
        save(options.run / "text.pt", {**progress.state(), "live": text.state_dict(),
                                       "optimizer": optimizer.state_dict(), "average": average.state()})
        save(options.run / "text_encoder.pt", average.state()["kept"])


while not progress.is_over():
    x, ids, at = next(batches)
    progress.set_rate(optimizer)
    with autocast(device):
        hidden = text(input_ids=ids, position_ids=at[None]).last_hidden_state.float()
    patches, others = hidden[:, at >= FIRST_PATCH], hidden[:, at < FIRST_PATCH, :SPOKEN_WIDTH]
    error = (patches[..., :PATCH_WIDTH] - to_patches(x)).square().mean((1, 2))
    place_error = (patches[..., PATCH_WIDTH:SPOKEN_WIDTH] - where).square().mean()
    loss = error.mean() + .05 * place_error + .05 * others.square().mean()
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(text.parameters(), 1.)
    optimizer.step()
    average.update()
    workers.after_step(progress.step - progress.first_step + 1)
    if progress.advance(len(x) * options.workers, error=error.mean().item(), median=error.median().item(),
                        place=place_error.item(), others=others.square().mean().item()):
        checkpoint_now()
workers.finish()
checkpoint_now()
sys.exit(progress.exit_status())
