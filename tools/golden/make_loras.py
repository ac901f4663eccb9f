"""LoRA files of every key style and what diffusers paints with them, for the parity tests.

usage: make_loras.py MODELS OUT

MODELS holds the folders of make_toys.py. OUT/loras/TOY/ receives the files, OUT/loras/manifest.json
and OUT/pictures/ the cases: load_lora_weights, set_adapters, fuse_lora, then a picture in float32 on one
CPU thread. Factors are random and large enough to change the picture by 20 8-bit levels (asserted). Needs peft.
"""

import json
import pathlib
import sys

import diffusers
import numpy as np
import torch
import transformers
from PIL import Image
from safetensors.torch import save_file

RANK = 3
TOYS = {"sd1": ("text_encoder",), "sdxl": ("text_encoder", "text_encoder_2")}
TEXT = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")
UNET = ("to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2")
WITH_CONVS = UNET + ("proj_in", "proj_out", "conv1", "conv2", "time_emb_proj", "downsamplers.0.conv")


def modules_of(network, endings):
    for name, module in network.named_modules():
        if name.endswith(endings) and hasattr(module, "weight"):
            yield name, module


def factors(module, rank, generator, size):
    """down and up whose product is about `size` of the weight's own magnitude."""
    weight = module.weight
    down_shape = (rank, *weight.shape[1:])
    up_shape = (weight.shape[0], rank, *(1,) * (weight.ndim - 2))
    down = torch.randn(down_shape, generator=generator)
    up = torch.randn(up_shape, generator=generator)
    scale = size * float(weight.detach().float().std()) / rank**0.5
    return down, up * scale


def pairs(pipe, toy, endings, seed, rank, size):
    generator = torch.Generator().manual_seed(seed)
    for part, names in [("unet", endings), *((text, TEXT) for text in TOYS[toy])]:
        for name, module in modules_of(getattr(pipe, part), names):
            yield part, name, *factors(module, rank, generator, size)


def kohya(pipe, toy):
    """lora_unet_…, lora_te_… with alpha, convolutions too."""
    prefixes = {"unet": "lora_unet_", "text_encoder": "lora_te1_" if toy == "sdxl" else "lora_te_",
                "text_encoder_2": "lora_te2_"}
    out = {}
    for part, name, down, up in pairs(pipe, toy, WITH_CONVS, 1, RANK, 0.5):
        name = name if part == "unet" or name.startswith("text_model.") else "text_model." + name
        stem = prefixes[part] + name.replace(".", "_")
        out |= {f"{stem}.lora_down.weight": down, f"{stem}.lora_up.weight": up,
                f"{stem}.alpha": torch.tensor(RANK * 0.75)}
    return out, None


def peft(pipe, toy):
    """unet.….lora_A.weight, as save_lora_weights writes today; alpha equals the rank."""
    out = {}
    for part, name, down, up in pairs(pipe, toy, UNET, 2, RANK + 1, 0.6):
        name = name if part == "unet" or name.startswith("text_model.") else "text_model." + name
        out |= {f"{part}.{name}.lora_A.weight": down, f"{part}.{name}.lora_B.weight": up}
    return out, None


def old_diffusers(pipe, toy):
    """….lora.down.weight, for the UNet alone, half precision."""
    out = {}
    for part, name, down, up in pairs(pipe, toy, UNET[:4], 3, 2, 0.8):
        if part == "unet":
            out |= {f"unet.{name}.lora.down.weight": down.half(), f"unet.{name}.lora.up.weight": up.half()}
    return out, None


STYLES = {"kohya": kohya, "peft": peft, "old": old_diffusers}
CASES = [{"kohya": 1.0}, {"kohya": 0.5}, {"peft": 0.8}, {"old": 1.0}, {"kohya": 0.7, "peft": -0.4, "old": 0.3}]


def paint(models, out, toy, adapters):
    pipe = diffusers.DiffusionPipeline.from_pretrained(models / toy, torch_dtype=torch.float32)
    pipe.set_progress_bar_config(disable=True)
    for name in adapters:
        pipe.load_lora_weights(str(out / "loras" / toy), weight_name=f"{name}.safetensors", adapter_name=name)
    if adapters:
        pipe.set_adapters(list(adapters), list(adapters.values()))
        parts = [p for p in ("unet", "text_encoder", "text_encoder_2") if hasattr(pipe, p)]
        parts = [p for p in parts if getattr(getattr(pipe, p), "peft_config", None)]
        pipe.fuse_lora(components=parts, adapter_names=list(adapters))
        pipe.unload_lora_weights()
    c = dict(width=64, height=64, prompt="a red cat on the moon", negative="blurry, ugly", steps=5, guidance=5.0,
             seed=11, n=1)
    picture = pipe(c["prompt"], negative_prompt=c["negative"], num_inference_steps=c["steps"], width=64, height=64,
                   guidance_scale=c["guidance"], generator=torch.Generator().manual_seed(c["seed"])).images[0]
    return c, np.asarray(picture.convert("RGB"))


def main():
    torch.set_num_threads(1)
    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    models, out = map(pathlib.Path, sys.argv[1:3])
    kept = []
    for toy in TOYS:
        folder = out / "loras" / toy
        folder.mkdir(parents=True, exist_ok=True)
        pipe = diffusers.DiffusionPipeline.from_pretrained(models / toy, torch_dtype=torch.float32)
        for style, make in STYLES.items():
            tensors, metadata = make(pipe, toy)
            save_file({k: v.contiguous() for k, v in tensors.items()}, folder / f"{style}.safetensors", metadata)
        _, plain = paint(models, out, toy, {})
        for adapters in CASES:
            c, picture = paint(models, out, toy, adapters)
            moved = np.abs(picture.astype(int) - plain.astype(int)).mean()
            assert moved > 20, (toy, adapters, moved)
            name = f"{toy}-lora-" + "-".join(f"{k}{v}" for k, v in adapters.items())
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
