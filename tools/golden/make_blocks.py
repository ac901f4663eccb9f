"""One block of each network with random weights, its inputs and what diffusers answers.

usage: make_blocks.py OUT

Writes OUT/NAME.safetensors, float32: `in.*` inputs, `w.*` weights under the names that the block
has in a checkpoint, `out.*` outputs; and OUT/blocks.json with each block's class, options and
tolerance. A picture that differs says that something is wrong; these say where.
"""

import json
import pathlib
import sys

import diffusers
import torch
import transformers
from diffusers.models.attention import JointTransformerBlock
from diffusers.models.attention_processor import Attention
from diffusers.models.downsampling import Downsample2D
from diffusers.models.embeddings import PatchEmbed, TimestepEmbedding, Timesteps
from diffusers.models.normalization import AdaLayerNormContinuous
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.transformers.transformer_2d import Transformer2DModel
from diffusers.models.transformers.transformer_flux import (
    FluxPosEmbed,
    FluxSingleTransformerBlock,
    FluxTransformerBlock,
)
from diffusers.models.transformers.transformer_z_image import RopeEmbedder, ZImageTransformerBlock
from diffusers.models.upsampling import Upsample2D
from safetensors.torch import save_file
from transformers import CLIPTextConfig, Qwen3Config, T5Config
from transformers.models.clip.modeling_clip import CLIPEncoderLayer
from transformers.models.qwen3.modeling_qwen3 import Qwen3DecoderLayer, Qwen3RotaryEmbedding
from transformers.models.t5.modeling_t5 import T5Attention, T5Block

TOLERANCE = 1e-4
# sin(999 f): one rounding of the frequency f, exp of a float32, is worth 1e-4 of the angle.
ANGLES = dict(kind="timesteps", channels=10, tolerance=5e-4)
BLOCKS = {}


def block(**options):
    """Registers a maker of (module, inputs, outputs) under its function's name."""

    def register(make):
        BLOCKS[make.__name__] = (make, options)
        return make

    return register


def scatter(module):
    """Weights of a trained network's size: every norm and bias counts."""
    with torch.no_grad():
        for p in module.parameters():
            if p.dim() == 1:
                p.add_(torch.randn_like(p) * 0.2)
            else:
                p.copy_(torch.randn_like(p) * (1.5 / p[0].numel() ** 0.5))
    return module.eval()


def t(*shape):
    return torch.randn(*shape)


# --- UNet and autoencoder -------------------------------------------------------------------------


def resnet(inputs, **kw):
    kw = dict(in_channels=8, out_channels=8, temb_channels=12, groups=4, eps=1e-5) | kw
    m = scatter(ResnetBlock2D(**kw))
    return m, inputs, dict(sample=m(inputs["sample"], inputs.get("temb")))


@block(kind="resnet", groups=4, eps=1e-5)
def resnet_block():
    return resnet(dict(sample=t(2, 8, 5, 6), temb=t(2, 12)))


@block(kind="resnet", groups=4, eps=1e-5)
def resnet_block_shortcut():
    return resnet(dict(sample=t(2, 8, 4, 4), temb=t(2, 12)), out_channels=12)


@block(kind="resnet", groups=2, eps=1e-6, time_embedding_norm="scale_shift")
def resnet_block_scale_shift():
    return resnet(
        dict(sample=t(2, 8, 4, 4), temb=t(2, 12)),
        groups=2,
        eps=1e-6,
        time_embedding_norm="scale_shift",
    )


@block(kind="resnet", groups=4, eps=1e-6)
def resnet_block_autoencoder():
    return resnet(dict(sample=t(1, 8, 5, 4)), temb_channels=None, eps=1e-6)


@block(kind="downsample", padding=1)
def downsample():
    m, x = scatter(Downsample2D(8, use_conv=True, padding=1, name="op")), t(2, 8, 7, 6)
    return m, dict(sample=x), dict(sample=m(x))


@block(kind="downsample", padding=0)
def downsample_autoencoder():
    m, x = scatter(Downsample2D(8, use_conv=True, padding=0, name="op")), t(1, 8, 6, 8)
    return m, dict(sample=x), dict(sample=m(x))


@block(kind="upsample")
def upsample():
    m, x = scatter(Upsample2D(8, use_conv=True)), t(2, 8, 3, 4)
    return m, dict(sample=x), dict(sample=m(x))


@block(kind="upsample", size=[7, 9])
def upsample_to_odd_size():
    m, x = scatter(Upsample2D(8, use_conv=True)), t(1, 8, 4, 5)
    return m, dict(sample=x), dict(sample=m(x, (7, 9)))


@block(kind="autoencoder_attention", groups=4, eps=1e-6, heads=1)
def autoencoder_attention():
    m = Attention(
        8, heads=1, dim_head=8, norm_num_groups=4, eps=1e-6, residual_connection=True, bias=True
    )
    m, x = scatter(m), t(2, 8, 4, 5)
    return m, dict(sample=x), dict(sample=m(x))


def transformer_2d(linear, layers=1, **kw):
    m = Transformer2DModel(
        num_attention_heads=2,
        attention_head_dim=4,
        in_channels=8,
        num_layers=layers,
        cross_attention_dim=6,
        norm_num_groups=4,
        use_linear_projection=linear,
        **kw,
    )
    m, x, text = scatter(m), t(2, 8, 3, 4), t(2, 5, 6)
    out = m(x, encoder_hidden_states=text).sample
    return m, dict(sample=x, encoder_hidden_states=text), dict(sample=out)


@block(kind="transformer_2d", groups=4, heads=2, layers=1, use_linear_projection=False)
def transformer_2d_conv():
    return transformer_2d(False)


@block(kind="transformer_2d", groups=4, heads=2, layers=2, use_linear_projection=True)
def transformer_2d_linear():
    return transformer_2d(True, 2)


@block(kind="transformer_2d", groups=4, heads=2, layers=1, only_cross_attention=True)
def transformer_2d_only_cross():
    return transformer_2d(False, only_cross_attention=True)


def timesteps_of(flip, shift, cond=None):
    times = torch.tensor([0.0, 1.0, 17.25, 500.0, 999.0])
    m = scatter(TimestepEmbedding(10, 16, cond_proj_dim=cond))
    raw = Timesteps(10, flip, shift)(times)
    inputs = dict(timesteps=times)
    if cond:
        inputs["cond"] = t(5, cond)
    return m, inputs, dict(frequencies=raw, embedding=m(raw, inputs.get("cond")))


@block(**ANGLES, flip_sin_to_cos=True, freq_shift=0)
def timesteps():
    return timesteps_of(True, 0)


@block(**ANGLES, flip_sin_to_cos=False, freq_shift=1)
def timesteps_shifted():
    return timesteps_of(False, 1)


@block(**ANGLES, flip_sin_to_cos=True, freq_shift=0)
def timesteps_with_guidance_embedding():
    return timesteps_of(True, 0, cond=6)


# --- text encoders --------------------------------------------------------------------------------


def clip_layer(act):
    config = CLIPTextConfig(
        hidden_size=8, intermediate_size=20, num_attention_heads=2, hidden_act=act
    )
    config._attn_implementation = "eager"
    m, x = scatter(CLIPEncoderLayer(config)), t(2, 6, 8)
    mask = torch.full((6, 6), torch.finfo(torch.float32).min).triu(1)[None, None]
    out = m(x, attention_mask=mask)
    return m, dict(hidden_states=x), dict(hidden_states=out[0] if isinstance(out, tuple) else out)


@block(kind="clip_encoder_layer", heads=2, hidden_act="quick_gelu", layer_norm_eps=1e-5)
def clip_encoder_layer():
    return clip_layer("quick_gelu")


@block(kind="clip_encoder_layer", heads=2, hidden_act="gelu", layer_norm_eps=1e-5)
def clip_encoder_layer_gelu():
    return clip_layer("gelu")


def t5_layer(feed_forward):
    config = T5Config(
        d_model=8,
        d_kv=6,
        d_ff=12,
        num_heads=2,
        feed_forward_proj=feed_forward,
        relative_attention_num_buckets=8,
        relative_attention_max_distance=16,
    )
    config._attn_implementation = "eager"
    m, x = scatter(T5Block(config, has_relative_attention_bias=True)), t(1, 24, 8)
    return m, dict(hidden_states=x), dict(hidden_states=m(x, attention_mask=None)[0])


T5 = dict(
    kind="t5_block", heads=2, layer_norm_eps=1e-6, relative_attention_num_buckets=8,
    relative_attention_max_distance=16,
)


@block(feed_forward_proj="gated-gelu", **T5)
def t5_block():
    return t5_layer("gated-gelu")


@block(feed_forward_proj="relu", **T5)
def t5_block_relu():
    return t5_layer("relu")


# --- transformers of SD3 and FLUX -----------------------------------------------------------------


def joint(**kw):
    m = scatter(JointTransformerBlock(8, num_attention_heads=2, attention_head_dim=4, **kw))
    inputs = dict(hidden_states=t(2, 6, 8), encoder_hidden_states=t(2, 5, 8), temb=t(2, 8))
    text, x = m(**inputs)
    outputs = dict(hidden_states=x)
    if text is not None:
        outputs["encoder_hidden_states"] = text
    return m, inputs, outputs


@block(kind="sd3_joint_block", heads=2)
def sd3_joint_block():
    return joint()


@block(kind="sd3_joint_block", heads=2, qk_norm="rms_norm")
def sd3_joint_block_qk_norm():
    return joint(qk_norm="rms_norm")


@block(kind="sd3_joint_block", heads=2, qk_norm="rms_norm", use_dual_attention=True)
def sd3_joint_block_dual_attention():
    return joint(qk_norm="rms_norm", use_dual_attention=True)


@block(kind="sd3_joint_block", heads=2, context_pre_only=True)
def sd3_joint_block_last():
    return joint(context_pre_only=True)


@block(kind="sd3_patch_embed", patch_size=2, pos_embed_max_size=12)
def sd3_patch_embed():
    m = scatter(
        PatchEmbed(height=16, width=16, patch_size=2, in_channels=4, embed_dim=8, pos_embed_max_size=12)
    )
    x = t(1, 4, 10, 6)
    return m, dict(sample=x), dict(hidden_states=m(x))


@block(kind="ada_layer_norm_continuous", eps=1e-6)
def ada_layer_norm_continuous():
    m = scatter(AdaLayerNormContinuous(8, 6, elementwise_affine=False, eps=1e-6))
    x, temb = t(2, 5, 8), t(2, 6)
    return m, dict(hidden_states=x, temb=temb), dict(hidden_states=m(x, temb))


def rope(height, width, text):
    ids = torch.zeros(text + height * width, 3)
    grid = torch.stack(torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij"), -1)
    ids[text:, 1:] = grid.reshape(-1, 2)
    return FluxPosEmbed(theta=10000, axes_dim=[2, 2, 4])(ids)


FLUX = dict(heads=2, head_dim=8, axes_dims_rope=[2, 2, 4], grid=[3, 4], text_tokens=5)


@block(kind="flux_double_block", **FLUX)
def flux_double_block():
    m = scatter(FluxTransformerBlock(16, num_attention_heads=2, attention_head_dim=8))
    inputs = dict(hidden_states=t(1, 12, 16), encoder_hidden_states=t(1, 5, 16), temb=t(1, 16))
    turn = rope(3, 4, 5)
    text, x = m(**inputs, image_rotary_emb=turn)
    inputs |= dict(rope_cos=turn[0], rope_sin=turn[1])
    return m, inputs, dict(hidden_states=x, encoder_hidden_states=text)


@block(kind="flux_single_block", **FLUX)
def flux_single_block():
    m = scatter(FluxSingleTransformerBlock(16, num_attention_heads=2, attention_head_dim=8))
    inputs = dict(hidden_states=t(1, 12, 16), encoder_hidden_states=t(1, 5, 16), temb=t(1, 16))
    turn = rope(3, 4, 5)
    text, x = m(**inputs, image_rotary_emb=turn)
    inputs |= dict(rope_cos=turn[0], rope_sin=turn[1])
    return m, inputs, dict(hidden_states=x, encoder_hidden_states=text)


# --- positions ------------------------------------------------------------------------------------


def buckets_of(count, distance):
    ahead = torch.arange(-600, 600)
    found = T5Attention._relative_position_bucket(ahead, True, count, distance)
    return torch.nn.Identity(), dict(ahead=ahead), dict(bucket=found)


@block(kind="t5_buckets", buckets=32, max_distance=128)
def t5_buckets():
    return buckets_of(32, 128)


@block(kind="t5_buckets", buckets=12, max_distance=40)
def t5_buckets_few():
    return buckets_of(12, 40)


@block(kind="t5_buckets", buckets=64, max_distance=500)
def t5_buckets_many():
    return buckets_of(64, 500)


# --- Z-Image --------------------------------------------------------------------------------------


@block(
    kind="qwen3_decoder_layer", heads=4, key_value_heads=2, head_dim=6, hidden_act="silu",
    rms_norm_eps=1e-6, rope_theta=1e6,
)
def qwen3_decoder_layer():
    rope = dict(rope_type="default", rope_theta=1e6)
    config = Qwen3Config(
        hidden_size=8, intermediate_size=20, num_attention_heads=4, num_key_value_heads=2,
        head_dim=6, num_hidden_layers=1, rope_parameters=rope,
    )
    config._attn_implementation = "eager"
    m, x = scatter(Qwen3DecoderLayer(config, 0)), t(2, 9, 8)
    turn = Qwen3RotaryEmbedding(config)(x, torch.arange(9)[None])
    mask = torch.full((9, 9), torch.finfo(torch.float32).min).triu(1)[None, None]
    out = m(x, attention_mask=mask, position_embeddings=turn)
    return m, dict(hidden_states=x), dict(hidden_states=out[0] if isinstance(out, tuple) else out)


def z_image_block_of(modulation, qk_norm, norm_eps, seen=None):
    m = scatter(ZImageTransformerBlock(0, 24, 2, 2, norm_eps, qk_norm, modulation))
    x, temb = t(2, 10, 24), t(2, 24)
    ids = torch.stack([torch.arange(20), torch.arange(20) % 7, torch.arange(20) % 3], -1)
    turn = RopeEmbedder(256.0, [4, 2, 6], [32, 32, 32])(ids).reshape(2, 10, 6)
    mask = None if seen is None else torch.arange(10)[None] < torch.tensor(seen)[:, None]
    out = m(x, mask, turn, temb if modulation else None)
    pairs = turn[:, None].repeat_interleave(2, -1)
    inputs = dict(hidden_states=x, rope_cos=pairs.real, rope_sin=pairs.imag)
    if modulation:
        inputs["temb"] = temb
    if seen is not None:
        lowest = torch.finfo(torch.float32).min
        inputs["mask"] = torch.zeros(2, 1, 1, 10).masked_fill(~mask[:, None, None], lowest)
    return m, inputs, dict(hidden_states=out)


@block(kind="z_image_block", heads=2, qk_norm=True, norm_eps=1e-5)
def z_image_block():
    return z_image_block_of(True, True, 1e-5, [10, 4])


@block(kind="z_image_block", heads=2, qk_norm=False, norm_eps=1e-2)
def z_image_block_unmodulated():
    return z_image_block_of(False, False, 1e-2)


def main():
    torch.set_num_threads(1)
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    index = {}
    for number, (name, (make, options)) in enumerate(BLOCKS.items()):
        torch.manual_seed(100 + number)
        with torch.no_grad():
            module, inputs, outputs = make()
        tensors = {f"in.{k}": v for k, v in inputs.items()}
        tensors |= {f"w.{k}": v for k, v in module.state_dict().items()}
        tensors |= {f"out.{k}": v for k, v in outputs.items()}
        tensors = {k: v.detach().float().contiguous() for k, v in tensors.items()}
        assert all(v.isfinite().all() for v in tensors.values()), name
        save_file(tensors, out / f"{name}.safetensors")
        index[name] = options
    manifest = dict(
        made_by="tools/golden/make_blocks.py",
        versions=dict(
            diffusers=diffusers.__version__,
            transformers=transformers.__version__,
            torch=torch.__version__,
        ),
        tolerance=TOLERANCE,
        blocks=index,
    )
    (out / "blocks.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main()
