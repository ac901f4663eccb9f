"""Toys of Stable Diffusion XL and of latent consistency models."""

import torch
from diffusers import (
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    LatentConsistencyModelPipeline,
    LCMScheduler,
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLPipeline,
)
from toy_parts import Tokenizer, clip_text, vae
from toy_stable_diffusion import SD_BETAS, sd, unet
from transformers import CLIPTextModelWithProjection


def xl(tokens, texts, unet, vae, scheduler, cls=StableDiffusionXLPipeline, zeros=True):
    return cls(
        vae=vae,
        text_encoder=texts[0],
        tokenizer=tokens[0].tok,
        text_encoder_2=texts[1],
        tokenizer_2=tokens[1].tok,
        unet=unet,
        scheduler=scheduler,
        force_zeros_for_empty_prompt=zeros,
    )


def xl_texts(tokens, width, projection, eos=None):
    words = tokens[0].words
    return [
        clip_text(words, width, 3, 2, eos=eos),
        clip_text(
            words, width, 4, 4, CLIPTextModelWithProjection, eos=eos, projection_dim=projection,
            hidden_act="gelu",
        ),
    ]


def xl_unet(text, pooled, **kw):
    kw = (
        dict(
            block_out_channels=(8, 16),
            layers_per_block=1,
            norm_num_groups=4,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            cross_attention_dim=text,
            attention_head_dim=(1, 2),
            transformer_layers_per_block=(1, 2),
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=6,
            projection_class_embeddings_input_dim=6 * 6 + pooled,
        )
        | kw
    )
    return unet(**kw)


def sdxl():
    """SDXL base in small: the released folders' eos_token_id 2, pads of two kinds, Euler."""
    tokens = Tokenizer(600), Tokenizer(600, pad="!", pad_in_map="!")
    texts = xl_texts(tokens, 12, 10, eos=2)
    s = EulerDiscreteScheduler(steps_offset=1, timestep_spacing="leading", **SD_BETAS)
    v = vae((4, 8, 8), layers=1, scaling_factor=0.13025)
    return xl(tokens, texts, xl_unet(24, 10), v, s), tokens, dict(dtype=torch.float16)


def sdxl_odd():
    """Three levels, latents with mean and deviation, empty prompts encoded as they are."""
    tokens = Tokenizer(600, style="json"), Tokenizer(600, pad="!", style="json")
    u = xl_unet(
        16,
        8,
        block_out_channels=(4, 8, 8),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(1, 2, 4),
        transformer_layers_per_block=(0, 1, 3),
    )
    s = DPMSolverMultistepScheduler(use_karras_sigmas=True, **SD_BETAS)
    v = vae(
        (4, 8),
        scaling_factor=0.5,
        latents_mean=[0.4, -0.3, 0.1, -0.2],
        latents_std=[0.8, 1.2, 1.0, 0.7],
        use_quant_conv=False,
    )
    return xl(tokens, xl_texts(tokens, 8, 8), u, v, s, zeros=False), tokens, dict(dtype=torch.bfloat16)


def sdxl_turbo():
    """Few steps: trailing Euler, an image without guidance."""
    tokens = Tokenizer(600), Tokenizer(600, pad="!")
    s = EulerDiscreteScheduler(timestep_spacing="trailing", **SD_BETAS)
    v = vae((4, 8), scaling_factor=0.13025)
    pipe = xl(tokens, xl_texts(tokens, 8, 12), xl_unet(16, 12, block_out_channels=(4, 8)), v, s)
    return pipe, tokens, dict(dtype=torch.float16, options=dict(guidance=1.0, steps=2))


def sdxl_inpaint():
    """Nine input channels."""
    tokens = Tokenizer(600), Tokenizer(600, pad="!")
    u = xl_unet(16, 8, in_channels=9, block_out_channels=(4, 8))
    s = EulerDiscreteScheduler(steps_offset=1, timestep_spacing="leading", **SD_BETAS)
    v = vae((4, 8), scaling_factor=0.13025)
    pipe = xl(tokens, xl_texts(tokens, 8, 8), u, v, s, StableDiffusionXLInpaintPipeline)
    return pipe, tokens, dict(dtype=torch.float16)


def lcm():
    """A guidance embedding in place of guided steps, and the LCM schedule."""
    t = Tokenizer(600)
    u = unet(
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=12,
        attention_head_dim=2,
        time_cond_proj_dim=16,
    )
    with torch.no_grad():
        u.time_embedding.cond_proj.weight.mul_(6)
    v = vae((8, 8), scaling_factor=0.5)
    pipe = sd(t, clip_text(t.words, 12, 2, 2), u, v, LCMScheduler(), LatentConsistencyModelPipeline)
    return pipe, t, dict(dtype=torch.float16, options=dict(steps=4), absent=("negative", "no_guidance"))


TOYS = dict(sdxl=sdxl, sdxl_odd=sdxl_odd, sdxl_turbo=sdxl_turbo, sdxl_inpaint=sdxl_inpaint, lcm=lcm)
