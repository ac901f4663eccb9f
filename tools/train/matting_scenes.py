"""Composites with known alpha: emoji and textured shapes over plain, gradient, textured and photo backgrounds."""

import json
import pathlib
import zlib

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from prepare_data import SIZE_PX

VISIBLE = .05       # mean difference from the background below which a subject does not count as one
BACKGROUNDS = ("plain", "gradient", "texture", "photograph")


def is_held_out(name):
    return zlib.crc32(name.encode()) % 10 == 0


def value_noise(rng, smallest, largest):
    """Smooth random colour field in [0, 1], float32 [256, 256, 3], with grain from smallest to largest cells."""
    field, total = np.zeros((SIZE_PX, SIZE_PX, 3), np.float32), 0.
    cells = smallest
    while cells <= largest:
        grid = rng.random((cells, cells, 3), np.float32)
        layer = Image.fromarray((grid * 255).astype(np.uint8)).resize((SIZE_PX, SIZE_PX), Image.BICUBIC)
        weight = 1 / cells ** .5
        field += weight * np.asarray(layer, np.float32) / 255
        total += weight
        cells *= 2
    return field / total


class MattingScenes:
    """photos: folders with photographs under free licences; every tenth file is held out with every tenth emoji."""

    def __init__(self, data, photos, held_out=False):
        data = pathlib.Path(data)
        self.rgba = np.load(data / "rgba.npy", mmap_mode="r")
        meta = json.loads((data / "meta.json").read_text())
        self.rows = [i for i, m in enumerate(meta) if is_held_out(m["name"]) == held_out]
        files = sorted(f for folder in photos for f in pathlib.Path(folder).rglob("*")
                       if f.suffix.lower() in (".jpg", ".jpeg", ".png"))
        self.photos = [Image.open(f).convert("RGB") for n, f in enumerate(files)
                       if len(files) < 10 or (n % 10 == 0) == held_out]

    def _photograph(self, rng):
        photo = self.photos[rng.integers(len(self.photos))]
        side = int(min(photo.size) * rng.uniform(.3, 1))
        left, top = (int(rng.integers(extent - side + 1)) for extent in photo.size)
        crop = photo.crop((left, top, left + side, top + side)).resize((SIZE_PX, SIZE_PX), Image.BICUBIC)
        if rng.random() < .5:
            crop = crop.filter(ImageFilter.GaussianBlur(rng.uniform(.5, 4)))     # out of focus, as behind a product
        picture = np.asarray(crop, np.float32) / 255
        return picture[:, ::-1] if rng.random() < .5 else picture

    def background(self, kind, rng):
        """float32 [256, 256, 3] in [0, 1]"""
        if kind == "photograph" and self.photos:
            return self._photograph(rng)
        if kind == "texture" or kind == "photograph":
            low = 2 ** int(rng.integers(1, 5))
            return value_noise(rng, low, min(128, low * 2 ** int(rng.integers(0, 4)))) * rng.uniform(.6, 1) \
                + rng.uniform(-.1, .2, 3)
        first = np.ones(3) if rng.random() < .25 else rng.random(3)
        last = first if kind == "plain" else rng.random(3)
        angle = rng.uniform(0, 2 * np.pi)
        y, x = np.mgrid[0:SIZE_PX, 0:SIZE_PX] / (SIZE_PX - 1) - .5
        ramp = np.clip(x * np.cos(angle) + y * np.sin(angle) + .5, 0, 1)[..., None]
        return (first * (1 - ramp) + last * ramp).astype(np.float32)

    def _shape(self, rng):
        """A blob with a texture of its own, so that the network learns edges and not only emoji."""
        points = int(rng.integers(5, 14))
        angle = np.sort(rng.uniform(0, 2 * np.pi, points))
        radius = rng.uniform(60, 124, points)
        outline = [(128 + r * np.cos(a), 128 + r * np.sin(a)) for r, a in zip(radius, angle)]
        mask = Image.new("L", (SIZE_PX, SIZE_PX), 0)
        ImageDraw.Draw(mask).polygon(outline, fill=255)
        mask = mask.filter(ImageFilter.GaussianBlur(rng.uniform(.5, 3)))
        texture = self.background(rng.choice(["plain", "gradient", "texture"]), rng).clip(0, 1)
        return np.dstack([(texture * 255).astype(np.uint8), np.asarray(mask)])

    def foreground(self, rng):
        """Premultiplied colour [256, 256, 3] and alpha [256, 256, 1] in [0, 1]."""
        page = Image.new("RGBa", (SIZE_PX, SIZE_PX))
        for _ in range(1 if rng.random() < .8 else 2):
            pixels = self._shape(rng) if rng.random() < .15 else self.rgba[self.rows[rng.integers(len(self.rows))]]
            side = int(SIZE_PX * rng.uniform(.35, 1.05))
            image = Image.fromarray(np.asarray(pixels), "RGBA").convert("RGBa")
            if rng.random() < .5:
                image = image.rotate(rng.uniform(-25, 25), Image.BICUBIC)
            image = image.resize((side, side), Image.LANCZOS)
            at = tuple(int(v) for v in rng.integers(-side // 8, SIZE_PX - side + side // 8 + 1, 2))
            layer = Image.new("RGBa", (SIZE_PX, SIZE_PX))
            layer.paste(image, at)
            top, bottom = np.asarray(layer, np.float32), np.asarray(page, np.float32)
            over = top + bottom * (1 - top[..., 3:] / 255)
            page = Image.fromarray(over.clip(0, 255).astype(np.uint8), "RGBa")
        pixels = np.asarray(page, np.float32) / 255
        return np.minimum(pixels[..., :3], pixels[..., 3:]), pixels[..., 3:]

    def draw(self, rng, kind=None):
        """picture [3, 256, 256] in [-1, 1] and alpha [1, 256, 256] in [0, 1], float32"""
        is_visible = False
        while not is_visible:     # a white shape on white paper is nobody's subject
            color, alpha = self.foreground(rng)
            behind = self.background(kind or BACKGROUNDS[rng.integers(4)], rng).clip(0, 1)
            picture = color + (1 - alpha) * behind
            covered = alpha[..., 0] > .5
            is_visible = covered.any() and np.abs(picture - behind)[covered].mean() > VISIBLE
        if rng.random() < .5:
            picture = picture + rng.normal(0, rng.uniform(0, .03), picture.shape)
        picture = picture.clip(0, 1) * 2 - 1
        return picture.transpose(2, 0, 1).astype(np.float32), alpha.transpose(2, 0, 1).astype(np.float32)
