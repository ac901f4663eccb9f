#!/usr/bin/env python3
"""Held-out composites, their true alpha and PyTorch's answer for tests/golden/matting.

  python make_matting.py DATA_DIR RUN_DIR PHOTO_FOLDER    (as for tools/train/train_matting.py)
"""

import pathlib
import sys

import numpy as np
import torch
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "train"))
from matting_scenes import BACKGROUNDS, MattingScenes  # noqa: E402
from train_matting import shipped  # noqa: E402

OF_EACH = 3


def to_bytes(values):
    return (values.clip(0, 1) * 255).round().astype(np.uint8)


@torch.no_grad()
def main(data, run, photos):
    network = shipped(run)
    target = ROOT / "tests" / "golden" / "matting"
    scenes = MattingScenes(data, [photos], held_out=True)
    number = 0
    for seed, kind in enumerate(BACKGROUNDS):
        rng = np.random.default_rng(5000 + seed)
        for _ in range(OF_EACH):
            picture, alpha = scenes.draw(rng, kind)
            picture = to_bytes((picture.transpose(1, 2, 0) + 1) / 2)
            seen = torch.from_numpy(picture.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]
            answer = network(seen).sigmoid()[0, 0].numpy()
            for what, values in (("picture", picture), ("alpha", to_bytes(alpha[0])), ("pytorch", to_bytes(answer))):
                Image.fromarray(values).save(target / f"{number:02}-{what}.png", optimize=True)
            number += 1


if __name__ == "__main__":
    main(*sys.argv[1:2], pathlib.Path(sys.argv[2]), sys.argv[3])
