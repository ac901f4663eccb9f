"""Toys of the Stable Diffusion family: a UNet under a CLIP text encoder."""

import json

import torch
from diffusers import (
    AutoencoderTiny,
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    PNDMScheduler,
    StableDiffusionInpaintPipeline,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from safetensors.torch import load_file, save_file
from toy_parts import Tokenizer, clip_text, randomise, vae

SD_BETAS = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")


def unet(**kw):
    kw = dict(in_channels=4, out_channels=4, sample_size=16) | kw
    return randomise(UNet2DConditionModel(**kw))


def sd(tokenizer, text, unet, vae, scheduler, cls=StableDiffusionPipeline):
    return cls(
        vae=vae,
        text_encoder=text,
        tokenizer=tokenizer.tok,
        unet=unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def sd1():
    """SD 1.x in small: three levels, heads as a number, conv projections, PNDM."""
    t = Tokenizer(1000)
    u = unet(
        block_out_channels=(8, 8, 16),
        layers_per_block=2,
        norm_num_groups=4,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=24,
        attention_head_dim=2,
    )
    s = PNDMScheduler(skip_prk_steps=True, steps_offset=1, set_alpha_to_one=False, **SD_BETAS)
    text = clip_text(t.words, 24, 3, 4, eos=2)  # released SD 1.x folders carry eos_token_id 2
    v = vae((4, 8, 8, 8), layers=2)
    return sd(t, text, u, v, s), t, dict(dtype=torch.float16, finish=age)


def sd2_v():
    """SD 2.x in small: gelu, linear projections, heads as a list, v-prediction, zero SNR, pad "!"."""
    t = Tokenizer(1000, pad_in_map="!")
    u = unet(
        block_out_channels=(8, 8, 16),
        layers_per_block=2,
        norm_num_groups=4,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=16,
        attention_head_dim=[1, 2, 4],
        use_linear_projection=True,
        upcast_attention=True,
    )
    s = DDIMScheduler(
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        **SD_BETAS,
    )
    text = clip_text(t.words, 16, 4, 2, hidden_act="gelu", projection_dim=12)
    v = vae((8, 12), layers=1, scaling_factor=0.5)
    return sd(t, text, u, v, s), t, dict(dtype=torch.bfloat16)


def sd_json():
    """tokenizer.json only, sharded float32 weights, one level of attention, sample prediction."""
    t = Tokenizer(800, style="json")
    u = unet(
        block_out_channels=(8, 12),
        layers_per_block=1,
        norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=16,
        attention_head_dim=2,
        flip_sin_to_cos=False,
        freq_shift=1,
    )
    s = DDIMScheduler(
        beta_schedule="squaredcos_cap_v2", prediction_type="sample", clip_sample=True, steps_offset=0
    )
    text = clip_text(t.words, 16, 1, 2, hidden_act="gelu_new", intermediate_size=40)
    v = vae((4, 8, 8), layers=1, scaling_factor=0.3, use_quant_conv=False, use_post_quant_conv=False)
    return sd(t, text, u, v, s), t, dict(dtype=torch.float32, max_shard_size="100KB")


def sd_odd():
    """Every option that Stable Diffusion's own UNet blocks know, away from its usual value."""
    t = Tokenizer(600, length=32, style="json")
    u = unet(
        block_out_channels=(8, 12, 12),
        layers_per_block=(1, 2, 1),
        transformer_layers_per_block=(1, 2, 1),
        norm_num_groups=4,
        norm_eps=1e-6,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "AttnDownBlock2D"),
        mid_block_type="UNetMidBlock2D",
        up_block_types=("AttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=20,
        attention_head_dim=(2, 3, 4),
        only_cross_attention=(True, False, False),
        resnet_time_scale_shift="scale_shift",
        downsample_padding=0,
        center_input_sample=True,
        conv_in_kernel=5,
        conv_out_kernel=1,
        time_embedding_dim=24,
        time_embedding_act_fn="silu",
        timestep_post_act="silu",
        act_fn="gelu",
    )
    s = EulerDiscreteScheduler(
        beta_start=0.0005, beta_end=0.015, beta_schedule="linear", timestep_spacing="linspace"
    )
    text = clip_text(
        t.words, 20, 2, 5, hidden_act="gelu", max_position_embeddings=32, layer_norm_eps=1e-3
    )
    v = vae((4, 10, 6), layers=2, groups=2, scaling_factor=0.8, shift_factor=0.3)
    return sd(t, text, u, v, s), t, dict(dtype=torch.float16)


def sd_deep():
    """Five levels in both networks (16 pixels to a latent), no attention in the autoencoder."""
    t = Tokenizer(600)
    u = unet(
        block_out_channels=(4, 4, 8, 8, 8),
        layers_per_block=1,
        norm_num_groups=4,
        down_block_types=("DownBlock2D",) + ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3 + ("UpBlock2D",),
        cross_attention_dim=12,
        attention_head_dim=2,
        mid_block_scale_factor=1.4,
    )
    s = DPMSolverMultistepScheduler(use_karras_sigmas=True, timestep_spacing="leading", **SD_BETAS)
    v = vae((4, 4, 4, 8, 8), scaling_factor=1.0, mid_block_add_attention=False)
    return sd(t, clip_text(t.words, 12, 2, 3), u, v, s), t, dict(dtype=torch.float16)


def sd_plain():
    """No mid block, no cross attention at the top, resnets that resample, projected text."""
    t = Tokenizer(600, style="json")
    u = unet(
        block_out_channels=(8, 12),
        layers_per_block=1,
        norm_num_groups=4,
        down_block_types=("ResnetDownsampleBlock2D", "CrossAttnDownBlock2D"),
        mid_block_type=None,
        up_block_types=("CrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
        cross_attention_dim=12,
        attention_head_dim=2,
        resnet_skip_time_act=True,
        resnet_out_scale_factor=1.2,
        encoder_hid_dim=16,
        encoder_hid_dim_type="text_proj",
    )
    s = DDIMScheduler(clip_sample=False, **SD_BETAS)
    v = vae((8, 8), use_quant_conv=False, scaling_factor=0.6)
    return sd(t, clip_text(t.words, 16, 2, 2), u, v, s), t, dict(dtype=torch.float16)


def sd_inpaint():
    """Nine input channels: latents, mask and masked image."""
    t = Tokenizer(600)
    u = unet(
        in_channels=9,
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=12,
        attention_head_dim=2,
    )
    s = PNDMScheduler(skip_prk_steps=True, steps_offset=1, set_alpha_to_one=False, **SD_BETAS)
    text = clip_text(t.words, 12, 2, 2, eos=2)
    v = vae((8, 8, 8), scaling_factor=0.4)
    return sd(t, text, u, v, s, StableDiffusionInpaintPipeline), t, dict(dtype=torch.float16)


# What the files of 2022 listed; everything else was to be each class's default.
LISTED_IN_2022 = dict(
    unet="""act_fn attention_head_dim block_out_channels center_input_sample cross_attention_dim
        down_block_types downsample_padding flip_sin_to_cos freq_shift in_channels layers_per_block
        mid_block_scale_factor norm_eps norm_num_groups out_channels sample_size up_block_types""",
    vae="""act_fn block_out_channels down_block_types in_channels latent_channels layers_per_block
        norm_num_groups out_channels sample_size up_block_types""",
    scheduler="""beta_end beta_schedule beta_start num_train_timesteps set_alpha_to_one
        skip_prk_steps steps_offset trained_betas""",
)
ATTENTION_IN_2022 = {
    ".to_q.": ".query.",
    ".to_k.": ".key.",
    ".to_v.": ".value.",
    ".to_out.0.": ".proj_attn.",
}


def age(folder):
    """The folder as Stable Diffusion 1.x is still downloaded: short configs, older tensor names."""
    for part, keys in LISTED_IN_2022.items():
        path = next((folder / part).glob("*config.json"))
        value = json.loads(path.read_text())
        keys = [*keys.split(), "_class_name", "_diffusers_version"]
        value = {k: v for k, v in value.items() if k in keys}
        if part == "scheduler":
            value["clip_sample"] = False
        path.write_text(json.dumps(value, indent=2) + "\n")
    path = folder / "vae" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    for new, old in ATTENTION_IN_2022.items():
        tensors = {k.replace(new, old): v for k, v in tensors.items()}
    save_file(tensors, path, {"format": "pt"})
    path = folder / "text_encoder" / "model.safetensors"
    tensors = load_file(path)
    tensors["text_model.embeddings.position_ids"] = torch.arange(77)[None]
    save_file(tensors, path, {"format": "pt"})


def taesd():
    """SD 1.x with the small autoencoder, whose latents are no draw."""
    pipe, t, save = sd1()
    widths = dict(encoder_block_out_channels=(6, 6, 6), decoder_block_out_channels=(8, 8, 8))
    blocks = dict(num_encoder_blocks=(1, 2, 1), num_decoder_blocks=(2, 1, 1))
    pipe.vae = randomise(AutoencoderTiny(scaling_factor=0.4, **widths, **blocks))
    return sd(t, pipe.text_encoder, pipe.unet, pipe.vae, pipe.scheduler), t, dict(
        dtype=torch.float16, absent=("scaling",)
    )


TOYS = dict(
    taesd=taesd,
    sd1=sd1,
    sd2_v=sd2_v,
    sd_json=sd_json,
    sd_odd=sd_odd,
    sd_deep=sd_deep,
    sd_plain=sd_plain,
    sd_inpaint=sd_inpaint,
)
