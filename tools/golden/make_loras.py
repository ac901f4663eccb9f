"""LoRA files of every key style and what diffusers paints with them, for the parity tests.

usage: make_loras.py MODELS OUT

MODELS holds the folders of make_toys.py. OUT/loras/TOY/ receives the files, OUT/loras/manifest.json
and OUT/pictures/ the cases: load_lora_weights, set_adapters, fuse_lora, then a picture in float32 on one
CPU thread. Factors (lora_files.py) are random and large enough to change the picture (asserted). Needs peft.
"""

import json
import pathlib
import sys

import diffusers
import numpy as np
import torch
import transformers
from PIL import Image
from lora_files import STYLES
from safetensors.torch import save_file

MOVED_MIN = 10  # 8-bit levels between the pictures with and without

SEVERAL = {"kohya": 0.7, "peft": -0.4, "old": 0.3}
LCM = dict(scheduler="lcm", steps=4)
UNET_CASES = [
    *(dict(adapters=a) for a in ({"kohya": 1.0}, {"kohya": 0.5}, {"peft": 0.8}, {"old": 1.0}, SEVERAL)),
    # As LCM-LoRAs are used: their scheduler, guidance off or low, alone or with a style beside it.
    dict(adapters={"lcm": 1.0}, guidance=1.0, **LCM),
    dict(adapters={"lcm": 1.0}, guidance=1.5, **LCM),
    dict(adapters={"lcm": 1.0, "peft": 0.5}, guidance=1.0, **LCM),
]
TRANSFORMER_CASES = [dict(adapters=a) for a in ({"kohya": 1.0}, {"peft": 0.8}, {"kohya": -0.5, "peft": 0.4})]


def open_toy(models, toy):
    index = json.loads((models / toy / "model_index.json").read_text())
    absent = {}
    if index["_class_name"] == "StableDiffusion3Pipeline" and not (models / toy / "text_encoder_3").exists():
        absent = dict(text_encoder_3=None, tokenizer_3=None)
    return diffusers.DiffusionPipeline.from_pretrained(models / toy, torch_dtype=torch.float32, **absent)


def load(models, toy, loras):
    """`loras`: name → (state dict, strength), fused in that order."""
    pipe = open_toy(models, toy)
    pipe.set_progress_bar_config(disable=True)
    for name, (tensors, _) in loras.items():
        pipe.load_lora_weights(dict(tensors), adapter_name=name)
    if loras:
        pipe.set_adapters(list(loras), [strength for _, strength in loras.values()])
        parts = [p for p in ("unet", "transformer", "text_encoder", "text_encoder_2") if hasattr(pipe, p)]
        parts = [p for p in parts if getattr(getattr(pipe, p), "peft_config", None)]
        pipe.fuse_lora(components=parts, adapter_names=list(loras))
        pipe.unload_lora_weights()
    return pipe


def paint(pipe, case):
    c = dict(width=64, height=64, prompt="a red cat on the moon", negative="blurry, ugly", steps=5, guidance=5.0,
             seed=11, n=1) | {k: v for k, v in case.items() if k != "adapters"}
    if c.get("scheduler") == "lcm":
        pipe.scheduler = diffusers.LCMScheduler.from_config(pipe.scheduler.config)
    negative = {} if isinstance(pipe, diffusers.FluxPipeline) else {"negative_prompt": c["negative"]}
    picture = pipe(c["prompt"], num_inference_steps=c["steps"], width=64, height=64, guidance_scale=c["guidance"],
                   generator=torch.Generator().manual_seed(c["seed"]), **negative).images[0]
    return c, np.asarray(picture.convert("RGB"))


def main():
    torch.set_num_threads(1)
    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    models, out = map(pathlib.Path, sys.argv[1:3])
    kept = []
    for toy, styles in STYLES.items():
        folder = out / "loras" / toy
        folder.mkdir(parents=True, exist_ok=True)
        pipe = open_toy(models, toy)
        loaded = {}
        for style, make in styles.items():
            tensors, loaded[style] = make(pipe, toy)
            save_file({k: v.contiguous() for k, v in tensors.items()}, folder / f"{style}.safetensors")
        for case in UNET_CASES if hasattr(pipe, "unet") else TRANSFORMER_CASES:
            adapters = case["adapters"]
            c, picture = paint(load(models, toy, {k: (loaded[k], v) for k, v in adapters.items()}), case)
            _, plain = paint(load(models, toy, {}), case)
            moved = np.abs(picture.astype(int) - plain.astype(int)).mean()
            assert moved > MOVED_MIN, (toy, adapters, moved)
            name = f"{toy}-lora-" + "-".join(f"{k}{v}" for k, v in adapters.items())
            name += f"-guidance{c['guidance']}" if "scheduler" in c else ""
            Image.fromarray(picture).save(out / "pictures" / f"{name}.png", optimize=True)
            kept.append(dict(name=name, toy=toy, task="text_to_image", adapters=adapters,
                             moved=round(float(moved), 2), file=f"pictures/{name}.png") | c)
            print(name, moved)
    versions = dict(diffusers=diffusers.__version__, transformers=transformers.__version__, torch=torch.__version__)
    manifest = dict(made_by="tools/golden/make_loras.py", versions=versions,
                    tolerance=dict(mean_abs_difference_8bit=0.5, psnr_db=45.0), cases=kept)
    (out / "loras" / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main()
