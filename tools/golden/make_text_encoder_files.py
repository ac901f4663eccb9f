"""Text encoders in files of their own, as ComfyUI's users have them, and what diffusers paints with them.

usage: make_text_encoder_files.py MODELS OUT

MODELS holds the folders of make_toys.py. OUT/files/text_encoders/ receives clip_l.safetensors and two files of T5 in
8 bits: floats with one scale for each layer under ComfyUI's older names, integers with one for each row under the
newer. manifest.json there and OUT/pictures/ hold the cases: the toy's pipeline whose T5 has the numbers that the
file stands for.
"""

import json
import pathlib
import sys

import diffusers
import torch
from make_loras import open_toy, paint
from PIL import Image
from safetensors.torch import save_file

TOY = "flux-dev"


def is_layer(name, tensor):
    return tensor.ndim == 2 and name.endswith(".weight") and (".SelfAttention." in name or ".DenseReluDense." in name)\
        and "bias" not in name  # fmt: skip


def scaled_fp8(state):
    """`….scale_weight` beside each layer, `scaled_fp8` once."""
    out, numbers = {"scaled_fp8": torch.zeros(0, dtype=torch.float8_e4m3fn)}, {}
    for name, tensor in state.items():
        if not is_layer(name, tensor):
            out[name] = numbers[name] = tensor
            continue
        scale = tensor.abs().max() / 448
        out[name] = (tensor / scale).clamp(-448, 448).to(torch.float8_e4m3fn)
        stem = name.removesuffix(".weight")
        out |= {f"{stem}.scale_weight": scale, f"{stem}.scale_input": torch.tensor(1.0)}
        numbers[name] = out[name].float() * scale
    return out, numbers


def int8(state):
    """`….weight_scale` and `….comfy_quant` beside each layer."""
    out, numbers = {}, {}
    for name, tensor in state.items():
        if not is_layer(name, tensor):
            out[name] = numbers[name] = tensor
            continue
        scale = tensor.abs().amax(dim=1, keepdim=True) / 127
        out[name] = (tensor / scale).round().to(torch.int8)
        mark = json.dumps({"format": "int8_tensorwise", "per_row": True}).encode()
        stem = name.removesuffix(".weight")
        out |= {f"{stem}.weight_scale": scale, f"{stem}.comfy_quant": torch.tensor(list(mark), dtype=torch.uint8)}
        numbers[name] = out[name].float() * scale
    return out, numbers


def main():
    torch.set_num_threads(1)
    diffusers.utils.logging.set_verbosity_error()
    models, out = map(pathlib.Path, sys.argv[1:3])
    folder = out / "files" / "text_encoders"
    folder.mkdir(parents=True, exist_ok=True)
    pipe = open_toy(models, TOY)
    clip = {k if k.startswith("text_model.") else f"text_model.{k}": v for k, v in pipe.text_encoder.state_dict().items()}
    clip |= {"logit_scale": torch.tensor(4.6), "text_projection.weight": torch.eye(pipe.text_encoder.config.hidden_size)}
    save_file({k: v.contiguous() for k, v in clip.items()}, folder / "clip_l.safetensors")
    state = {k: v.detach().float().clone() for k, v in pipe.text_encoder_2.state_dict().items()
             if k != "encoder.embed_tokens.weight"}  # fmt: skip
    kept = []
    for name, make in {"t5xxl_fp8_scaled": scaled_fp8, "t5xxl_int8": int8}.items():
        tensors, numbers = make(state)
        save_file({k: v.contiguous() for k, v in tensors.items()}, folder / f"{name}.safetensors")
        pipe = open_toy(models, TOY)
        pipe.set_progress_bar_config(disable=True)
        missing = pipe.text_encoder_2.load_state_dict(numbers, strict=False)
        assert not missing.unexpected_keys, missing
        c, picture = paint(pipe, {})
        Image.fromarray(picture).save(out / "pictures" / f"{TOY}-{name}.png", optimize=True)
        kept.append(dict(name=f"{TOY}-{name}", toy=name, task="text_to_image", file=f"pictures/{TOY}-{name}.png") | c)
        print(name)
    versions = dict(diffusers=diffusers.__version__, torch=torch.__version__)
    manifest = dict(made_by="tools/golden/make_text_encoder_files.py", versions=versions,
                    tolerance=dict(mean_abs_difference_8bit=0.5, psnr_db=45.0), cases=kept)  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main()
