#!/usr/bin/env python3
"""Train the matting network: which part of a picture is in front. Under 1 M parameters, 256x256 in, alpha out.

  python train_matting.py DATA_DIR RUN_DIR --photos FOLDER,FOLDER [--samples 40000] [--export MODEL_DIR]

Ends with figures on held-out composites per kind of background: mean absolute error of alpha, and IoU of alpha > 0.5.
Resumes from RUN_DIR/matting.pt. The export has the batch norms folded into the convolutions, so a runtime needs
convolution, SiLU, nearest enlargement, concatenation and a sigmoid.
"""

import json
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from common import Averaged, Progress, Workers, arguments, autocast, fix_seeds, load, save
from matting_scenes import BACKGROUNDS, MattingScenes

WIDTHS = (16, 32, 64, 96, 128)      # at 128, 64, 32, 16 and 8 pixels
BLOCK_PX = 2                        # blocks of the picture become channels, and back: a quarter of the work


class ConvBlock(torch.nn.Module):
    """Two 3x3 convolutions, each with SiLU; the first one may halve the picture."""

    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = torch.nn.BatchNorm2d(outputs)
        self.conv2 = torch.nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = torch.nn.BatchNorm2d(outputs)

    def forward(self, x):
        x = F.silu(self.norm1(self.conv1(x)))
        return F.silu(self.norm2(self.conv2(x)))


class MattingNetwork(torch.nn.Module):
    """A U-Net. picture [B, 3, 256, 256] in [-1, 1] → alpha before the sigmoid [B, 1, 256, 256]."""

    def __init__(self):
        super().__init__()
        self.down = torch.nn.ModuleList(
            ConvBlock(inputs, outputs, 2 if level else 1)
            for level, (inputs, outputs) in enumerate(zip((3 * BLOCK_PX ** 2, *WIDTHS), WIDTHS)))
        self.up = torch.nn.ModuleList(
            ConvBlock(below + here, here) for below, here in zip(WIDTHS[:0:-1], WIDTHS[-2::-1]))
        self.head = torch.nn.Conv2d(WIDTHS[0], BLOCK_PX ** 2, 1)

    def forward(self, x):
        passed = []
        x = F.pixel_unshuffle(x, BLOCK_PX)
        for block in self.down:
            x = block(x)
            passed.append(x)
        passed.pop()
        for block in self.up:
            x = block(torch.cat([F.interpolate(x, scale_factor=2, mode="nearest"), passed.pop()], 1))
        return F.pixel_shuffle(self.head(x), BLOCK_PX)


def folded(network):
    """Named weights without batch norms: NAME.conv1.weight, NAME.conv1.bias, ..."""
    tensors = {"head.weight": network.head.weight, "head.bias": network.head.bias}
    for name, block in network.named_modules():
        if not isinstance(block, ConvBlock):
            continue
        for conv, norm, key in ((block.conv1, block.norm1, "conv1"), (block.conv2, block.norm2, "conv2")):
            gain = norm.weight / (norm.running_var + norm.eps).sqrt()
            tensors[f"{name}.{key}.weight"] = conv.weight * gain[:, None, None, None]
            tensors[f"{name}.{key}.bias"] = norm.bias - norm.running_mean * gain
    return {k: v.detach().half().contiguous().cpu() for k, v in tensors.items()}


def averaged(run):
    network = MattingNetwork()
    network.load_state_dict(load(run / "matting.pt")["average"]["kept"], strict=False)
    return network.eval()


def shipped(run):
    """The network as it is exported: no batch norms, weights rounded to fp16."""
    network = averaged(run)
    tensors = folded(network)
    for block in network.modules():
        if isinstance(block, ConvBlock):
            for key in ("conv1", "conv2"):
                old = getattr(block, key)
                setattr(block, key, torch.nn.Conv2d(old.in_channels, old.out_channels, 3, old.stride, 1))
            block.norm1 = block.norm2 = torch.nn.Identity()
    network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    return network


def export(network, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(folded(network), folder / "model.safetensors", metadata={"format": "pt"})
    config = {"_class_name": "MattingNetwork", "sample_size": 256, "block_size": BLOCK_PX, "widths": WIDTHS,
              "act_fn": "silu"}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def matting_loss(logits, alpha):
    """L1 on alpha and on its edges, plus cross entropy, which still teaches where the sigmoid is flat."""
    guess = logits.sigmoid()
    d = guess - alpha
    edges = (d[..., 1:] - d[..., :-1]).abs().mean() + (d[..., 1:, :] - d[..., :-1, :]).abs().mean()
    return d.abs().mean() + edges + .3 * F.binary_cross_entropy_with_logits(logits, alpha)


def batch(scenes, rng, count, device, kind=None):
    """Pictures [B, 3, 256, 256] and their alpha [B, 1, 256, 256]."""
    drawn = zip(*(scenes.draw(rng, kind) for _ in range(count)))
    return tuple(torch.from_numpy(np.stack(v)).to(device) for v in drawn)


@torch.no_grad()
def figures(network, scenes, device, count=64):
    """Mean absolute error and IoU on composites with fixed seeds, per kind of background."""
    network.eval()
    report = {}
    for number, kind in enumerate(BACKGROUNDS):
        rng = np.random.default_rng(1000 + number)
        errors, overlaps = [], []
        for _ in range(count // 8):
            x, alpha = batch(scenes, rng, 8, device, kind)
            guess = network(x).sigmoid()
            errors.append((guess - alpha).abs().mean().item())
            a, b = guess > .5, alpha > .5
            overlaps += ((a & b).sum((1, 2, 3)) / (a | b).sum((1, 2, 3)).clamp(min=1)).tolist()
        report[kind] = {"mae": round(float(np.mean(errors)), 4), "iou": round(float(np.mean(overlaps)), 4)}
    network.train()
    return report


def main():
    options = arguments(__doc__, samples=(40000, "composites in all"), batch=(8, "composites a step"),
                        photos=("", "folders with photographs, comma between"), rate=(2e-3, "peak learning rate"),
                        decay=(.5, "share of the samples in which the rate falls"),
                        workers=(1, "processes that average their weights"), export=("", "write the network here"))
    device, file = options.device, options.run / "matting.pt"
    photos = [f for f in options.photos.split(",") if f]
    checkpoint = load(file, device)
    progress = Progress(options, checkpoint)
    network = MattingNetwork().to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), lr=options.rate, betas=(.9, .99), weight_decay=1e-3, fused=True)
    # Running means of the batch norms are averaged too: they are buffers of the same kind of slow change.
    tensors = [*network.named_parameters(), *((n, b) for n, b in network.named_buffers() if b.is_floating_point())]
    average = Averaged(tensors, .998)
    if checkpoint:
        network.load_state_dict(checkpoint["live"])
        optimizer.load_state_dict(checkpoint["optimizer"])
        average.restore(checkpoint["average"])
    workers = Workers((t for _, t in tensors), options.run, options.workers)
    fix_seeds(71 + progress.step + 7919 * workers.rank)
    rng = np.random.default_rng(71 + progress.step + 7919 * workers.rank)
    scenes = MattingScenes(options.data, photos)

    def checkpoint_now():
        if workers.rank == 0:
            save(file, {**progress.state(), "live": network.state_dict(), "optimizer": optimizer.state_dict(),
                        "average": average.state()})

    while not progress.is_over():
        x, alpha = batch(scenes, rng, options.batch, device)
        progress.set_rate(optimizer)
        with autocast(device):
            logits = network(x)
        loss = matting_loss(logits.float(), alpha)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.)
        optimizer.step()
        average.update()
        workers.after_step(progress.step - progress.first_step + 1)
        if progress.advance(options.batch * options.workers, loss=loss.item()):
            checkpoint_now()
    workers.finish()
    checkpoint_now()
    if workers.rank == 0:
        network.load_state_dict(average.state()["kept"], strict=False)
        print(json.dumps({"parameters": sum(p.numel() for p in network.parameters()), "samples": progress.seen,
                          **figures(network, MattingScenes(options.data, photos, held_out=True), device)}, indent=2))
        if options.export:
            export(network.eval(), options.export)
    return progress.exit_status()


if __name__ == "__main__":
    sys.exit(main())
