"""A diffusers folder of a released model's real sizes with random weights, for benchmarks only.

usage: make_random_model.py ARCHITECTURE OUT

ARCHITECTURE: sdxl (6.9 GB), sd3 (5.6 GB, without T5), sd3-t5 (15.1 GB), flux-4-8 (FLUX.1 schnell with 4 of 19
double and 8 of 38 single blocks and 4 of T5's 24, 7.5 GB). float16 safetensors, in shards of at most 10 GB as
the hub has them. Tensors are cut from one pool of normal numbers, scaled by their inputs: seconds instead
of minutes, and no memory. Needs torch, diffusers and transformers for the names and shapes; CLIP's words are
the embedded model's, T5's those of a test.
"""

import json
import math
import pathlib
import shutil
import sys

import numpy as np
import torch
from diffusers import AutoencoderKL, FluxTransformer2DModel, SD3Transformer2DModel, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, T5Config, T5EncoderModel

ROOT = pathlib.Path(__file__).resolve().parents[1]
CLIP_WORDS = ROOT / "tests" / "golden" / "tokenizers" / "clip_full"
T5_WORDS = ROOT / "tests" / "parity" / "data" / "models" / "flux-dev" / "tokenizer_2"
SHARD_BYTES = 10 * 1000**3
POOL = np.random.default_rng(0).standard_normal(1 << 24, dtype=np.float32)

CLIP_L = dict(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12,
              projection_dim=768, hidden_act="quick_gelu")  # fmt: skip
CLIP_G = dict(hidden_size=1280, intermediate_size=5120, num_hidden_layers=32, num_attention_heads=20,
              projection_dim=1280, hidden_act="gelu")  # fmt: skip
T5_XXL = dict(d_model=4096, d_ff=10240, d_kv=64, num_heads=64, num_layers=24, vocab_size=32128,
              feed_forward_proj="gated-gelu", tie_word_embeddings=False)  # fmt: skip
VAE = dict(block_out_channels=(128, 256, 512, 512), layers_per_block=2,
           down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4)  # fmt: skip


def clip(config, cls):
    ids = dict(vocab_size=49408, bos_token_id=49406, eos_token_id=49407, pad_token_id=1)
    return cls(CLIPTextConfig(**config, **ids))


def sdxl():
    yield "text_encoder", clip(CLIP_L, CLIPTextModel)
    yield "text_encoder_2", clip(CLIP_G, CLIPTextModelWithProjection)
    yield "unet", UNet2DConditionModel(
        sample_size=128, block_out_channels=(320, 640, 1280), layers_per_block=2,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 2, 10), attention_head_dim=(5, 10, 20), cross_attention_dim=2048,
        use_linear_projection=True, addition_embed_type="text_time", addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=2816,
    )  # fmt: skip
    yield "vae", AutoencoderKL(**VAE, scaling_factor=0.13025, sample_size=1024)


def sd3(t5_layers=0):
    yield "text_encoder", clip(CLIP_L, CLIPTextModelWithProjection)
    yield "text_encoder_2", clip(CLIP_G, CLIPTextModelWithProjection)
    if t5_layers:
        yield "text_encoder_3", T5EncoderModel(T5Config(**T5_XXL | dict(num_layers=t5_layers)))
    yield "transformer", SD3Transformer2DModel(
        sample_size=128, patch_size=2, in_channels=16, out_channels=16, num_layers=24, num_attention_heads=24,
        attention_head_dim=64, joint_attention_dim=4096, caption_projection_dim=1536,
        pooled_projection_dim=2048, pos_embed_max_size=192,
    )  # fmt: skip
    yield "vae", AutoencoderKL(**VAE, latent_channels=16, scaling_factor=1.5305, shift_factor=0.0609,
                               use_quant_conv=False, use_post_quant_conv=False, sample_size=1024)  # fmt: skip


def flux(double=4, single=8, t5_layers=4):
    yield "text_encoder", clip(CLIP_L, CLIPTextModel)
    yield "text_encoder_2", T5EncoderModel(T5Config(**T5_XXL | dict(num_layers=t5_layers)))
    yield "transformer", FluxTransformer2DModel(
        in_channels=64, num_layers=double, num_single_layers=single, attention_head_dim=128,
        num_attention_heads=24, joint_attention_dim=4096, pooled_projection_dim=768, guidance_embeds=False,
    )  # fmt: skip
    yield "vae", AutoencoderKL(**VAE, latent_channels=16, scaling_factor=0.3611, shift_factor=0.1159,
                               use_quant_conv=False, use_post_quant_conv=False, sample_size=1024)  # fmt: skip


FLOW = dict(_class_name="FlowMatchEulerDiscreteScheduler", num_train_timesteps=1000)
ARCHITECTURES = {
    "sdxl": ("StableDiffusionXLPipeline", sdxl, dict(
        _class_name="EulerDiscreteScheduler", beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
        num_train_timesteps=1000, steps_offset=1, timestep_spacing="leading")),
    "sd3": ("StableDiffusion3Pipeline", sd3, FLOW | dict(shift=3.0)),
    "sd3-t5": ("StableDiffusion3Pipeline", lambda: sd3(24), FLOW | dict(shift=3.0)),
    "flux-4-8": ("FluxPipeline", flux, FLOW | dict(shift=1.0, use_dynamic_shifting=False)),
}  # fmt: skip


def file_names(part, shapes):
    """The names of the hub's files, where transformers' classes of today have others."""
    for name, shape in shapes.items():
        if part.startswith("text_encoder") and any(name.startswith(p) for p in ("embeddings.", "encoder.layers.",
                                                                                "final_layer_norm.")):  # fmt: skip
            name = "text_model." + name
        if name != "encoder.embed_tokens.weight":  # shared.weight
            yield name, tuple(shape)


def numbers(name, shape, turn):
    count = math.prod(shape)
    if name.endswith("bias"):
        return np.zeros(count, np.float16)
    if len(shape) == 1:
        return np.ones(count, np.float16)
    is_table = "embed" in name and "proj" not in name and len(shape) == 2
    scale = 0.02 if is_table else 1 / math.sqrt(math.prod(shape[1:]))
    begin = turn * 7919 % (POOL.size // 2)
    return np.resize((POOL[begin : begin + count] * np.float32(scale)).astype(np.float16), count)


def write_safetensors(path, tensors, first_turn):
    header, offset = {}, 0
    for name, shape in tensors:
        size = 2 * math.prod(shape)
        header[name] = dict(dtype="F16", shape=shape, data_offsets=[offset, offset + size])
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for turn, (name, shape) in enumerate(tensors, first_turn):
            numbers(name, shape, turn).tofile(file)
    return offset


def write_weights(folder, stem, tensors):
    shards, room = [[]], SHARD_BYTES
    for name, shape in tensors:
        size = 2 * math.prod(shape)
        if size > room and shards[-1]:
            shards.append([])
            room = SHARD_BYTES
        shards[-1].append((name, shape))
        room -= size
    if len(shards) == 1:
        return write_safetensors(folder / f"{stem}.safetensors", shards[0], 0)
    names, total, turn = {}, 0, 0
    for i, shard in enumerate(shards, 1):
        file = f"{stem}-{i:05}-of-{len(shards):05}.safetensors"
        total += write_safetensors(folder / file, shard, turn)
        names |= {name: file for name, _ in shard}
        turn += len(shard)
    index = dict(metadata=dict(total_size=total), weight_map=names)
    (folder / f"{stem}.safetensors.index.json").write_text(json.dumps(index))
    return total


def main():
    name, out = sys.argv[1], pathlib.Path(sys.argv[2])
    pipeline, parts, scheduler = ARCHITECTURES[name]
    index = dict(_class_name=pipeline, scheduler=["diffusers", scheduler["_class_name"]])
    total = 0
    with torch.device("meta"):
        for part, network in parts():
            folder = out / part
            folder.mkdir(parents=True)
            is_text = part.startswith("text_encoder")
            network.config.architectures = [type(network).__name__]
            network.save_config(folder) if not is_text else network.config.save_pretrained(folder)
            shapes = {key: value.shape for key, value in network.state_dict().items()}
            total += write_weights(folder, "model" if is_text else "diffusion_pytorch_model",
                                   list(file_names(part, shapes)))  # fmt: skip
            index[part] = ["transformers" if is_text else "diffusers", type(network).__name__]
            if is_text:
                tokenizer = part.replace("text_encoder", "tokenizer")
                is_t5 = isinstance(network, T5EncoderModel)
                shutil.copytree(T5_WORDS if is_t5 else CLIP_WORDS, out / tokenizer)
                index[tokenizer] = ["transformers", "T5TokenizerFast" if is_t5 else "CLIPTokenizer"]
    for absent in ("text_encoder_3", "tokenizer_3") if name == "sd3" else ():
        index[absent] = [None, None]
    (out / "scheduler").mkdir()
    (out / "scheduler" / "scheduler_config.json").write_text(json.dumps(scheduler, indent=1))
    (out / "model_index.json").write_text(json.dumps(index, indent=1))
    print(f"{total / 1e9:.1f} GB in {out}")


if __name__ == "__main__":
    main()
