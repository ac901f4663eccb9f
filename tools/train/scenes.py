"""Captioned scenes: one or several emoji on a background, as a small spec that can be drawn, worded and encoded.

A scene is fixed by its caption: same words, same picture. So the text decides everything, the most likely picture is
the average one, and few denoising steps without guidance suffice (README.md, "Why few steps work").
"""

import colorsys
import collections
import dataclasses
import json
import pathlib
import random
import re
import zlib

import numpy as np
from PIL import Image

from prepare_data import SIZE_PX, read_list

COLORS = {
    "white": (255, 255, 255), "black": (16, 16, 20), "gray": (150, 152, 158), "red": (222, 48, 52),
    "orange": (246, 140, 40), "yellow": (252, 214, 60), "green": (64, 170, 84), "blue": (52, 110, 224),
    "light blue": (150, 206, 250), "purple": (134, 76, 200), "pink": (250, 160, 196), "teal": (40, 168, 164),
    "brown": (132, 88, 58), "beige": (236, 222, 196), "dark blue": (26, 38, 92), "light green": (176, 228, 160),
}
HUES_DEG = {"red": 0, "orange": 28, "yellow": 48, "green": 120, "teal": 175, "blue": 215, "purple": 275, "pink": 330}
COLOR_WORD = re.compile(
    r"\b(red|orange|yellow|green|blue|light blue|purple|pink|teal|brown|black|white|gr[ae]y|golden)\b ?")
COUNTABLE = {
    "food-fruit", "food-vegetable", "food-sweet", "animal-mammal", "animal-bird", "animal-marine", "animal-bug",
    "animal-reptile", "plant-flower", "plant-other", "transport-ground", "transport-air", "clothing", "sport",
    "heart", "household", "drink",
}
# Where the emoji of a scene go: centre x, centre y, width, as shares of the picture. They never overlap.
# Pairs are half a picture apart, so that both halves' latents are alike.
PLACES = {
    "one": [(.5, .5, .90)],
    "small": [(.5, .5, .40)],
    "pair": [(.25, .5, .455), (.75, .5, .455)],
    "two": [(.25, .5, .455), (.75, .5, .455)],
    "three": [(.5, .28, .40), (.27, .70, .40), (.73, .70, .40)],
}
FORM_WORDS = """a an the and of on in with next to left right background gradient from picture illustration icon emoji photo
 draw cute small tiny little big two three 2 3 one flat style design vector art 3d render glossy drawing image painting of
 very some my his her their at under over beside between behind above below front sitting standing flying happy sad"""
# What people add to a prompt though it names nothing to see.
FILLERS = """high quality|highly detailed|4k|8k|masterpiece|best quality|digital art|beautiful|soft light|studio lighting|
 trending|very cute|with lots of details|sharp focus|award winning|made by an artist|in the style of a master|
 concept art|for a children's book|please|as a sticker|as a logo|isolated|centered|minimalistic""".replace("\n ", "").split("|")
UNKNOWN = "artist palette"  # what words without meaning give
# Keywords about people's identity name no picture.
NOT_KEYWORDS = re.compile(r"gay|lesbian|queer|trans|pride|lgbt|lbgt|bisexual|race|sex")


@dataclasses.dataclass(frozen=True)
class Scene:
    kind: str                          # a key of PLACES, or "blank"
    emoji: tuple = ()                  # rows of meta.json
    background: tuple = ("white",)     # one colour, or two from top to bottom
    recolor: str | None = None         # the colour that the emoji is given

    def placed(self):
        """(emoji, place) for each emoji of the scene."""
        if self.kind == "blank":
            return []
        places = PLACES[self.kind]
        return list(zip(self.emoji if self.kind == "pair" else self.emoji * len(places), places))


def with_article(name):
    return ("an " if name[0] in "aeiou" else "a ") + name


def plural(name):
    if name.endswith(("s", "x", "ch", "sh")):
        return name if name.endswith("s") else name + "es"
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return name[:-1] + "ies"
    return name + "s"


class EmojiSet:
    """The pictures and words of prepare_data.py, limited to one stage: "first", "narrow" or "wide".

    focus: the share of picks that go to the narrow list when the stage is wide, to the first list when it is narrow.
    """

    def __init__(self, data, stage="narrow", styles=("3d",), focus=0.):
        data = pathlib.Path(data)
        self.rgba = np.load(data / "rgba.npy", mmap_mode="r")
        self.meta = json.loads((data / "meta.json").read_text())
        self._find_distinct_words()
        lists = {"first": read_list("first") | {UNKNOWN}, "narrow": read_list("narrow") | {UNKNOWN},
                 "wide": {m["name"] for m in self.meta}}
        self.rows = [i for i, m in enumerate(self.meta) if m["name"] in lists[stage] and m["style"] in styles]
        favorites = lists["narrow" if stage == "wide" else "first"]
        self.focus, self.favorites = focus, {i for i in self.rows if self.meta[i]["name"] in favorites}
        words = lambda items: {w for m in items for n in [m["name"], *m["alt"], *m["tags"], *m["rare"]]
                               for w in re.findall(r"[a-z]+", n)}
        known = words(self.meta[i] for i in self.rows) | set(COLORS) | set(FORM_WORDS.split())
        self.strange_words = sorted(w for w in words(self.meta) - known if len(w) > 2)
        for i in self.rows:
            self.meta[i]["hue"] = self._dominant_hue(i)
        self.unknown = next(i for i, m in enumerate(self.meta) if m["name"] == UNKNOWN)
        self.countable = [i for i in self.rows if self.meta[i]["subgroup"] in COUNTABLE]
        self.recolorable = [i for i in self.rows if self.meta[i]["hue"] is not None
                            and self.meta[i]["subgroup"] not in ("geometric", "heart")]
        self._favorites = {id(pool): [i for i in pool if i in self.favorites]
                           for pool in (self.rows, self.countable, self.recolorable)}

    @classmethod
    def of_stage(cls, data, stage, focus):
        """The pictures of a training stage: "scenes" composes those of the narrow list, "wide" all of them."""
        return cls(data, "narrow" if stage == "scenes" else stage, focus=focus)

    def _pick(self, pool, rng):
        return rng.choice(self._favorites[id(pool)] if rng.random() < self.focus else pool)

    def _find_distinct_words(self):
        """Keep the other names and the tags that point at one emoji only."""
        glossy = [m for m in self.meta if m["style"] == "3d"]
        labels = {m["name"] for m in self.meta}
        alts = collections.Counter(a for m in glossy for a in m["alt"])
        tags = collections.Counter(t for m in glossy for t in m["tags"])
        for m in self.meta:
            m["alt"] = [a for a in m["alt"] if a not in labels and alts[a] == 1]
            m["rare"] = [t for t in m["tags"] if tags[t] == 1 and t not in labels and t not in m["alt"]
                         and len(t) > 2 and not t.isdigit() and not NOT_KEYWORDS.search(t)]
            m["tags"] = [t for t in m["tags"] if not NOT_KEYWORDS.search(t)]

    def _dominant_hue(self, i):
        """The hue in degrees that most of the picture shares, or None."""
        pixels = np.asarray(self.rgba[i][::8, ::8], np.float32).reshape(-1, 4)
        pixels = pixels[pixels[:, 3] > 128]
        if len(pixels) < 20:
            return None
        hsv = np.array([colorsys.rgb_to_hsv(*p) for p in pixels[:, :3] / 255])
        vivid = (hsv[:, 1] > .3) & (hsv[:, 2] > .15)
        if vivid.mean() < .6:
            return None
        angle = np.deg2rad(hsv[vivid, 0] * 360)
        mean = np.arctan2(np.sin(angle).mean(), np.cos(angle).mean())
        near = np.abs((angle - mean + np.pi) % (2 * np.pi) - np.pi) < np.deg2rad(40)
        return float(np.rad2deg(mean) % 360) if near.mean() > .75 else None

    # ---- choosing ------------------------------------------------------------------------------

    def draw_scene(self, kind, rng):
        """A random scene of a kind: one, background, color, small, pair, two, three, blank, unknown. Never a held-out
        one."""
        while self.is_held_out(scene := self._draw_scene(kind, rng)):
            pass
        return scene

    def is_held_out(self, scene):
        """A tenth of the emoji and colour combinations and of the pairs is kept for evaluate.py."""
        names = [self.meta[i]["name"] for i in scene.emoji]
        if scene.kind == "pair":
            return zlib.crc32(" and ".join(sorted(names)).encode()) % 10 == 0
        colors = [c for c in scene.background if c != "white"]
        return any(zlib.crc32(f"{n} on {c}".encode()) % 10 == 0 for n in names for c in colors)

    def _draw_scene(self, kind, rng):
        if kind == "blank":
            return Scene("blank")
        if kind == "unknown":
            return Scene("one", (self.unknown,))
        plain = ("white",)
        colored = tuple(rng.sample(list(COLORS)[1:], 1 if rng.random() < .85 else 2))
        maybe = colored if rng.random() < .4 else plain
        if kind == "one":
            return Scene("one", (self._pick(self.rows, rng),))
        if kind == "background":
            return Scene("one", (self._pick(self.rows, rng),), colored)
        if kind == "color":
            i = self._pick(self.recolorable, rng)
            color = rng.choice(self.other_colors(i))
            return Scene("one", (i,), plain if maybe == (color,) else maybe, color)
        if kind == "pair":
            first, second = self._pick(self.rows, rng), self._pick(self.rows, rng)
            same_style = self.meta[first]["style"] == self.meta[second]["style"]
            if first != second and same_style:
                return Scene("pair", (first, second), maybe)
            kind = "two"
        pool = self.countable if kind in ("two", "three") else self.rows
        return Scene(kind, (self._pick(pool, rng),), maybe)

    def other_colors(self, i):
        hue = self.meta[i]["hue"]
        far = [c for c, h in HUES_DEG.items() if abs((h - hue + 180) % 360 - 180) > 25]
        return far + ["black", "gray"]

    # ---- drawing -------------------------------------------------------------------------------

    def _recolored(self, i, color):
        rgba = np.asarray(self.rgba[i])
        if color is None:
            return rgba
        hsv = np.asarray(Image.fromarray(rgba[..., :3]).convert("HSV")).astype(np.int32)
        h, s, v = (hsv[..., k].copy() for k in range(3))
        hue = self.meta[i]["hue"]
        own = (np.abs((h * 360 / 255 - hue + 180) % 360 - 180) < 55) & (s > 50)
        if color in HUES_DEG:
            h[own] = (h[own] + (HUES_DEG[color] - hue) * 255 / 360).astype(np.int32) % 256
        else:
            s[own] = s[own] // 12
            v[own] = (v[own] * (.28 if color == "black" else .75)).astype(np.int32)
        rgb = Image.fromarray(np.stack([h, s, v], -1).astype(np.uint8), "HSV").convert("RGB")
        return np.dstack([np.asarray(rgb), rgba[..., 3]])

    def layer(self, i, place, recolor=None):
        """One emoji on a clear page: premultiplied colour in [-1, 1] [256, 256, 3] and alpha [256, 256, 1]."""
        x, y, width = place
        side = round(SIZE_PX * width)
        # "RGBa" is premultiplied: resizing leaves no dark fringe.
        image = Image.fromarray(self._recolored(i, recolor), "RGBA").convert("RGBa")
        image = np.asarray(image.resize((side, side), Image.LANCZOS), np.float32) / 255
        page = np.zeros((SIZE_PX, SIZE_PX, 4), np.float32)
        top, left = round(SIZE_PX * y - side / 2), round(SIZE_PX * x - side / 2)
        page[top:top + side, left:left + side] = image
        alpha = page[..., 3:]
        return np.minimum(page[..., :3], alpha) * 2 - alpha, alpha

    def draw(self, scene):
        """The picture in [-1, 1], float32 [256, 256, 3]."""
        top, bottom = background_ends(scene)
        ramp = np.linspace(0, 1, SIZE_PX, dtype=np.float32)[:, None, None]
        picture = np.broadcast_to(top * (1 - ramp) + bottom * ramp, (SIZE_PX, SIZE_PX, 3)).copy()
        for i, place in scene.placed():
            color, alpha = self.layer(i, place, scene.recolor)
            picture = picture * (1 - alpha) + color
        return picture

    # ---- wording -------------------------------------------------------------------------------

    def _name(self, i, rng):
        m, r = self.meta[i], rng.random()
        if r < .2 and m["alt"]:
            return rng.choice(m["alt"])
        if r < .35 and m["rare"]:
            return rng.choice(m["rare"])
        return m["name"]

    def _subject(self, scene, rng):
        m = self.meta[scene.emoji[0]]
        name = self._name(scene.emoji[0], rng)
        if scene.recolor:
            name = scene.recolor + " " + (COLOR_WORD.sub("", name).strip() or name)
        if scene.kind == "pair":
            names = name, self._name(scene.emoji[1], rng)
            if rng.random() < .8:
                names = tuple(with_article(n) for n in names)
            form = rng.choice(["{} and {}"] * 4 + ["{} next to {}", "{} on the left and {} on the right"])
            return form.format(*names)
        if scene.kind in ("two", "three"):
            digit = {"two": "2", "three": "3"}[scene.kind]
            return f"{scene.kind if rng.random() < .85 else digit} {plural(name)}"
        if scene.kind == "small":
            return with_article(rng.choice(["small", "tiny", "little"]) + " " + name)
        forms = ["{0}", "{0}", "{1}", "{1}", "{1}", "{1}", "{0} emoji", "a picture of {1}", "an illustration of {1}",
                 "{1} icon", "cute {0}", "an emoji of {1}", "a photo of {1}", "draw {1}", "the {0}"]
        text = rng.choice(forms).format(name, with_article(name))
        if not scene.recolor and rng.random() < .1 and m["tags"]:
            text += ", " + ", ".join(rng.sample(m["tags"], min(len(m["tags"]), rng.randint(1, 3))))
        return text

    def unknown_caption(self, rng):
        """Words that no dictionary has, or that name nothing in this stage."""
        if self.strange_words and rng.random() < .6:
            text = " ".join(rng.sample(self.strange_words, rng.randint(1, 3)))
            return with_article(text) if rng.random() < .3 else text
        letters = "aeiou", "bcdfghjklmnpqrstvwxz"
        return " ".join("".join(rng.choice(letters[k % 2]) for k in range(rng.randint(3, 9)))
                        for _ in range(rng.randint(1, 3)))

    def caption(self, scene, rng):
        """One of many ways to word a scene."""
        if scene.kind == "blank":
            return ""
        text = self._subject(scene, rng)
        ends = scene.background
        if len(ends) == 2:
            text += rng.choice([f" on a {ends[0]} and {ends[1]} gradient background",
                                f" on a gradient background from {ends[0]} to {ends[1]}"])
        elif ends != ("white",) or rng.random() < .15:
            text += rng.choice([f" on {with_article(ends[0])} background"] * 3
                               + [f", {ends[0]} background", f" on {ends[0]}"])
        if self.meta[scene.emoji[0]]["style"] == "flat":
            style = rng.choice(["flat style", "flat design", "flat icon", "flat vector", "in flat style"])
            text = f"{style} {text}" if rng.random() < .15 else f"{text}, {style}"
        elif rng.random() < .12:
            text += ", " + rng.choice(["3d", "3d render", "3d style", "glossy 3d", "3d icon"])
        if rng.random() < .06:
            few = rng.randint(1, 3) if rng.random() < .85 else rng.randint(8, 25)
            text += "".join(", " + word for word in rng.sample(FILLERS, few))
        return text


def background_ends(scene):
    """The colours of the first and the last row in [-1, 1]."""
    ends = [np.array(COLORS[c], np.float32) / 127.5 - 1 for c in scene.background]
    return ends[0], ends[-1]


# How often each kind of scene is drawn in a stage. Later stages keep what earlier ones learned.
MIX = {
    "narrow": {"one": .38, "background": .54, "unknown": .05, "blank": .03},
    "scenes": {"one": .26, "background": .32, "color": .08, "pair": .18, "small": .04, "two": .04, "three": .03,
               "unknown": .04, "blank": .01},
}


def draw_batch(emoji, mix, count, rng):
    """COUNT (scene, caption) pairs."""
    batch = []
    for kind in rng.choices(list(mix), list(mix.values()), k=count):
        scene = emoji.draw_scene(kind, rng)
        batch.append((scene, emoji.unknown_caption(rng) if kind == "unknown" else emoji.caption(scene, rng)))
    return batch
