#!/usr/bin/env python3
"""Write the diffusers folder in fp16, with the settings it should be used with: python export.py RUN_DIR MODEL_DIR
"""

import json
import pathlib
import shutil
import sys

import torch
from diffusers import StableDiffusionPipeline
from transformers import CLIPTokenizer

from common import load
from latents import LinearEncoder
from networks import join_linear_encoder, make_autoencoder, make_denoiser, make_scheduler, make_text_encoder

GUIDANCE_WIDTH = 32
SETTINGS = {"num_inference_steps": 2, "guidance_scale": 1.0, "paints_one_size": True}


def averaged(checkpoint):
    return checkpoint["average"]["kept"]


def text_encoder(run, tokenizer):
    text = make_text_encoder(len(tokenizer))
    text.load_state_dict(torch.load(run / "text_encoder.pt"))
    borrowed = json.loads((run / "borrowed.json").read_text())
    with torch.no_grad():
        rows = text.get_input_embeddings().weight
        for word, lender in borrowed.items():
            rows[int(word)] = rows[lender]
    return text


def autoencoder(run):
    vae = make_autoencoder()
    join_linear_encoder(vae, LinearEncoder.load(run))
    torch.nn.ModuleList([vae.post_quant_conv, vae.decoder]).load_state_dict(averaged(load(run / "decoder.pt")))
    encoder = load(run / "encoder.pt")
    if encoder:
        torch.nn.ModuleList([vae.encoder, vae.quant_conv]).load_state_dict(averaged(encoder))
    return vae


def without_guidance(weights):
    """The denoiser takes the guidance scale as an input, as LCM's does, and makes nothing of it: whatever a client asks
    for, pipelines then run it once a step, without the unconditional half."""
    unet = make_denoiser(time_cond_proj_dim=GUIDANCE_WIDTH)
    weights = {**weights, "time_embedding.cond_proj.weight": torch.zeros_like(unet.time_embedding.cond_proj.weight)}
    unet.load_state_dict(weights)
    return unet


def build(run):
    tokenizer = CLIPTokenizer.from_pretrained(run / "tokenizer")
    unet = without_guidance(averaged(load(run / "denoiser.pt")))
    return StableDiffusionPipeline(
        vae=autoencoder(run), text_encoder=text_encoder(run, tokenizer), tokenizer=tokenizer, unet=unet,
        scheduler=make_scheduler(), safety_checker=None, feature_extractor=None, requires_safety_checker=False)


def main(run, target):
    build(run).to(dtype=torch.float16).save_pretrained(target, safe_serialization=True)
    # transformers 5 writes only tokenizer.json; vocab.json and merges.txt are what older readers know.
    shutil.rmtree(target / "tokenizer")
    shutil.copytree(run / "tokenizer", target / "tokenizer")
    (target / "limner.json").write_text(json.dumps(SETTINGS, indent=2) + "\n")
    sizes = {f.relative_to(target): f.stat().st_size for f in sorted(target.rglob("*")) if f.is_file()}
    for file, size in sizes.items():
        print(f"{size / 2**20:6.2f} MiB  {file}")
    print(f"{sum(sizes.values()) / 2**20:6.2f} MiB in all")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
