"""Toy pipelines as single-file checkpoints, for the parity tests.

usage: make_single_files.py MODELS OUT [TOY ...]

MODELS holds the folders of make_toys.py. Each toy becomes OUT/TOY.safetensors under the names of the
original code (LDM, SGM, OpenCLIP, MMDiT, FLUX). diffusers' from_single_file must make the folder's tensors of it
again, so that a picture painted from the file is held to what diffusers painted from the folder.
"""

import pathlib
import sys

import diffusers
import torch
import transformers
from make_checkpoints import (
    clip_to_hf,
    clip_to_open_clip,
    flux_to_original,
    sd3_to_original,
    unet_to_ldm,
    vae_to_ldm,
)
from safetensors.torch import load_file, save_file



def t5_as_it_is(tensors, prefix):
    return {prefix + k: v for k, v in tensors.items() if k != "encoder.embed_tokens.weight"}


# How the text encoders of each toy were called before diffusers renamed them.
TEXT = {
    "sd3": dict(
        text_encoder=(clip_to_hf, "text_encoders.clip_l.transformer."),
        text_encoder_2=(clip_to_hf, "text_encoders.clip_g.transformer."),
        text_encoder_3=(t5_as_it_is, "text_encoders.t5xxl.transformer."),
    ),
    "flux-dev": dict(
        text_encoder=(clip_to_hf, "text_encoders.clip_l.transformer."),
        text_encoder_2=(t5_as_it_is, "text_encoders.t5xxl.transformer."),
    ),
    "sd1": dict(text_encoder=(clip_to_hf, "cond_stage_model.transformer.")),
    "sd-inpaint": dict(text_encoder=(clip_to_hf, "cond_stage_model.transformer.")),
    "sd2-v": dict(text_encoder=(clip_to_open_clip, "cond_stage_model.model.")),
    "sdxl": dict(
        text_encoder=(clip_to_hf, "conditioner.embedders.0.transformer."),
        text_encoder_2=(clip_to_open_clip, "conditioner.embedders.1.model."),
    ),
}


def tensors_of(module):
    return {k: v for k, v in module.state_dict().items() if not k.endswith("position_ids")}


def prefixed(tensors):
    """transformers 5 leaves `text_model.` out of the names."""
    bare = ("text_model.", "text_projection")
    return {k if k.startswith(bare) else "text_model." + k: v for k, v in tensors.items()}


def convert(pipe, toy):
    if toy == "sd3":
        out = sd3_to_original(tensors_of(pipe.transformer), pipe.transformer.config)
    elif toy == "flux-dev":
        out = {f"model.diffusion_model.{k}": v for k, v in flux_to_original(tensors_of(pipe.transformer)).items()}
    else:
        out = unet_to_ldm(tensors_of(pipe.unet), pipe.unet.config)
    out |= vae_to_ldm(tensors_of(pipe.vae), pipe.vae.config, "first_stage_model.")
    for name, (rename, prefix) in TEXT[toy].items():
        tensors = tensors_of(getattr(pipe, name))
        out |= rename(tensors if rename is t5_as_it_is else prefixed(tensors), prefix)
    return {k: v.contiguous() for k, v in out.items()}


def dtype_of(folder):
    part = "unet" if (folder / "unet").exists() else "transformer"
    file = next((folder / part).glob("*.safetensors"))
    return next(iter(load_file(file).values())).dtype


def check(file, folder, pipe):
    """diffusers reads the networks back as they were."""
    for cls, name in ((diffusers.UNet2DConditionModel, "unet"), (diffusers.AutoencoderKL, "vae")):
        if not hasattr(pipe, name):  # its reader of FLUX has the real width in its code
            continue
        read = cls.from_single_file(str(file), config=str(folder), subfolder=name)
        want = getattr(pipe, name).state_dict()
        for key, tensor in read.state_dict().items():
            assert torch.equal(tensor.float(), want[key].float()), (name, key)


def main():
    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    models, out = map(pathlib.Path, sys.argv[1:3])
    out.mkdir(parents=True, exist_ok=True)
    for toy in sys.argv[3:] or TEXT:
        pipe = diffusers.DiffusionPipeline.from_pretrained(models / toy, torch_dtype=dtype_of(models / toy))
        file = out / f"{toy}.safetensors"
        save_file(convert(pipe, toy), file)
        check(file, models / toy, pipe)
        print(file, file.stat().st_size)


if __name__ == "__main__":
    main()
