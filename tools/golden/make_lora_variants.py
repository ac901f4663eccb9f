"""LoRA files whose scale or method is said beside the factors, and what diffusers and PEFT make of them.

usage: make_lora_variants.py MODELS OUT

MODELS holds the folders of make_toys.py. OUT/loras/sd1-variants/ receives the files, its manifest.json and
OUT/pictures/ the cases. Adapters are PEFT's own with random numbers, saved by diffusers (rank-stabilised, alpha
and rank patterns, DoRA with convolutions) or by PEFT (adapter_config.json beside the file), loaded from those
files and fused. Files of LyCORIS' DoRA, of rows and of columns as it once wrote them, are written here and fused by
its formula: diffusers 0.39 drops their magnitudes. Several are fused one after another. Needs peft.
"""

import json
import pathlib
import shutil
import sys

import diffusers
import numpy as np
import peft
import torch
import transformers
from lora_files import factors
from make_loras import MOVED_MIN, open_toy, paint
from PIL import Image
from safetensors.torch import save_file

TOY = "sd1"
ATTENTION = ["to_q", "to_k", "to_v", "to_out.0"]
CONVOLVED = [*ATTENTION, "conv1", "proj_in"]
CONFIGS = {
    "rslora": dict(r=4, lora_alpha=6, use_rslora=True, target_modules=ATTENTION),
    "patterns": dict(r=4, lora_alpha=4, target_modules=ATTENTION, rank_pattern={"attn1.to_q": 2},
                     alpha_pattern={"attn1.to_q": 6, "^mid_block.attentions.0.transformer_blocks.0.attn2.to_v": 12}),
    "dora": dict(r=3, lora_alpha=6, use_dora=True, target_modules=CONVOLVED),
    "peft/adapter_model": dict(r=4, lora_alpha=5, use_rslora=True, alpha_pattern={"to_v": 9},
                               target_modules=ATTENTION),
}  # fmt: skip
CASES = [{"rslora": 1.0}, {"patterns": 0.8}, {"dora": 1.0}, {"dora": 0.6}, {"peft/adapter_model": 1.0},
         {"lycoris": 1.0}, {"lycoris": 0.7}, {"columns": 1.0}, {"dora": 0.8, "lycoris": 0.5, "rslora": 0.5}]  # fmt: skip


def randomise(network, seed):
    """Factors about 0.4 of the weight's own size, magnitudes up to a third beside the lengths there are."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if not isinstance(module, peft.tuners.lora.LoraLayer):
            continue
        for adapter in module.lora_A:
            down, up = factors(module.get_base_layer().weight, module.r[adapter], generator, 0.4)
            module.lora_A[adapter].weight.data = down
            module.lora_B[adapter].weight.data = up
            if adapter in module.lora_magnitude_vector:
                lengths = module.lora_magnitude_vector[adapter].weight
                lengths.data *= 0.7 + 0.6 * torch.rand(lengths.shape, generator=generator)


def save_adapter(models, name, config, folder, seed):
    pipe = open_toy(models, TOY)
    if "/" in name:
        network = peft.get_peft_model(pipe.unet, peft.LoraConfig(**config))
        randomise(network, seed)
        network.save_pretrained(folder / name.split("/")[0])
        (folder / name.split("/")[0] / "README.md").unlink()
        return
    pipe.unet.add_adapter(peft.LoraConfig(**config))
    randomise(pipe.unet, seed)
    metadata = pipe.unet.peft_config["default"].to_dict()
    diffusers.StableDiffusionPipeline.save_lora_weights(
        folder, unet_lora_layers=peft.get_peft_model_state_dict(pipe.unet),
        unet_lora_adapter_metadata=metadata, weight_name=f"{name}.safetensors",
    )  # fmt: skip


def length_of(weight, axes):
    return weight.square().sum(dim=axes, keepdim=True).sqrt()


def axes_of(weight, is_of_columns):
    return [i for i in range(weight.ndim) if i != (1 if is_of_columns else 0)]


def lycoris(models, is_of_columns, seed):
    """lora_unet_….dora_scale beside lora_down, lora_up and alpha."""
    generator = torch.Generator().manual_seed(seed)
    out = {}
    for name, module in open_toy(models, TOY).unet.named_modules():
        if not name.endswith(tuple(CONVOLVED)) or not hasattr(module, "weight"):
            continue
        weight = module.weight.detach().float()
        down, up = factors(weight, 3, generator, 0.4)
        lengths = length_of(weight, axes_of(weight, is_of_columns))
        stem = "lora_unet_" + name.replace(".", "_")
        out |= {f"{stem}.lora_down.weight": down, f"{stem}.lora_up.weight": up, f"{stem}.alpha": torch.tensor(2.0),
                f"{stem}.dora_scale": lengths * (0.7 + 0.6 * torch.rand(lengths.shape, generator=generator))}  # fmt: skip
    return out


def fuse_lycoris(unet, file, is_of_columns, strength):
    for name, module in unet.named_modules():
        stem = "lora_unet_" + name.replace(".", "_")
        if f"{stem}.dora_scale" not in file:
            continue
        down, up = file[f"{stem}.lora_down.weight"], file[f"{stem}.lora_up.weight"]
        scale = strength * file[f"{stem}.alpha"] / len(down)
        weight = module.weight.data + scale * (up.flatten(1) @ down.flatten(1)).reshape(module.weight.shape)
        module.weight.data = weight * (file[f"{stem}.dora_scale"] / length_of(weight, axes_of(weight, is_of_columns)))


def fused_pipe(models, folder, adapters, files):
    pipe = open_toy(models, TOY)
    pipe.set_progress_bar_config(disable=True)
    for name, strength in adapters.items():
        if name in files:
            fuse_lycoris(pipe.unet, files[name], name == "columns", strength)
        elif "/" in name:
            assert strength == 1
            pipe.unet = peft.PeftModel.from_pretrained(pipe.unet, folder / "peft").merge_and_unload()
        else:
            pipe.load_lora_weights(folder, weight_name=f"{name}.safetensors", adapter_name=name)
            pipe.set_adapters([name], [strength])
            pipe.fuse_lora(components=["unet"], adapter_names=[name])
            pipe.unload_lora_weights()
    return pipe


def main():
    torch.set_num_threads(1)
    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()
    models, out = map(pathlib.Path, sys.argv[1:3])
    folder = out / "loras" / f"{TOY}-variants"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for seed, (name, config) in enumerate(CONFIGS.items()):
        save_adapter(models, name, config, folder, seed)
    files = {"lycoris": lycoris(models, False, 11), "columns": lycoris(models, True, 12)}
    for name, tensors in files.items():
        save_file(tensors, folder / f"{name}.safetensors")
    kept = []
    for adapters in CASES:
        c, picture = paint(fused_pipe(models, folder, adapters, files), {})
        _, plain = paint(open_toy(models, TOY), {})
        moved = np.abs(picture.astype(int) - plain.astype(int)).mean()
        assert moved > MOVED_MIN, (adapters, moved)
        name = f"{TOY}-variant-" + "-".join(f"{k.split('/')[0]}{v}" for k, v in adapters.items())
        Image.fromarray(picture).save(out / "pictures" / f"{name}.png", optimize=True)
        kept.append(dict(name=name, toy=TOY, task="text_to_image", adapters=adapters, moved=round(float(moved), 2),
                         file=f"pictures/{name}.png") | c)  # fmt: skip
        print(name, moved)
    versions = dict(diffusers=diffusers.__version__, peft=peft.__version__, torch=torch.__version__)
    manifest = dict(made_by="tools/golden/make_lora_variants.py", versions=versions,
                    tolerance=dict(mean_abs_difference_8bit=0.5, psnr_db=45.0), cases=kept)  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main()
