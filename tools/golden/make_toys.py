"""Toy pipelines with random weights: small diffusers folders for the parity tests.

usage: make_toys.py OUT [NAME ...]

Each folder holds every part a real one has, at widths of 8 to 32, so that a picture takes
milliseconds and the folder a few hundred kilobytes. Random weights hardly listen to their prompt,
so the text paths are amplified, the network's output is scaled to unit noise and the decoder's to
unsaturated pixels; `check` then refuses a toy whose picture does not notice a wrong prompt,
negative prompt, clip skip, guidance or seed.

Needs diffusers 0.39.0 and transformers 5.5.4 (the versions are in each manifest). Byte-pair
vocabularies are cut from the embedded model's tokenizer.
"""

import json
import pathlib
import shutil
import sys
import tempfile

import diffusers
import numpy as np
import torch
import transformers
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    PNDMScheduler,
    StableDiffusionInpaintPipeline,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLIP_SOURCE = ROOT / "models" / "emoji-256" / "tokenizer"
BOS, EOS = "<|startoftext|>", "<|endoftext|>"
SD_BETAS = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")


# --- tokenizers -----------------------------------------------------------------------------------


def write_clip_pair(folder, words, pad, length, pad_in_map=None):
    """vocab.json + merges.txt, as folders of before transformers 5 carry them."""
    folder.mkdir(parents=True, exist_ok=True)
    source = json.loads((CLIP_SOURCE / "vocab.json").read_text())
    symbols = sorted(source, key=source.get)[:512]
    merges = (CLIP_SOURCE / "merges.txt").read_text().split("\n")[1 : words - 514 + 1]
    tokens = symbols + ["".join(m.split()) for m in merges] + [BOS, EOS]
    vocab = {t: i for i, t in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    special = dict(bos_token=BOS, eos_token=EOS, unk_token=EOS, pad_token=pad)
    config = dict(tokenizer_class="CLIPTokenizer", model_max_length=length, **special)
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
    special["pad_token"] = pad_in_map or pad
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2) + "\n")


class Tokenizer:
    """A cut CLIP vocabulary; `style` is how its folder is written."""

    def __init__(self, words=1000, pad=EOS, length=77, style="pair", pad_in_map=None):
        self.style = style
        self.folder = pathlib.Path(tempfile.mkdtemp())
        write_clip_pair(self.folder, words, pad, length, pad_in_map)
        self.tok = CLIPTokenizer.from_pretrained(self.folder)
        self.words = words

    def write(self, folder):
        if self.style == "pair":
            shutil.rmtree(folder)
            shutil.copytree(self.folder, folder)


# --- parts ----------------------------------------------------------------------------------------


def clip_text(words, width, layers, heads, cls=CLIPTextModel, eos=None, **kw):
    kw = dict(intermediate_size=width * 4, projection_dim=width, hidden_act="quick_gelu") | kw
    ids = dict(bos_token_id=words - 2, eos_token_id=eos or words - 1, pad_token_id=1)
    model = cls(
        CLIPTextConfig(
            vocab_size=words,
            hidden_size=width,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            **ids,
            **kw,
        )
    )
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "token_embedding" in name:
                p.mul_(40)  # transformers starts at 0.02: layer norms would drown the words
            elif "position_embedding" in name:
                p.mul_(15)
            elif "self_attn" in name or "mlp" in name:
                if p.dim() == 2:
                    p.copy_(torch.randn_like(p) * 1.5 / p.shape[1] ** 0.5)
                else:
                    p.copy_(torch.randn_like(p) * 0.1)
            elif "norm" in name:
                p.add_(torch.randn_like(p) * 0.1)
    return model.eval()


def unet(**kw):
    kw = dict(in_channels=4, out_channels=4, sample_size=16) | kw
    return randomise(UNet2DConditionModel(**kw))


def vae(widths, layers=1, latent=4, groups=4, **kw):
    n = len(widths)
    return randomise(
        AutoencoderKL(
            block_out_channels=widths,
            layers_per_block=layers,
            latent_channels=latent,
            norm_num_groups=groups,
            down_block_types=("DownEncoderBlock2D",) * n,
            up_block_types=("UpDecoderBlock2D",) * n,
            sample_size=64,
            **kw,
        )
    )


def randomise(model):
    """Every norm and bias away from 1 and 0, so that leaving one out shows; text paths louder."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() == 1:
                p.add_(torch.randn_like(p) * 0.1)
            if "attn2.to_v" in name or "attn2.to_out.0" in name:
                p.mul_(3.5)
            elif ".to_" in name and p.dim() == 2:
                p.mul_(2)
    return model.eval()


def calibrate(pipe, gain=1.0):
    """eps of unit size for unit latents, and pixels of standard deviation 0.4 around grey."""
    g = torch.Generator().manual_seed(7)
    with torch.no_grad():
        latent = pipe.vae.config.latent_channels
        probe = {}
        hook = pipe.unet.register_forward_hook(lambda m, a, out: probe.update(out=out[0]))
        images = []
        for step in range(2):
            pipe.scheduler.set_timesteps(4)
            out = paint(pipe, "a red cat on the moon", 1, guidance=7.5, steps=4, latents=True)
            if step == 0:
                rescale_output(pipe.unet.conv_out, probe["out"], gain)
            else:
                images.append(out)
        hook.remove()
        z = torch.cat([images[0], torch.randn(2, latent, *images[0].shape[2:], generator=g)])
        z = z / pipe.vae.config.scaling_factor
        pipe.vae.decoder.conv_in.weight.mul_(2 / entry(pipe.vae, z).std())
        rescale_output(pipe.vae.decoder.conv_out, pipe.vae.decode(z).sample, 0.4)
        side = 16 * pipe.vae_scale_factor
        x = torch.nn.functional.interpolate(torch.randn(2, 3, 8, 8, generator=g), (side, side))
        moments = pipe.vae.encode(x.clamp(-1, 1)).latent_dist.parameters
        scale_encoder(pipe.vae, moments, latent)


def entry(vae, z):
    return vae.decoder.conv_in(z if vae.post_quant_conv is None else vae.post_quant_conv(z))


def rescale_output(conv, out, target):
    mean = out.mean(dim=(0, 2, 3))
    conv.weight.mul_(target / out.std())
    conv.bias.copy_((conv.bias - mean) * target / out.std())


def scale_encoder(vae, moments, latent):
    """Means of unit size after the scaling factor, log variances near -4."""
    last = vae.quant_conv if vae.quant_conv is not None else vae.encoder.conv_out
    mean, spread = moments.mean(dim=(0, 2, 3)), moments.std(dim=(0, 2, 3))
    target = torch.cat([torch.full((latent,), 1 / vae.config.scaling_factor), torch.ones(latent)])
    centre = torch.cat([torch.zeros(latent), torch.full((latent,), -4.0)])
    last.weight.mul_((target / spread)[:, None, None, None])
    last.bias.copy_((last.bias - mean) * target / spread + centre)


# --- Stable Diffusion toys ------------------------------------------------------------------------


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
    """No mid block, no cross attention at the top, Fourier times, resnets that resample."""
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
        time_embedding_type="fourier",
        resnet_skip_time_act=True,
        resnet_out_scale_factor=1.2,
        encoder_hid_dim=16,
        encoder_hid_dim_type="text_proj",
    )
    with torch.no_grad():
        u.time_proj.weight.mul_(0.002)  # times go to 1000: keep the angles small
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


TOYS = dict(
    sd1=sd1,
    sd2_v=sd2_v,
    sd_json=sd_json,
    sd_odd=sd_odd,
    sd_deep=sd_deep,
    sd_plain=sd_plain,
    sd_inpaint=sd_inpaint,
)


# --- painting and checking ------------------------------------------------------------------------


def paint(pipe, prompt, seed, guidance=7.5, negative=None, steps=6, latents=False, **kw):
    """Pictures [H, W, 3] in 0..1, or the final latents."""
    side = 8 * 2 ** (len(pipe.unet.config.block_out_channels) - 1) // 4 * pipe.vae_scale_factor
    side = max(side, 64)
    if isinstance(pipe, StableDiffusionInpaintPipeline):
        from PIL import Image

        grey = Image.new("RGB", (side, side), (90, 140, 200))
        mask = Image.new("L", (side, side), 0)
        mask.paste(255, (side // 4, side // 4, side, side))
        kw |= dict(image=grey, mask_image=mask)
    out = pipe(
        prompt,
        width=side,
        height=side,
        guidance_scale=guidance,
        negative_prompt=negative,
        num_inference_steps=steps,
        generator=torch.Generator().manual_seed(seed),
        output_type="latent" if latents else "np",
        **kw,
    ).images
    return out if latents else out[0]


def check(folder, pipe):
    """Refuses a toy that would let a wrong implementation pass."""
    base = paint(pipe, "a red cat", 1)
    others = dict(
        prompt=paint(pipe, "two dogs in the snow", 1),
        negative=paint(pipe, "a red cat", 1, negative="blue house"),
        clip_skip=paint(pipe, "a red cat", 1, clip_skip=1),
        guidance=paint(pipe, "a red cat", 1, guidance=4.0),
        no_guidance=paint(pipe, "a red cat", 1, guidance=1.0),
        seed=paint(pipe, "a red cat", 2),
    )
    scaling = pipe.vae.config.scaling_factor
    pipe.vae.register_to_config(scaling_factor=scaling * 1.2)
    others["scaling"] = paint(pipe, "a red cat", 1)
    difference = {k: float(np.abs(base - v).mean() * 255) for k, v in others.items()}
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


def make(name, out):
    torch.manual_seed(sum(map(ord, name)))
    pipe, tokenizers, save = TOYS[name]()
    pipe.set_progress_bar_config(disable=True)
    calibrate(pipe)
    folder = out / name.replace("_", "-")
    shutil.rmtree(folder, ignore_errors=True)
    dtype, finish = save.pop("dtype"), save.pop("finish", None)
    pipe.to(dtype=dtype).save_pretrained(folder, safe_serialization=True, **save)
    tokenizers.write(folder / "tokenizer")
    scrub(folder)
    if finish:
        finish(folder)
    loaded = type(pipe).from_pretrained(folder, torch_dtype=torch.float32, safety_checker=None)
    loaded.set_progress_bar_config(disable=True)
    check(folder, loaded)


def main():
    torch.set_num_threads(1)
    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    out = pathlib.Path(sys.argv[1])
    for name in sys.argv[2:] or TOYS:
        make(name.replace("-", "_"), out)


if __name__ == "__main__":
    main()
