#!/usr/bin/env python3
"""How often a model paints what was asked: python evaluate.py DATA_DIR MODEL_DIR [--stage wide] [--ask first]

200 fixed prompts: 80 names, 40 keywords, 40 coloured backgrounds, 40 pairs; backgrounds and pairs are held-out ones.
A picture counts as right when the emoji asked for is among the five nearest of all emoji of the set, all drawn as
asked (same place, same background). Feature space: histograms of gradient directions in 8x8 cells of the 64x64 grey
picture, and an 8x8 colour thumbnail; written here, knows nothing of the model. A background counts as right when the
median colour of the picture's border is nearest, among the named colours, to the one asked for.
"""

import argparse
import dataclasses
import json
import pathlib
import random
import time

import numpy as np
import torch
from PIL import Image

from prepare_data import read_list
from scenes import COLORS, EmojiSet, Scene, with_article
from sheet import contact_sheet, default_settings, load_pipeline, paint

COUNTS = {"name": 80, "keyword": 40, "background": 40, "pair": 40}
TOP = 5
COLOR_WEIGHT = 1.0


@dataclasses.dataclass(frozen=True)
class Question:
    kind: str
    prompt: str
    scene: Scene


def questions(emoji, names=None, seed=2026):
    """200 of them about the emoji of the set, or about those of the given names."""
    rng = random.Random(seed)
    rows = [i for i in emoji.rows if emoji.meta[i]["style"] == "3d" and (not names or emoji.meta[i]["name"] in names)]
    spoken = [i for i in rows if emoji.meta[i]["alt"] or emoji.meta[i]["rare"]]
    found = []
    some = rng.sample(rows, min(len(rows), COUNTS["name"]))
    for i in (some * COUNTS["name"])[:COUNTS["name"]]:
        found.append(Question("name", with_article(emoji.meta[i]["name"]), Scene("one", (i,))))
    for i in (rng.sample(spoken, min(len(spoken), COUNTS["keyword"])) * COUNTS["keyword"])[:COUNTS["keyword"]]:
        word = rng.choice(emoji.meta[i]["alt"] + emoji.meta[i]["rare"])
        found.append(Question("keyword", with_article(word), Scene("one", (i,))))
    while len(found) < sum(COUNTS.values()):
        kind = "background" if sum(q.kind == "background" for q in found) < COUNTS["background"] else "pair"
        i, j = rng.sample(rows, 2)
        a, b = (with_article(emoji.meta[k]["name"]) for k in (i, j))
        color = rng.choice([c for c in COLORS if c != "white"])
        question = (Question("background", f"{a} on {with_article(color)} background", Scene("one", (i,), (color,)))
                    if kind == "background" else Question("pair", f"{a} and {b}", Scene("pair", (i, j))))
        if emoji.is_held_out(question.scene):
            found.append(question)
    return found


def features(picture):
    """picture [h, w, 3] in [-1, 1] → unit vectors joined: gradient directions [8, 8, 8] and colours [8, 8, 3]."""
    small = np.asarray(Image.fromarray(((picture + 1) * 127.5).clip(0, 255).astype(np.uint8))
                       .resize((64, 64), Image.BOX), np.float32) / 127.5 - 1
    gray = small @ np.array([.299, .587, .114], np.float32)
    dy, dx = np.gradient(gray)
    strength, angle = np.hypot(dx, dy), np.arctan2(dy, dx) % (2 * np.pi) * 8 / (2 * np.pi)
    low = np.floor(angle)
    cells = np.zeros((8, 8, 8), np.float32)
    row, column = np.indices(gray.shape) // 8
    for k, share in ((low, 1 - (angle - low)), (low + 1, angle - low)):
        np.add.at(cells, (row, column, k.astype(int) % 8), strength * share)
    edges = np.sqrt(cells).ravel()
    colors = small.reshape(8, 8, 8, 8, 3).mean((1, 3)).ravel()
    return np.concatenate([edges / (np.linalg.norm(edges) + 1e-6),
                           COLOR_WEIGHT * colors / (np.linalg.norm(colors) + 1e-6)])


class Gallery:
    """All emoji of the set, drawn as the scene asks, as features."""

    def __init__(self, emoji):
        self.emoji, self.rows = emoji, [i for i in emoji.rows if emoji.meta[i]["style"] == "3d"]
        self._known = {}

    def rank(self, picture, scene, position):
        """How many emoji are nearer to the picture than the one asked for at this position."""
        half = slice(None) if scene.kind != "pair" else slice(0, 128) if position == 0 else slice(128, 256)
        key = scene.background, scene.kind, position
        if key not in self._known:
            shapes = []
            for i in self.rows:
                pair = (i, i) if scene.kind == "pair" else (i,)
                shapes.append(features(self.emoji.draw(Scene(scene.kind, pair, scene.background))[:, half]))
            self._known[key] = np.stack(shapes)
        distance = np.square(self._known[key] - features(picture[:, half])).sum(1)
        return int((distance < distance[self.rows.index(scene.emoji[position])]).sum())


def background_name(picture):
    border = np.concatenate([picture[:6].reshape(-1, 3), picture[-6:].reshape(-1, 3),
                             picture[:, :6].reshape(-1, 3), picture[:, -6:].reshape(-1, 3)])
    color = (np.median(border, 0) + 1) * 127.5
    return min(COLORS, key=lambda c: np.square(np.array(COLORS[c]) - color).sum())


def judge(emoji, asked, pictures):
    gallery, right = Gallery(emoji), {}
    for question, picture in zip(asked, pictures):
        ranks = [gallery.rank(picture, question.scene, k) for k in range(len(question.scene.emoji))]
        right.setdefault(question.kind, []).append(max(ranks) < TOP)
        color_right = background_name(picture) == question.scene.background[0]
        right.setdefault("color of the background", []).append(color_right)
    return {kind: round(float(np.mean(values)), 3) for kind, values in right.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("model", help="a diffusers folder, or 'truth' to check the judge with drawn pictures")
    parser.add_argument("--stage", default="narrow", choices=["first", "narrow", "wide"],
                        help="the emoji that may be mistaken for one another")
    parser.add_argument("--ask", choices=["first", "narrow"], help="ask only for the emoji of this list")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--guidance", type=float)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--sheet", help="write the first 64 pictures here")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    emoji = EmojiSet(options.data, options.stage)
    asked = questions(emoji, read_list(options.ask) if options.ask else None)
    start = time.time()
    if options.model == "truth":
        rng = np.random.default_rng(0)
        pictures = [emoji.draw(q.scene) + .1 * rng.standard_normal((256, 256, 3)) for q in asked]
        report = {"model": "truth with noise"}
    else:
        steps, guidance = default_settings(options.model)
        steps, guidance = options.steps or steps, options.guidance if options.guidance is not None else guidance
        images = paint(load_pipeline(options.model), [q.prompt for q in asked], steps, guidance)
        pictures = [np.asarray(im, np.float32) / 127.5 - 1 for im in images]
        report = {"model": pathlib.Path(options.model).name, "steps": steps, "guidance": guidance,
                  "seconds a picture": round((time.time() - start) / len(asked), 2)}
        if options.sheet:
            some = range(0, len(asked), max(1, len(asked) // 64))
            contact_sheet([images[n] for n in some], [asked[n].prompt for n in some]).save(options.sheet)
    print(json.dumps({**report, "stage": options.stage, "asked": options.ask or options.stage,
                      "prompts": len(asked), **judge(emoji, asked, pictures)}, indent=2))


if __name__ == "__main__":
    main()
