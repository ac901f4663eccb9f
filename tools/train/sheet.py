#!/usr/bin/env python3
"""A contact sheet of fixed prompts, nothing selected: python sheet.py MODEL_DIR OUT.png [STEPS] [GUIDANCE]"""

import json
import pathlib
import sys

import torch
from diffusers import StableDiffusionPipeline
from PIL import Image, ImageDraw

PROMPTS = [
    "a red apple", "a cat face", "a dog face", "a pizza", "a rocket", "a grinning face", "a sunflower", "a house",
    "a panda on a blue background", "a banana on a purple background", "a frog on a pink background",
    "a strawberry on a dark blue background", "a penguin on a light blue background", "a rose on a black background",
    "a ghost on an orange background", "an octopus on a teal background",
    "a hamburger", "a robot on a yellow background", "a castle on a light green background", "a guitar",
    "a crown on a red background", "a light bulb on a dark blue background", "a snowman on a blue and white gradient background",
    "an evergreen tree on a beige background",
    "a purple apple", "a blue banana", "a cat and a pizza", "a rabbit face and a carrot on a green background",
    "two carrots", "three butterflies", "a puppy", "an astronaut riding a horse",
]
TILE_PX = 160


def default_settings(folder):
    """Steps and guidance that the folder asks for (limner.json), or the usual ones."""
    file = pathlib.Path(folder) / "limner.json"
    settings = json.loads(file.read_text()) if file.exists() else {}
    return settings.get("num_inference_steps", 25), settings.get("guidance_scale", 4.)


@torch.no_grad()
def paint(pipe, prompts, steps, guidance, first_seed=100):
    images = []
    for at in range(0, len(prompts), 8):
        part = prompts[at:at + 8]
        seeds = [torch.Generator().manual_seed(first_seed + at + k) for k in range(len(part))]
        images += pipe(part, num_inference_steps=steps, guidance_scale=guidance, generator=seeds, height=256,
                       width=256).images
    return images


def contact_sheet(images, captions, columns=8):
    rows = -(-len(images) // columns)
    page = Image.new("RGB", (columns * (TILE_PX + 4), rows * (TILE_PX + 20)), "white")
    draw = ImageDraw.Draw(page)
    for n, (image, caption) in enumerate(zip(images, captions)):
        x, y = n % columns * (TILE_PX + 4) + 2, n // columns * (TILE_PX + 20) + 2
        page.paste(image.resize((TILE_PX, TILE_PX), Image.LANCZOS), (x, y))
        draw.text((x + 2, y + TILE_PX + 3), caption[:28], fill="black")
    return page


def load_pipeline(folder, dtype=torch.float32):
    pipe = StableDiffusionPipeline.from_pretrained(folder, torch_dtype=dtype)
    pipe.set_progress_bar_config(disable=True)
    return pipe


if __name__ == "__main__":
    steps, guidance = default_settings(sys.argv[1])
    steps = int(sys.argv[3]) if len(sys.argv) > 3 else steps
    guidance = float(sys.argv[4]) if len(sys.argv) > 4 else guidance
    torch.set_num_threads(1)
    contact_sheet(paint(load_pipeline(sys.argv[1]), PROMPTS, steps, guidance), PROMPTS).save(sys.argv[2])
