"""LoRA files in every key style, with random factors, for make_loras.py.

A style is a function of a pipeline and its toy: the tensors as people have them in a file, and what
diffusers should load. Both are the same dictionary where diffusers reads the style itself.
"""

import torch
from diffusers.loaders.lora_conversion_utils import _convert_kohya_flux_lora_to_diffusers

RANK = 3
ENCODERS = {
    "sd1": ("text_encoder",),
    "sdxl": ("text_encoder", "text_encoder_2"),
    "sd3": ("text_encoder", "text_encoder_2"),
    "sd35": ("text_encoder", "text_encoder_2"),
    "flux-dev": ("text_encoder",),
}
TEXT = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")
UNET = ("to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2")
WITH_CONVS = UNET + ("proj_in", "proj_out", "conv1", "conv2", "time_emb_proj", "downsamplers.0.conv")
TRANSFORMER = UNET + (
    "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out", "ff_context.net.0.proj", "ff_context.net.2",
    "norm1.linear", "norm1_context.linear", "norm.linear", "proj_mlp", "proj_out",
)  # fmt: skip


def modules_of(network, endings):
    for name, module in network.named_modules():
        if name.endswith(endings) and hasattr(module, "weight"):
            yield name, module


def factors(weight, rank, generator, size):
    """down and up whose product is about `size` of the weight's own magnitude."""
    down_shape = (rank, *weight.shape[1:])
    up_shape = (weight.shape[0], rank, *(1,) * (weight.ndim - 2))
    down = torch.randn(down_shape, generator=generator)
    up = torch.randn(up_shape, generator=generator)
    scale = size * float(weight.detach().float().std()) / rank**0.5
    return down, up * scale


def denoiser_of(pipe):
    return "unet" if hasattr(pipe, "unet") else "transformer"


def pairs(pipe, toy, endings, seed, rank, size):
    generator = torch.Generator().manual_seed(seed)
    for part, names in [(denoiser_of(pipe), endings), *((text, TEXT) for text in ENCODERS[toy])]:
        for name, module in modules_of(getattr(pipe, part), names):
            yield part, name, *factors(module.weight, rank, generator, size)


def text_model(part, name):
    is_bare = part.startswith("text_encoder") and not name.startswith("text_model.")
    return f"text_model.{name}" if is_bare else name


def both(tensors):
    return tensors, tensors


def kohya(pipe, toy):
    """lora_unet_…, lora_te_… with alpha, convolutions too."""
    prefixes = {"unet": "lora_unet_", "text_encoder": "lora_te1_" if toy == "sdxl" else "lora_te_",
                "text_encoder_2": "lora_te2_"}  # fmt: skip
    out = {}
    for part, name, down, up in pairs(pipe, toy, WITH_CONVS, 1, RANK, 0.5):
        stem = prefixes[part] + text_model(part, name).replace(".", "_")
        out |= {f"{stem}.lora_down.weight": down, f"{stem}.lora_up.weight": up,
                f"{stem}.alpha": torch.tensor(RANK * 0.75)}  # fmt: skip
    return both(out)


def lcm(pipe, toy):
    """As the LCM-LoRAs are: the UNet alone, kohya's keys, rank and alpha 64 (here 4) in half precision."""
    out = {}
    for part, name, down, up in pairs(pipe, toy, WITH_CONVS, 4, 4, 0.4):
        if part == "unet":
            stem = "lora_unet_" + name.replace(".", "_")
            out |= {f"{stem}.lora_down.weight": down.half(), f"{stem}.lora_up.weight": up.half(),
                    f"{stem}.alpha": torch.tensor(4.0).half()}  # fmt: skip
    return both(out)


def peft(pipe, toy):
    """unet.….lora_A.weight, transformer.…, as save_lora_weights writes today; alpha equals the rank."""
    endings, size = (UNET, 0.6) if denoiser_of(pipe) == "unet" else (TRANSFORMER, 0.4)
    out = {}
    for part, name, down, up in pairs(pipe, toy, endings, 2, RANK + 1, size):
        stem = f"{part}.{text_model(part, name)}"
        out |= {f"{stem}.lora_A.weight": down, f"{stem}.lora_B.weight": up}
    return both(out)


def old_diffusers(pipe, toy):
    """….lora.down.weight, for the UNet alone, half precision."""
    out = {}
    for part, name, down, up in pairs(pipe, toy, UNET[:4], 3, 2, 0.8):
        if part == "unet":
            out |= {f"unet.{name}.lora.down.weight": down.half(), f"unet.{name}.lora.up.weight": up.half()}
    return both(out)


class Fused:
    """A kohya file of a transformer whose original modules are several of diffusers': one pair of factors,
    as high as the parts together, and for diffusers each part's rows of it."""

    def __init__(self, network, seed):
        self.modules = dict(network.named_modules())
        self.generator = torch.Generator().manual_seed(seed)
        self.file, self.parts = {}, {}

    def add(self, original, names, swaps_halves=False, alpha=RANK * 0.75):
        weights = [self.modules[name].weight for name in names if name in self.modules]
        if not weights:
            return
        weight = torch.cat([w.detach().float() for w in weights])
        weight = weight.reshape(len(weight), -1) if original.endswith("x_embedder_proj") else weight
        down, up = factors(weight, RANK, self.generator, 0.4)
        stem = f"lora_unet_{original}"
        self.file |= {f"{stem}.lora_down.weight": down, f"{stem}.lora_up.weight": up,
                      f"{stem}.alpha": torch.tensor(float(alpha))}  # fmt: skip
        if swaps_halves:
            up = torch.cat(up.chunk(2)[::-1])
        rows = up.split([len(w) for w in weights])
        for name, part in zip(names, rows, strict=True):
            self.parts |= {f"transformer.{name}.lora_A.weight": down,
                           f"transformer.{name}.lora_B.weight": part * (alpha / RANK)}  # fmt: skip


def kohya_sd3(pipe, toy):
    """lora_unet_joint_blocks_0_x_block_attn_qkv …; diffusers reads no such file, so it is given the parts."""
    fused = Fused(pipe.transformer, 5)
    last = len(pipe.transformer.transformer_blocks) - 1
    sides = [
        ("x_block", "", "to_out.0", ("attn.to_q", "attn.to_k", "attn.to_v")),
        ("context_block", "_context", "to_add_out", ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj")),
    ]
    for i in range(last + 1):
        block = f"transformer_blocks.{i}"
        for side, ending, out, qkv in sides:
            stem = f"joint_blocks_{i}_{side}"
            fused.add(f"{stem}_attn_qkv", [f"{block}.{name}" for name in qkv])
            fused.add(f"{stem}_attn_proj", [f"{block}.attn.{out}"])
            fused.add(f"{stem}_mlp_fc1", [f"{block}.ff{ending}.net.0.proj"])
            fused.add(f"{stem}_mlp_fc2", [f"{block}.ff{ending}.net.2"])
            # The last block's text side has a norm with scale and shift the other way round.
            fused.add(f"{stem}_adaLN_modulation_1", [f"{block}.norm1{ending}.linear"],
                      swaps_halves=i == last and ending != "")  # fmt: skip
        fused.add(f"joint_blocks_{i}_x_block_attn2_qkv", [f"{block}.attn2.to_{x}" for x in "qkv"])
        fused.add(f"joint_blocks_{i}_x_block_attn2_proj", [f"{block}.attn2.to_out.0"])
    fused.add("final_layer_linear", ["proj_out"])
    fused.add("final_layer_adaLN_modulation_1", ["norm_out.linear"], swaps_halves=True)
    return fused.file, fused.parts


def kohya_flux(pipe, toy):
    """lora_unet_double_blocks_0_img_attn_qkv …, converted by diffusers, but for the single blocks' linear1:
    diffusers splits that at FLUX's own width only, so it is given the parts."""
    fused = Fused(pipe.transformer, 6)
    for i in range(len(pipe.transformer.transformer_blocks)):
        block = f"transformer_blocks.{i}"
        for side, ending, out, qkv in [
            ("img", "", "to_out.0", ("attn.to_q", "attn.to_k", "attn.to_v")),
            ("txt", "_context", "to_add_out", ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj")),
        ]:
            stem = f"double_blocks_{i}_{side}"
            fused.add(f"{stem}_attn_qkv", [f"{block}.{name}" for name in qkv])
            fused.add(f"{stem}_attn_proj", [f"{block}.attn.{out}"])
            fused.add(f"{stem}_mlp_0", [f"{block}.ff{ending}.net.0.proj"])
            fused.add(f"{stem}_mlp_2", [f"{block}.ff{ending}.net.2"])
            fused.add(f"{stem}_mod_lin", [f"{block}.norm1{ending}.linear"])
    for i in range(len(pipe.transformer.single_transformer_blocks)):
        block = f"single_transformer_blocks.{i}"
        parts = ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp")
        fused.add(f"single_blocks_{i}_linear1", [f"{block}.{name}" for name in parts])
        fused.add(f"single_blocks_{i}_linear2", [f"{block}.proj_out"])
        fused.add(f"single_blocks_{i}_modulation_lin", [f"{block}.norm.linear"])
    # diffusers does not look at the alpha of these, and forgets their prefix.
    fused.add("final_layer_linear", ["proj_out"], alpha=RANK)
    fused.add("final_layer_adaLN_modulation_1", ["norm_out.linear"], swaps_halves=True, alpha=RANK)
    loaded = _convert_kohya_flux_lora_to_diffusers({k: v for k, v in fused.file.items() if "linear1" not in k})
    loaded = {"transformer." + k.removeprefix("transformer."): v for k, v in loaded.items()}
    is_linear1 = ("attn.to_q.", "attn.to_k.", "attn.to_v.", "proj_mlp.")
    loaded |= {k: v for k, v in fused.parts.items()
               if ".single_transformer_blocks." in k and any(part in k for part in is_linear1)}  # fmt: skip
    assert loaded.keys() == fused.parts.keys(), loaded.keys() ^ fused.parts.keys()
    return fused.file, loaded


STYLES = {
    "sd1": {"kohya": kohya, "peft": peft, "old": old_diffusers, "lcm": lcm},
    "sdxl": {"kohya": kohya, "peft": peft, "old": old_diffusers, "lcm": lcm},
    "sd3": {"kohya": kohya_sd3, "peft": peft},
    "sd35": {"kohya": kohya_sd3, "peft": peft},
    "flux-dev": {"kohya": kohya_flux, "peft": peft},
}
