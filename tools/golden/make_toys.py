"""Toy pipelines with random weights: small diffusers folders for the parity tests.

usage: make_toys.py OUT [NAME ...]

Each folder holds every part a real one has, at widths of 4 to 32, so that a picture takes
milliseconds and the folder a few hundred kilobytes. Random weights hardly listen to their prompt,
so the text paths are amplified, the network's output is scaled to unit noise and the decoder's to
unsaturated pixels; `check` then refuses a toy whose picture does not notice a wrong prompt,
negative prompt, clip skip, guidance, seed or scaling factor.

Needs diffusers 0.39.0 and transformers 5.5.4 (the versions are in each manifest). Byte-pair
vocabularies are cut from the embedded model's tokenizer.
"""

import inspect
import json
import pathlib
import shutil
import sys

import diffusers
import numpy as np
import toy_sdxl_lcm
import toy_stable_diffusion
import toy_transformers
import toy_z_image
import torch
import transformers
from PIL import Image
from toy_parts import calibrate

TOYS = toy_stable_diffusion.TOYS | toy_sdxl_lcm.TOYS | toy_transformers.TOYS
TOYS |= toy_z_image.TOYS


def side_of(pipe):
    if not hasattr(pipe, "unet"):
        return 64
    levels = len(pipe.unet.config.block_out_channels)
    return max(2**levels * pipe.vae_scale_factor, 64)


def paint(pipe, prompt, seed, guidance=7.5, negative=None, steps=6, latents=False, **kw):
    """Pictures [H, W, 3] in 0..1, or the final latents; leaves out what the pipeline lacks."""
    side, known = side_of(pipe), inspect.signature(pipe.__call__).parameters
    kw |= dict(negative_prompt=negative) if "negative_prompt" in known else {}
    if "mask_image" in known:
        mask = Image.new("L", (side, side), 0)
        mask.paste(255, (side // 4, side // 4, side, side))
        kw |= dict(image=Image.new("RGB", (side, side), (90, 140, 200)), mask_image=mask)
        if "strength" in known:
            kw["strength"] = 1.0
    out = pipe(
        prompt,
        width=side,
        height=side,
        guidance_scale=guidance,
        num_inference_steps=steps,
        generator=torch.Generator().manual_seed(seed),
        output_type="latent" if latents else "np",
        **kw,
    ).images
    return out if latents else out[0]


def disturbed(pipe, options):
    """What each wrong setting would paint, by name."""

    def show(prompt="a red cat", seed=1, **kw):
        return paint(pipe, prompt, seed, **(options | kw))

    known = inspect.signature(pipe.__call__).parameters
    yield "prompt", show("two dogs in the snow")
    yield "seed", show(seed=2)
    guidance = options.get("guidance", 7.5)
    if guidance > 1:
        yield "guidance", show(guidance=4.0)
        yield "no_guidance", show(guidance=1.0)
        if "negative_prompt" in known:
            yield "negative", show(negative="blue house")
    for name in ("prompt_2", "prompt_3"):
        encoder = getattr(pipe, "text_encoder" + name[-2:], None)
        if name in known and encoder is not None:
            yield name, show(**{name: "two dogs in the snow"})
    if "clip_skip" in known:
        yield "clip_skip", show(clip_skip=1)
    pipe.vae.register_to_config(scaling_factor=pipe.vae.config.scaling_factor * 1.2)
    yield "scaling", show()


def check(folder, pipe, options, absent):
    """Refuses a toy that would let a wrong implementation pass."""
    base = paint(pipe, "a red cat", 1, **options)
    difference = {k: np.abs(base - v).mean() * 255 for k, v in disturbed(pipe, options)}
    difference = {k: v for k, v in difference.items() if k not in absent}
    saturated = float(((base <= 0.002) | (base >= 0.998)).mean())
    size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
    print(
        f"{folder.name:12} {size // 1024:4} KB  std {base.std() * 255:5.1f}  "
        f"saturated {saturated:.3f}  "
        + "  ".join(f"{k} {v:.1f}" for k, v in difference.items()),
        flush=True,
    )
    assert difference["prompt"] > 8, "two prompts paint the same picture"
    assert min(difference.values()) > 1.5, difference
    assert base.std() > 0.08 and saturated < 0.25, "grey or saturated"


def scrub(folder):
    """Folders must not name the machine that made them."""
    for path in folder.rglob("*.json"):
        value = json.loads(path.read_text())
        if isinstance(value, dict) and ("_name_or_path" in value or "is_local" in value):
            value.pop("_name_or_path", None)
            value.pop("is_local", None)
            path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def absent_parts(folder):
    """diffusers wants to be told of an encoder that a folder does without."""
    index = json.loads((folder / "model_index.json").read_text())
    return {k: None for k, v in index.items() if v == [None, None]}


def make(name, out):
    torch.manual_seed(sum(map(ord, name)))
    pipe, tokenizers, save = TOYS[name]()
    pipe.set_progress_bar_config(disable=True)
    options, absent = save.pop("options", {}), save.pop("absent", ())
    calibrate(pipe, lambda: paint(pipe, "a red cat on the moon", 1, steps=4, latents=True))
    folder = out / name.replace("_", "-")
    shutil.rmtree(folder, ignore_errors=True)
    dtype, finish = save.pop("dtype"), save.pop("finish", None)
    pipe.to(dtype=dtype).save_pretrained(folder, safe_serialization=True, **save)
    tokenizers = tokenizers if isinstance(tokenizers, tuple) else (tokenizers,)
    for i, tokenizer in enumerate(tokenizers):
        tokenizer.write(folder / ("tokenizer" + (f"_{i + 1}" if i else "")))
    scrub(folder)
    if finish:
        finish(folder)
    loaded = type(pipe).from_pretrained(folder, torch_dtype=torch.float32, **absent_parts(folder))
    loaded.set_progress_bar_config(disable=True)
    check(folder, loaded, options, absent)


def main():
    torch.set_num_threads(1)
    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()
    out = pathlib.Path(sys.argv[1])
    for name in sys.argv[2:] or TOYS:
        make(name.replace("-", "_"), out)


if __name__ == "__main__":
    main()
