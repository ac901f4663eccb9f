"""A Stable Diffusion 1.5 folder of the real sizes with random weights, for benchmarks only.

usage: make_sd15_random.py OUT [--ir]

Writes OUT/hf/sd15 (fp16 safetensors, 2.1 GB). With --ir also OUT/ov/sd15-fp16, the same weights as
optimum-intel exports them for OpenVINO GenAI: minutes, and 12 GB of memory.
Needs diffusers, transformers and torch; --ir needs optimum-intel 2.2 as well. The tokenizer is the
embedded model's, which has CLIP's whole vocabulary.
"""

import argparse
import os
import pathlib
import subprocess
import sys

import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

TOKENIZER = pathlib.Path(__file__).resolve().parents[1] / "tests" / "golden" / "tokenizers" / "clip_full"


def parts():
    unet = UNet2DConditionModel(
        sample_size=64,
        layers_per_block=2,
        block_out_channels=(320, 640, 1280, 1280),
        down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
        cross_attention_dim=768,
        attention_head_dim=8,
    )
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=49408,
            hidden_size=768,
            intermediate_size=3072,
            num_hidden_layers=12,
            num_attention_heads=12,
            projection_dim=768,
            hidden_act="quick_gelu",
            bos_token_id=49406,
            eos_token_id=49407,
            pad_token_id=49407,
        )
    )
    vae = AutoencoderKL(
        block_out_channels=(128, 256, 512, 512),
        layers_per_block=2,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        sample_size=512,
    )
    return unet.eval(), text.eval(), vae.eval()


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("out", type=pathlib.Path)
    args.add_argument("--ir", action="store_true", help="also export to OpenVINO IR")
    args = args.parse_args()
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)  # faster to fill, half the memory; saved as fp16
    unet, text, vae = parts()
    torch.set_default_dtype(torch.float32)
    pipe = StableDiffusionPipeline(
        unet=unet,
        text_encoder=text,
        vae=vae,
        tokenizer=CLIPTokenizer.from_pretrained(TOKENIZER),
        scheduler=EulerDiscreteScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            steps_offset=1,
            timestep_spacing="leading",
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    folder = args.out / "hf" / "sd15"
    pipe.to(dtype=torch.float16).save_pretrained(folder, safe_serialization=True)
    if args.ir:
        command = [pathlib.Path(sys.executable).with_name("optimum-cli"), "export", "openvino"]
        command += ["--model", folder, "--task", "text-to-image", "--weight-format", "fp16"]
        environment = os.environ | {"HF_HUB_OFFLINE": "1"}
        target = args.out / "ov" / "sd15-fp16"
        subprocess.run([*map(str, command), str(target)], check=True, env=environment)


if __name__ == "__main__":
    main()
