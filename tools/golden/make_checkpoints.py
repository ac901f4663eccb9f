"""Writes tests/golden/weights/checkpoints.json: names of single-file checkpoints, and what diffusers
makes of them.

Toy pipelines are built with diffusers, their names turned into those of the original code (by this
script), and the result is given to diffusers' own converters, which must give the toy back. Every
tensor of the file holds running 32-bit numbers (from `first`), so that a test can rebuild the file
from names and shapes and compare what it makes of it by SHA-256.

python tools/golden/make_checkpoints.py      needs torch, diffusers and transformers
"""

import hashlib
import inspect
import json
import re
from pathlib import Path

import diffusers
import torch
import transformers
from diffusers import AutoencoderKL, FluxTransformer2DModel, SD3Transformer2DModel, UNet2DConditionModel
from diffusers.loaders import single_file_utils as single_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, T5Config, T5EncoderModel

OUT = Path(__file__).resolve().parents[2] / "tests" / "golden" / "weights" / "checkpoints.json"
RESNET = [("norm1", "in_layers.0"), ("conv1", "in_layers.2"), ("time_emb_proj", "emb_layers.1"),
          ("norm2", "out_layers.0"), ("conv2", "out_layers.3"), ("conv_shortcut", "skip_connection")]


def numbered(module, first):
    """The module's names with tensors of running numbers, which tell every element from every other."""
    tensors = {}
    for name, value in sorted(module.state_dict().items()):
        if name.endswith("position_ids"):
            continue
        tensors[name] = torch.arange(first, first + value.numel(), dtype=torch.int32).reshape(value.shape)
        first += value.numel()
    return tensors, first


def swapped(tensor):
    return torch.cat(list(reversed(tensor.chunk(2, dim=0))))


# From diffusers to the original names.

def unet_to_ldm(tensors, config):
    out = {}
    layers = config["layers_per_block"]
    ends = {"conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2",
            "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2",
            "add_embedding.linear_1": "label_emb.0.0", "add_embedding.linear_2": "label_emb.0.2",
            "mid_block.resnets.0": "middle_block.0", "mid_block.attentions.0": "middle_block.1",
            "mid_block.resnets.1": "middle_block.2"}
    for name, tensor in tensors.items():
        match = re.match(r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.*)", name)
        if match:
            side, block, kind, layer, rest = match.groups()
            block, layer = int(block), int(layer)
            if side == "down":
                entry = 1 + block * (layers + 1) + (layers if kind == "downsamplers" else layer)
                part = {"resnets": "0", "attentions": "1", "downsamplers": "0"}[kind]
                stem = f"input_blocks.{entry}.{part}"
            else:
                entry = block * (layers + 1) + (layers if kind == "upsamplers" else layer)
                has_attention = f"up_blocks.{block}.attentions.0.norm.weight" in tensors
                part = {"resnets": "0", "attentions": "1", "upsamplers": "2" if has_attention else "1"}[kind]
                stem = f"output_blocks.{entry}.{part}"
            rest = rest.replace("conv.", "op.") if kind == "downsamplers" else rest
        else:
            head = next(key for key in ends if name.startswith(key + "."))
            stem, rest, kind = ends[head], name[len(head) + 1:], "resnets" if "resnets" in head else ""
        if kind == "resnets":
            for ours, theirs in RESNET:
                rest = re.sub(rf"^{ours}\.", f"{theirs}.", rest)
        out[f"model.diffusion_model.{stem}.{rest}"] = tensor
    return out


def vae_to_ldm(tensors, config, prefix):
    out = {}
    levels = len(config["block_out_channels"])
    for name, tensor in tensors.items():
        new = re.sub(r"decoder\.up_blocks\.(\d+)", lambda m: f"decoder.up.{levels - 1 - int(m[1])}", name)
        new = re.sub(r"encoder\.down_blocks\.(\d+)", r"encoder.down.\1", new)
        new = re.sub(r"\.resnets\.(\d+)", r".block.\1", new)
        new = re.sub(r"mid_block\.block\.(\d+)", lambda m: f"mid.block_{int(m[1]) + 1}", new)
        new = new.replace("downsamplers.0.", "downsample.").replace("upsamplers.0.", "upsample.")
        new = new.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")
        if "mid_block.attentions.0." in new:
            new = new.replace("mid_block.attentions.0.", "mid.attn_1.").replace("group_norm", "norm")
            new = re.sub(r"to_([qkv])\.", r"\1.", new).replace("to_out.0", "proj_out")
            if tensor.ndim == 2:
                tensor = tensor[:, :, None, None]
        out[prefix + new] = tensor
    return out


def clip_to_hf(tensors, prefix):
    return {prefix + ("" if name.startswith(("text_model", "text_projection")) else "text_model.") + name: tensor
            for name, tensor in tensors.items()}


def clip_to_open_clip(tensors, prefix):
    out = {}
    blocks = {"layer_norm1": "ln_1", "layer_norm2": "ln_2", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj",
              "self_attn.out_proj": "attn.out_proj"}
    ends = {"embeddings.position_embedding.weight": "positional_embedding",
            "embeddings.token_embedding.weight": "token_embedding.weight",
            "final_layer_norm.weight": "ln_final.weight", "final_layer_norm.bias": "ln_final.bias"}
    for name, tensor in tensors.items():
        name = name.removeprefix("text_model.")
        match = re.match(r"encoder\.layers\.(\d+)\.(.*)", name)
        if name == "text_projection.weight":
            out[prefix + "text_projection"] = tensor.T.contiguous()
        elif not match:
            out[prefix + ends[name]] = tensor
        elif match[2].startswith("self_attn.q_proj."):
            kind = match[2].rsplit(".", 1)[1]
            scope = next(key for key in tensors if key.endswith(name)).removesuffix(f"q_proj.{kind}")
            stacked = torch.cat([tensors[f"{scope}{part}_proj.{kind}"] for part in "qkv"])
            out[f"{prefix}transformer.resblocks.{match[1]}.attn.in_proj_{kind}"] = stacked
        elif not match[2].startswith(("self_attn.k_proj.", "self_attn.v_proj.")):
            stem, kind = match[2].rsplit(".", 1)
            out[f"{prefix}transformer.resblocks.{match[1]}.{blocks[stem]}.{kind}"] = tensor
    return out


def stack(tensors, scope, names, kind):
    return torch.cat([tensors[f"{scope}{name}.{kind}"] for name in names])


SD3_ENDS = {"pos_embed.proj": "x_embedder.proj", "time_text_embed.timestep_embedder.linear_1": "t_embedder.mlp.0",
            "time_text_embed.timestep_embedder.linear_2": "t_embedder.mlp.2",
            "time_text_embed.text_embedder.linear_1": "y_embedder.mlp.0",
            "time_text_embed.text_embedder.linear_2": "y_embedder.mlp.2", "context_embedder": "context_embedder",
            "proj_out": "final_layer.linear"}
SD3_BLOCK = {"norm1.linear": "x_block.adaLN_modulation.1", "norm1_context.linear": "context_block.adaLN_modulation.1",
             "attn.to_out.0": "x_block.attn.proj", "attn.to_add_out": "context_block.attn.proj",
             "attn2.to_out.0": "x_block.attn2.proj", "attn.norm_q": "x_block.attn.ln_q",
             "attn.norm_k": "x_block.attn.ln_k", "attn2.norm_q": "x_block.attn2.ln_q",
             "attn2.norm_k": "x_block.attn2.ln_k", "attn.norm_added_q": "context_block.attn.ln_q",
             "attn.norm_added_k": "context_block.attn.ln_k", "ff.net.0.proj": "x_block.mlp.fc1",
             "ff.net.2": "x_block.mlp.fc2", "ff_context.net.0.proj": "context_block.mlp.fc1",
             "ff_context.net.2": "context_block.mlp.fc2"}
QKV = ["to_q", "to_k", "to_v"]
ADDED = ["add_q_proj", "add_k_proj", "add_v_proj"]


def sd3_to_original(tensors, config):
    out = {}
    last = config["num_layers"] - 1
    for name, tensor in tensors.items():
        stem, kind = name.rsplit(".", 1)
        match = re.match(r"transformer_blocks\.(\d+)\.(.*)", stem)
        if name == "pos_embed.pos_embed":
            new = "pos_embed"
        elif stem == "norm_out.linear":
            new, tensor = f"final_layer.adaLN_modulation.1.{kind}", swapped(tensor)
        elif not match:
            new = f"{SD3_ENDS[stem]}.{kind}"
        else:
            scope, block = f"transformer_blocks.{match[1]}.", f"joint_blocks.{match[1]}."
            attention, _, part = match[2].rpartition(".")
            if part in QKV + ADDED:
                if part not in ("to_q", "add_q_proj"):
                    continue
                side = "context_block" if part == "add_q_proj" else "x_block"
                names = ADDED if part == "add_q_proj" else QKV
                new = f"{block}{side}.{attention}.qkv.{kind}"
                tensor = stack(tensors, f"{scope}{attention}.", names, kind)
            else:
                new = f"{block}{SD3_BLOCK[match[2]]}.{kind}"
                if match[2] == "norm1_context.linear" and int(match[1]) == last:
                    tensor = swapped(tensor)
        out["model.diffusion_model." + new] = tensor
    return out


FLUX_ENDS = {"x_embedder": "img_in", "context_embedder": "txt_in", "proj_out": "final_layer.linear",
             "time_text_embed.timestep_embedder.linear_1": "time_in.in_layer",
             "time_text_embed.timestep_embedder.linear_2": "time_in.out_layer",
             "time_text_embed.text_embedder.linear_1": "vector_in.in_layer",
             "time_text_embed.text_embedder.linear_2": "vector_in.out_layer",
             "time_text_embed.guidance_embedder.linear_1": "guidance_in.in_layer",
             "time_text_embed.guidance_embedder.linear_2": "guidance_in.out_layer"}
FLUX_DOUBLE = {"norm1.linear": "img_mod.lin", "norm1_context.linear": "txt_mod.lin", "attn.to_out.0": "img_attn.proj",
               "attn.to_add_out": "txt_attn.proj", "ff.net.0.proj": "img_mlp.0", "ff.net.2": "img_mlp.2",
               "ff_context.net.0.proj": "txt_mlp.0", "ff_context.net.2": "txt_mlp.2"}
FLUX_NORMS = {"attn.norm_q": "img_attn.norm.query_norm", "attn.norm_k": "img_attn.norm.key_norm",
              "attn.norm_added_q": "txt_attn.norm.query_norm", "attn.norm_added_k": "txt_attn.norm.key_norm"}


def flux_to_original(tensors):
    out = {}
    for name, tensor in tensors.items():
        stem, kind = name.rsplit(".", 1)
        match = re.match(r"(single_)?transformer_blocks\.(\d+)\.(.*)", stem)
        if stem == "norm_out.linear":
            new, tensor = f"final_layer.adaLN_modulation.1.{kind}", swapped(tensor)
        elif not match:
            new = f"{FLUX_ENDS[stem]}.{kind}"
        elif match[1]:
            scope, block = stem[: -len(match[3])], f"single_blocks.{match[2]}."
            if match[3] == "attn.to_q":
                new = f"{block}linear1.{kind}"
                tensor = stack(tensors, scope, ["attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"], kind)
            elif match[3] in ("attn.to_k", "attn.to_v", "proj_mlp"):
                continue
            elif match[3].startswith("attn.norm"):
                new = f"{block}norm.{'query' if match[3].endswith('q') else 'key'}_norm.scale"
            else:
                new = block + {"norm.linear": "modulation.lin", "proj_out": "linear2"}[match[3]] + "." + kind
        else:
            scope, block = stem[: -len(match[3])], f"double_blocks.{match[2]}."
            part = match[3].removeprefix("attn.")
            if part in QKV + ADDED:
                if part not in ("to_q", "add_q_proj"):
                    continue
                side, names = ("txt", ADDED) if part == "add_q_proj" else ("img", QKV)
                new = f"{block}{side}_attn.qkv.{kind}"
                tensor = stack(tensors, scope + "attn.", names, kind)
            elif match[3] in FLUX_NORMS:
                new = f"{block}{FLUX_NORMS[match[3]]}.scale"
            else:
                new = f"{block}{FLUX_DOUBLE[match[3]]}.{kind}"
        out[new] = tensor
    return out


def flux_converter(inner_dim):
    """diffusers' own, with the width of FLUX.1 that it has in its code replaced."""
    source = inspect.getsource(single_file.convert_flux_transformer_checkpoint_to_diffusers)
    scope = dict(vars(single_file))
    exec(source.replace("inner_dim = 3072", f"inner_dim = {inner_dim}"), scope)
    return scope["convert_flux_transformer_checkpoint_to_diffusers"]


def check(converted, tensors, what):
    converted = {k: v for k, v in converted.items() if not k.endswith("position_ids")}
    assert converted.keys() == tensors.keys(), (what, converted.keys() ^ tensors.keys())
    for name, tensor in tensors.items():
        assert torch.equal(converted[name], tensor), (what, name)


# Toy components.

def unet(**options):
    base = dict(block_out_channels=(32, 64), layers_per_block=1, sample_size=64, cross_attention_dim=32,
                down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
                up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"), attention_head_dim=8)
    return UNet2DConditionModel(**(base | options))


def vae(latent_channels, scaling_factor, **options):
    return AutoencoderKL(block_out_channels=(32, 32, 64), layers_per_block=1, latent_channels=latent_channels,
                         down_block_types=("DownEncoderBlock2D",) * 3, up_block_types=("UpDecoderBlock2D",) * 3,
                         scaling_factor=scaling_factor, **options)


def clip(width, layers, act, projection=False, vocab_size=64):
    config = CLIPTextConfig(vocab_size=vocab_size, hidden_size=width, intermediate_size=2 * width, num_hidden_layers=layers,
                            num_attention_heads=width // 64, hidden_act=act, projection_dim=width,
                            bos_token_id=vocab_size - 2, eos_token_id=vocab_size - 1, max_position_embeddings=16)
    return (CLIPTextModelWithProjection if projection else CLIPTextModel)(config)


def t5():
    return T5EncoderModel(T5Config(vocab_size=64, d_model=32, d_kv=8, d_ff=48, num_layers=2, num_heads=4,
                                   feed_forward_proj="gated-gelu"))


class Recorder:
    def __init__(self, family):
        self.family = family
        self.file, self.components, self.next = {}, {}, 0

    def add(self, name, module, to_original, convert):
        tensors, self.next = numbered(module, self.next)
        if isinstance(module, (CLIPTextModel, CLIPTextModelWithProjection)):
            tensors = {("" if k.startswith(("text_model.", "text_projection")) else "text_model.") + k: v
                       for k, v in tensors.items()}
        tensors.pop("encoder.embed_tokens.weight", None)  # tied to shared.weight
        original = to_original(tensors)
        check(convert(dict(original)), tensors, (self.family, name))
        self.file.update(original)
        config = {k: v for k, v in dict(module.config if not hasattr(module.config, "to_dict")
                                        else module.config.to_dict()).items() if not k.startswith("_")}
        self.components[name] = {"config": config, "set": set_keys(module, config), "tensors": tensors}

    def record(self):
        rows = []
        for name in sorted(self.file):
            tensor = self.file[name].contiguous()
            rows.append([name, list(tensor.shape), runs(tensor)])
        return {"family": self.family, "file": rows, "components": {
            name: {"config": part["config"], "set": part["set"],
                   "tensors": [[key, list(value.shape), digest(value)] for key, value in sorted(part["tensors"].items())]}
            for name, part in self.components.items()}}


def set_keys(module, config):
    """Keys of the config that have another value than the class gives them."""
    if hasattr(module.config, "to_dict"):
        defaults = type(module.config)().to_dict()
    else:
        parameters = inspect.signature(type(module).__init__).parameters
        defaults = {key: parameter.default for key, parameter in parameters.items()}
    plain = lambda value: json.loads(json.dumps(value, default=str))
    return sorted(key for key, value in config.items() if plain(defaults.get(key)) != plain(value))


def digest(tensor):
    return hashlib.sha256(tensor.contiguous().numpy().tobytes()).hexdigest()[:16]


def runs(tensor):
    """[first, step, count] of its running numbers, row by row where it was transposed."""
    flat = tensor.flatten().tolist()
    out, i = [], 0
    while i < len(flat):
        step = flat[i + 1] - flat[i] if i + 1 < len(flat) else 1
        j = i + 1
        while j < len(flat) and flat[j] - flat[j - 1] == step:
            j += 1
        out.append([flat[i], step, j - i])
        i = j
    return out


def clip_converter(prefix):
    return lambda c: single_file.convert_ldm_clip_checkpoint(c, remove_prefix=prefix)


def open_clip_converter(prefix, model):
    return lambda c: single_file.convert_open_clip_checkpoint(model, c, prefix=prefix)


def add_unet(recorder, model):
    recorder.add("unet", model, lambda t: unet_to_ldm(t, model.config),
                 lambda c: single_file.convert_ldm_unet_checkpoint(c, model.config))


def add_vae(recorder, model, prefix="first_stage_model."):
    recorder.add("vae", model, lambda t: vae_to_ldm(t, model.config, prefix),
                 lambda c: single_file.convert_ldm_vae_checkpoint(c, model.config))


def add_clip(recorder, name, model, prefix):
    recorder.add(name, model, lambda t: {prefix + k: v for k, v in t.items()}, clip_converter(prefix))


def add_open_clip(recorder, name, model, prefix):
    recorder.add(name, model, lambda t: clip_to_open_clip(t, prefix), open_clip_converter(prefix, model))


def add_t5(recorder, name):
    prefix = "text_encoders.t5xxl.transformer."
    recorder.add(name, t5(), lambda t: {prefix + k: v for k, v in t.items()},
                 single_file.convert_sd3_t5_checkpoint_to_diffusers)


def families():
    sd1 = Recorder("Stable Diffusion 1")
    add_unet(sd1, unet())
    add_vae(sd1, vae(4, 0.18215, sample_size=512))
    add_clip(sd1, "text_encoder", clip(64, 2, "quick_gelu"), "cond_stage_model.transformer.")
    yield sd1

    sd2 = Recorder("Stable Diffusion 2")
    add_unet(sd2, unet(block_out_channels=(64, 128), use_linear_projection=True, attention_head_dim=(1, 2), sample_size=96,
                       cross_attention_dim=64))
    add_vae(sd2, vae(4, 0.18215, sample_size=768))
    add_open_clip(sd2, "text_encoder", clip(64, 2, "gelu"), "cond_stage_model.model.")
    yield sd2

    sdxl = Recorder("SDXL")
    add_unet(sdxl, unet(block_out_channels=(64, 128), layers_per_block=2, use_linear_projection=True, attention_head_dim=(1, 2),
                        transformer_layers_per_block=(1, 2), sample_size=128, addition_embed_type="text_time",
                        addition_time_embed_dim=8, projection_class_embeddings_input_dim=64 + 6 * 8, cross_attention_dim=96,
                        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
                        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D")))
    add_vae(sdxl, vae(4, 0.13025, sample_size=1024))
    add_clip(sdxl, "text_encoder", clip(64, 2, "quick_gelu"), "conditioner.embedders.0.transformer.")
    add_open_clip(sdxl, "text_encoder_2", clip(64, 2, "gelu", projection=True), "conditioner.embedders.1.model.")
    yield sdxl

    refiner = Recorder("SDXL refiner")
    add_unet(refiner, unet(block_out_channels=(64, 64), use_linear_projection=True, attention_head_dim=1, sample_size=128,
                           transformer_layers_per_block=(1, 2), addition_embed_type="text_time", addition_time_embed_dim=8,
                           projection_class_embeddings_input_dim=64 + 5 * 8))
    add_vae(refiner, vae(4, 0.13025, sample_size=1024))
    add_open_clip(refiner, "text_encoder_2", clip(64, 2, "gelu", projection=True), "conditioner.embedders.0.model.")
    yield refiner

    for family, options in (("Stable Diffusion 3", {}),
                            ("Stable Diffusion 3", {"qk_norm": "rms_norm", "dual_attention_layers": (0,)})):
        sd3 = Recorder(family)
        model = SD3Transformer2DModel(sample_size=128, patch_size=2, in_channels=16, num_layers=2, attention_head_dim=64,
                                      num_attention_heads=1, joint_attention_dim=32, caption_projection_dim=64,
                                      pooled_projection_dim=128, out_channels=16, pos_embed_max_size=12, **options)
        # The positions are a sine table, in the file as in the model.
        sd3.add("transformer", model, lambda t: sd3_to_original(t, model.config),
                single_file.convert_sd3_transformer_checkpoint_to_diffusers)
        add_vae(sd3, vae(16, 1.5305, shift_factor=0.0609, use_quant_conv=False, use_post_quant_conv=False, sample_size=1024))
        add_clip(sd3, "text_encoder", clip(64, 1, "quick_gelu", projection=True), "text_encoders.clip_l.transformer.")
        add_clip(sd3, "text_encoder_2", clip(64, 1, "gelu", projection=True), "text_encoders.clip_g.transformer.")
        add_t5(sd3, "text_encoder_3")
        yield sd3

    for guidance in (False, True):
        flux = Recorder("FLUX.1")
        model = FluxTransformer2DModel(num_layers=1, num_single_layers=2, attention_head_dim=16, num_attention_heads=2,
                                       joint_attention_dim=32, pooled_projection_dim=64, in_channels=16,
                                       axes_dims_rope=(2, 7, 7), guidance_embeds=guidance)
        flux.add("transformer", model, flux_to_original, flux_converter(32))
        if not guidance:
            add_vae(flux, vae(16, 0.3611, shift_factor=0.1159, use_quant_conv=False, use_post_quant_conv=False,
                              sample_size=1024), "vae.")
            add_clip(flux, "text_encoder", clip(64, 1, "quick_gelu"), "text_encoders.clip_l.transformer.")
            add_t5(flux, "text_encoder_2")
        yield flux


def main():
    torch.manual_seed(0)
    head = {"made_by": "tools/golden/make_checkpoints.py", "diffusers": diffusers.__version__,
            "transformers": transformers.__version__, "torch": torch.__version__, "tolerance": "none: bytes are equal"}
    lines = [json.dumps(recorder.record(), separators=(",", ":")) for recorder in families()]
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(head)[:-1] + ', "checkpoints": [\n' + ",\n".join(lines) + "\n]}\n")
    print(OUT.stat().st_size)


main()
