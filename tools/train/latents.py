"""The latent space: a 32x32 thumbnail in three rotated colours, and how much each 8x8 block bulges; no training needed.

Encoding is linear. Therefore the latents of a composition are sums of the latents of its parts, and a training batch with
any background costs a few additions instead of drawing and encoding pictures. Only the decoder is nonlinear.
A decoder of doubling and 3x3 convolutions cannot tell the left half of a block from the right one except by looking at
the neighbours, so only components that are alike under mirroring are of use to it: the block's mean, and one more.

  python latents.py DATA_DIR RUN_DIR     writes RUN_DIR/basis.npz
"""

import os
import pathlib
import sys

import numpy as np

from scenes import EmojiSet, PLACES, background_ends
from prepare_data import SIZE_PX

BLOCK_PX = 8
CHANNELS = 4
SIDE = SIZE_PX // BLOCK_PX


def to_blocks(pictures):
    """[..., 256, 256, 3] → [..., 32, 32, 192], pixel values in block-row, block-column, colour order."""
    lead = pictures.shape[:-3]
    x = pictures.reshape(*lead, SIDE, BLOCK_PX, SIDE, BLOCK_PX, 3)
    return np.moveaxis(x, -4, -3).reshape(*lead, SIDE, SIDE, BLOCK_PX * BLOCK_PX * 3)


def from_blocks(blocks):
    lead = blocks.shape[:-3]
    x = blocks.reshape(*lead, SIDE, SIDE, BLOCK_PX, BLOCK_PX, 3)
    return np.moveaxis(x, -3, -4).reshape(*lead, SIZE_PX, SIZE_PX, 3)


def fit_basis(emoji, seed=0):
    """Principal components of the blocks' mean colours, and the first one of what is alike under mirroring in the rest.
    The scales flatten the spectrum to its square root: strong channels stay stronger, weak ones do not drown in noise."""
    rng = np.random.default_rng(seed)
    blocks = []
    for i in emoji.rows[::2]:
        color, alpha = emoji.layer(i, PLACES["one"][0])
        blocks.append(to_blocks(color + (1 - alpha) * rng.uniform(-1, 1, 3).astype(np.float32)).reshape(-1, 64, 3))
    blocks = np.concatenate(blocks)
    means = blocks.mean(1)
    rest = (blocks - means[:, None]).reshape(-1, BLOCK_PX, BLOCK_PX, 3)
    rest = (rest + rest[:, ::-1]) / 2
    rest = ((rest + rest[:, :, ::-1]) / 2).reshape(len(blocks), -1)
    colors = principal(np.cov(means.T), 3)
    bulge = principal(rest.T @ rest / len(rest), 1)
    flat = np.repeat(np.eye(3)[None], 64, 0).reshape(-1, 3) / 8       # unit length, one per colour
    vectors = np.concatenate([flat @ colors, bulge], 1)
    mean = np.tile(means.mean(0), 64)
    spread = ((blocks.reshape(len(blocks), -1) - mean) @ vectors).std(0)
    scale = np.sqrt(spread * spread.mean())     # latents = projection / scale: mean variance 1
    return {"mean": mean, "vectors": vectors, "scale": scale}


def principal(covariance, count):
    return np.linalg.eigh(covariance)[1][:, ::-1][:, :count]


class LinearEncoder:
    """Pictures [..., 256, 256, 3] in [-1, 1] ↔ latents [..., 4, 32, 32]."""

    def __init__(self, basis):
        self.mean = np.asarray(basis["mean"], np.float32)
        self.into = np.asarray(basis["vectors"] / basis["scale"], np.float32)
        self.back = np.asarray(basis["vectors"] * basis["scale"], np.float32)

    @classmethod
    def load(cls, run):
        return cls(np.load(pathlib.Path(run) / "basis.npz"))

    def linear(self, pictures):
        return np.moveaxis(to_blocks(pictures) @ self.into, -1, -3)

    def encode(self, pictures):
        return self.linear(pictures) - (self.mean @ self.into)[:, None, None]

    def decode_linear(self, latents):
        return from_blocks(np.moveaxis(latents, -3, -1) @ self.back.T + self.mean)


class SceneLatents:
    """Latents of scenes, from latents of their parts, computed once each and kept in memory and in RUN_DIR/parts (57 KB
    per part)."""

    def __init__(self, emoji, run):
        self.emoji, self.encoder = emoji, LinearEncoder.load(run)
        self._parts, self._folder = {}, pathlib.Path(run) / "parts"
        self._folder.mkdir(exist_ok=True)
        encoder = self.encoder
        page = np.ones((SIZE_PX, SIZE_PX, 1), np.float32)
        self._empty = self._masks(page)
        self._offset = (encoder.mean @ encoder.into)[:, None, None]

    def _masks(self, mask):
        """Latents of the mask in each colour channel, plain and times the ramp from top to bottom: [2, 3, C, h, w]."""
        ramp = np.linspace(0, 1, SIZE_PX, dtype=np.float32)[:, None]
        both = np.stack([mask[..., 0], mask[..., 0] * ramp])
        blocks = both.reshape(2, SIDE, BLOCK_PX, SIDE, BLOCK_PX).transpose(0, 1, 3, 2, 4).reshape(2, SIDE, SIDE, -1)
        into = self.encoder.into.reshape(BLOCK_PX * BLOCK_PX, 3 * CHANNELS)
        return (blocks @ into).reshape(2, SIDE, SIDE, 3, CHANNELS).transpose(0, 3, 4, 1, 2)

    def _part(self, i, place, recolor):
        """Latents of one emoji on a clear page, then its masks: [7, C, h, w]."""
        key = i, place, recolor
        if key not in self._parts:
            file = self._folder / f"{i}-{'-'.join(map(str, place))}-{recolor}.npy"
            if not file.exists():
                color, alpha = self.emoji.layer(i, place, recolor)
                part = np.concatenate([self.encoder.linear(color)[None], self._masks(alpha).reshape(-1, CHANNELS, SIDE, SIDE)])
                scratch = file.with_suffix(f".{os.getpid()}.npy")
                np.save(scratch, part.astype(np.float16))
                scratch.rename(file)
            self._parts[key] = np.load(file)
        return self._parts[key]

    def __call__(self, scene):
        """float32 [C, h, w]"""
        top, bottom = background_ends(scene)
        uncovered, total = self._empty.copy(), -self._offset
        for i, place in scene.placed():
            part = self._part(i, place, scene.recolor)
            total = total + part[0]
            uncovered -= part[1:].reshape(uncovered.shape)
        plain, ramp = uncovered
        return total + np.tensordot(top, plain, 1) + np.tensordot(bottom - top, ramp, 1)


def main(data, run):
    emoji = EmojiSet(data, "wide")
    run.mkdir(parents=True, exist_ok=True)
    basis = fit_basis(emoji)
    np.savez(run / "basis.npz", **basis)
    encoder = LinearEncoder(basis)
    errors = []
    for i in emoji.rows[::7]:
        color, alpha = emoji.layer(i, PLACES["one"][0])
        picture = color + (1 - alpha)
        errors.append(np.square(encoder.decode_linear(encoder.encode(picture)) - picture).mean())
    print(f"{CHANNELS} channels, linear reconstruction {10 * np.log10(4 / np.mean(errors)):.1f} dB on white")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
