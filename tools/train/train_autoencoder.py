#!/usr/bin/env python3
"""Train the decoder (latents → sharp picture), or the encoder (picture → the same latents; for image-to-image).

  python train_autoencoder.py DATA_DIR RUN_DIR --samples 200000
  python train_autoencoder.py DATA_DIR RUN_DIR --samples 50000 --part encoder

The latents are given (latents.py), so both parts train apart from each other and from the denoiser. The decoder gets a
little noise on its latents: it must forgive what the denoiser leaves. At the end `--painted` shows it, for half of the
pictures, the latents that the finished text encoder and denoiser make of a caption, in place of the true ones.
Resumes from RUN_DIR/decoder.pt, encoder.pt.
"""

import math
import random
import sys

import numpy as np
import torch
import torch.nn.functional as F

from common import Averaged, Progress, Workers, arguments, autocast, fix_seeds, load, save
from latents import BLOCK_PX, CHANNELS, LinearEncoder
from networks import join_linear_encoder, make_autoencoder
from painter import Painter
from prepare_data import SIZE_PX
from scenes import MIX, EmojiSet, draw_batch

options = arguments(__doc__, samples=(200000, "crops in all"), part=("decoder", "decoder or encoder"),
                    pictures=(2, "pictures a step"), crops=(2, "crops of each picture"),
                    crop=(128, "side of a crop in pixels"), rate=(1e-3, "peak learning rate"),
                    decay=(.4, "share of the samples in which the rate falls"), noise=(.06, "noise on the latents"),
                    focus=(.7, "share of the narrow list"), workers=(1, "processes that average their weights"),
                    flat=(False, "draw flat emoji too"), painted=(False, "half of the latents as the model paints them"))
device, is_decoder = options.device, options.part == "decoder"
file = options.run / f"{options.part}.pt"
checkpoint = load(file, device)
progress = Progress(options, checkpoint, "painted" if options.painted else "")

linear = LinearEncoder.load(options.run)
vae = make_autoencoder()
join_linear_encoder(vae, linear)
vae = vae.to(device)
part = torch.nn.ModuleList([vae.post_quant_conv, vae.decoder] if is_decoder else [vae.encoder, vae.quant_conv])
optimizer = torch.optim.AdamW(part.parameters(), lr=options.rate, betas=(.9, .99), weight_decay=1e-3, fused=True)
average = Averaged(part.named_parameters(), .998)
if checkpoint:
    part.load_state_dict(checkpoint["live"])
    optimizer.load_state_dict(checkpoint["optimizer"])
    average.restore(checkpoint["average"])
workers = Workers(part.parameters(), options.run, options.workers)
fix_seeds(23 + progress.step + 7919 * workers.rank)
emoji = EmojiSet(options.data, "wide", ("3d", "flat") if options.flat else ("3d",), options.focus)
MIX_HERE = {**MIX["scenes"], "blank": .0, "unknown": .0}


painter = Painter(options.run, device) if options.painted else None


def batch():
    """Crops [B, 3, s, s] on block borders, most of them with something to see, and their latents [B, C, s/16, s/16]."""
    crops, latents, side = [], [], options.crop
    pairs = draw_batch(emoji, MIX_HERE, options.pictures, random)
    painted = painter([caption for _, caption in pairs]) if painter and random.random() < .5 else None
    for n, (scene, _) in enumerate(pairs):
        picture = emoji.draw(scene)
        whole = linear.encode(picture) if painted is None else painted[n]
        for _ in range(options.crops):
            for _ in range(4):
                top, left = (BLOCK_PX * random.randint(0, (SIZE_PX - side) // BLOCK_PX) for _ in range(2))
                crop = picture[top:top + side, left:left + side]
                if crop.std((0, 1)).max() > .15:
                    break
            crops.append(crop)
            rows, columns = (slice(at // BLOCK_PX, (at + side) // BLOCK_PX) for at in (top, left))
            latents.append(whole[:, rows, columns])
    return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).contiguous().to(device), \
        torch.from_numpy(np.stack(latents).astype(np.float32)).to(device)


def picture_loss(y, x):
    """L1 on the picture and on its gradients at three scales; edges decide how a picture feels."""
    total, first = 0., None
    for scale, weight in enumerate((1., .5, .5)):
        if scale:
            y, x = F.avg_pool2d(y, 2), F.avg_pool2d(x, 2)
        d = y - x
        if first is None:
            first = d.detach()
        edges = (d[..., 1:] - d[..., :-1]).abs().mean() + (d[..., 1:, :] - d[..., :-1, :]).abs().mean()
        total = total + weight * d.abs().mean() + .5 * edges
    return total, first.square().mean().item()


def checkpoint_now():
    if workers.rank == 0:
        save(file, {**progress.state(), "live": part.state_dict(), "optimizer": optimizer.state_dict(),
                    "average": average.state()})


while not progress.is_over():
    x, z = batch()
    progress.set_rate(optimizer)
    with autocast(device):
        if is_decoder:
            noisy = z + options.noise * random.random() * torch.randn_like(z)
            y = vae.decoder(vae.post_quant_conv(noisy)).float()
            loss, error = picture_loss(y, x)
        else:
            y = vae.quant_conv(vae.encoder(x)).float()[:, :CHANNELS]
            loss = F.smooth_l1_loss(y, z, beta=.1)
            error = (y - z).square().mean().item()
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(part.parameters(), 1.)
    optimizer.step()
    average.update()
    workers.after_step(progress.step - progress.first_step + 1)
    # The picture's peak is 2, so 4 / error is the PSNR's ratio; for the encoder the latents' squared error is told.
    figure = {"dB": 10 * math.log10(4 / error)} if is_decoder else {"error": error}
    if progress.advance(len(x) * options.workers, **figure):
        checkpoint_now()
workers.finish()
checkpoint_now()
sys.exit(progress.exit_status())
