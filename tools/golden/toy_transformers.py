"""Toys of SD3 and FLUX: transformers over patches, with CLIP and T5 text encoders."""

import json
import pathlib
import shutil
import tempfile

import sentencepiece
import torch
from diffusers import (
    FlowMatchEulerDiscreteScheduler,
    FluxFillPipeline,
    FluxPipeline,
    FluxTransformer2DModel,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
)
from toy_parts import CLIP_SOURCE, Tokenizer, clip_text, vae
from transformers import CLIPTextModelWithProjection, T5Config, T5EncoderModel, T5Tokenizer


class SentencePieces:
    """A small unigram vocabulary over the words that CLIP's merges end in."""

    def __init__(self, size=400, length=64, style="pair"):
        self.style = style
        self.folder = pathlib.Path(tempfile.mkdtemp())
        vocab = json.loads((CLIP_SOURCE / "vocab.json").read_text())
        words = [w[:-4] for w in sorted(vocab, key=vocab.get) if w.endswith("</w>")]
        words = [w for w in words if w.isascii() and w.isalpha()][:4000]
        lines = [" ".join(words[i : i + 8]) for i in range(0, len(words), 8)]
        lines += [line.title() + ", (0123) 456-789: it's!" for line in lines]
        (self.folder / "corpus.txt").write_text("\n".join(lines))
        sentencepiece.SentencePieceTrainer.train(
            input=str(self.folder / "corpus.txt"),
            model_prefix=str(self.folder / "spiece"),
            vocab_size=size,
            model_type="unigram",
            pad_id=0,
            eos_id=1,
            unk_id=2,
            bos_id=-1,
            minloglevel=2,
            num_threads=1,
        )
        config = dict(tokenizer_class="T5Tokenizer", model_max_length=length, extra_ids=0)
        config |= dict(eos_token="</s>", pad_token="<pad>", unk_token="<unk>")
        (self.folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
        special = {k: config[k] for k in ("eos_token", "pad_token", "unk_token")}
        (self.folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2) + "\n")
        for name in ("corpus.txt", "spiece.vocab"):
            (self.folder / name).unlink()
        self.tok = T5Tokenizer.from_pretrained(self.folder, extra_ids=0)
        self.words = len(self.tok)

    def write(self, folder):
        if self.style == "pair":
            shutil.rmtree(folder)
            shutil.copytree(self.folder, folder)


def t5(words, width, **kw):
    kw = dict(feed_forward_proj="gated-gelu", num_layers=2, num_heads=2, d_kv=6, d_ff=20) | kw
    model = T5EncoderModel(
        T5Config(
            vocab_size=words,
            d_model=width,
            relative_attention_num_buckets=12,
            relative_attention_max_distance=40,
            pad_token_id=0,
            eos_token_id=1,
            decoder_start_token_id=0,
            **kw,
        )
    )
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() == 2 and "shared" not in name:
                p.copy_(torch.randn_like(p) * 1.2 / p.shape[1] ** 0.5)
            elif p.dim() == 1:
                p.add_(torch.randn_like(p) * 0.1)
    return model.eval()


def loud(transformer):
    """Gates, modulations and text paths away from the near-zero of a fresh start."""
    with torch.no_grad():
        for name, p in transformer.named_parameters():
            if p.dim() == 1:
                p.add_(torch.randn_like(p) * 0.1)
            elif "norm" in name:
                p.mul_(2)
            elif "context_embedder" in name or "add_v_proj" in name or "to_add_out" in name:
                p.mul_(3)
            elif "text_embedder" in name:
                p.mul_(3)
            elif "to_v" in name or "to_out" in name:
                p.mul_(2)
    return transformer.eval()


def flow(**kw):
    return FlowMatchEulerDiscreteScheduler(**kw)


# --- SD3 ------------------------------------------------------------------------------------------


def sd3_pipe(tokens, texts, transformer, vae, scheduler):
    return StableDiffusion3Pipeline(
        transformer=transformer,
        scheduler=scheduler,
        vae=vae,
        text_encoder=texts[0],
        tokenizer=tokens[0].tok,
        text_encoder_2=texts[1],
        tokenizer_2=tokens[1].tok,
        text_encoder_3=texts[2] if len(texts) > 2 else None,
        tokenizer_3=tokens[2].tok if len(tokens) > 2 else None,
    )


def clips(tokens, width, projections):
    return [
        clip_text(
            tokens[i].words, width, 3, 2, CLIPTextModelWithProjection, eos=2,
            projection_dim=projections[i], hidden_act=("quick_gelu", "gelu")[i],
        )
        for i in range(2)
    ]


def sd3_transformer(text, pooled, **kw):
    # 16 channels: diffusers' inpainting takes no others
    kw = (
        dict(
            sample_size=32,
            patch_size=2,
            in_channels=16,
            out_channels=16,
            num_layers=2,
            attention_head_dim=8,
            num_attention_heads=3,
            caption_projection_dim=24,
            pos_embed_max_size=24,
        )
        | kw
    )
    return loud(
        SD3Transformer2DModel(joint_attention_dim=text, pooled_projection_dim=pooled, **kw)
    )


def sd3_vae(widths, scaling_factor, shift_factor):
    return vae(
        widths, latent=16, scaling_factor=scaling_factor, shift_factor=shift_factor,
        use_quant_conv=False, use_post_quant_conv=False,
    )


def sd3():
    """SD3 medium in small: CLIP twice and T5, shift 3."""
    tokens = Tokenizer(600), Tokenizer(600, pad="!"), SentencePieces()
    texts = [*clips(tokens, 10, (8, 6)), t5(tokens[2].words, 28)]
    v = sd3_vae((4, 8, 8), 1.5305, 0.0609)
    pipe = sd3_pipe(tokens, texts, sd3_transformer(28, 14), v, flow(shift=3.0))
    return pipe, tokens, dict(dtype=torch.float16)


def sd35():
    """SD3.5 in small: normed queries and keys, dual attention, no T5, other head width."""
    tokens = Tokenizer(600, style="json"), Tokenizer(600, pad="!", style="json")
    texts = clips(tokens, 8, (8, 8))
    v = sd3_vae((4, 8), 0.9, -0.2)
    transformer = sd3_transformer(
        20, 16, num_layers=3, qk_norm="rms_norm", dual_attention_layers=(0, 1), attention_head_dim=6,
        num_attention_heads=2, caption_projection_dim=12, pos_embed_max_size=20, sample_size=16,
    )
    s = flow(shift=1.5, use_dynamic_shifting=True, max_image_seq_len=1024)
    return sd3_pipe(tokens, texts, transformer, v, s), tokens, dict(dtype=torch.bfloat16)


def sd3_odd():
    """CLIP wider than T5, so that it is cut; dual attention without norms, Karras levels."""
    tokens = (
        Tokenizer(600, style="json"), Tokenizer(600, pad="!", style="json"),
        SentencePieces(style="json"),
    )
    texts = [*clips(tokens, 10, (4, 10)), t5(tokens[2].words, 14, feed_forward_proj="relu", num_layers=3)]
    transformer = sd3_transformer(
        14, 14, num_layers=4, dual_attention_layers=(1, 3), attention_head_dim=10,
        num_attention_heads=2, caption_projection_dim=20, pos_embed_max_size=15,
    )
    s = flow(shift=2.0, use_karras_sigmas=True)
    return sd3_pipe(tokens, texts, transformer, sd3_vae((8, 4, 8), 1.2, 0.1), s), tokens, dict(
        dtype=torch.float32
    )


# --- FLUX -----------------------------------------------------------------------------------------


def flux_pipe(style, transformer, scheduler, cls=FluxPipeline, feed_forward="gated-gelu"):
    tokens = Tokenizer(600, style=style), SentencePieces(style=style)
    text = clip_text(tokens[0].words, 12, 2, 2, eos=2)
    v = vae(
        (4, 8, 8), scaling_factor=0.3611, shift_factor=0.1159, use_quant_conv=False,
        use_post_quant_conv=False,
    )
    pipe = cls(
        transformer=transformer,
        scheduler=scheduler,
        vae=v,
        text_encoder=text,
        tokenizer=tokens[0].tok,
        text_encoder_2=t5(tokens[1].words, 20, feed_forward_proj=feed_forward),
        tokenizer_2=tokens[1].tok,
    )
    return pipe, tokens


def flux_transformer(**kw):
    kw = (
        dict(
            patch_size=1,
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=12,
            num_attention_heads=2,
            joint_attention_dim=20,
            pooled_projection_dim=12,
            axes_dims_rope=(4, 4, 4),
        )
        | kw
    )
    return loud(FluxTransformer2DModel(**kw))


def flux_schnell():
    """No guidance of any kind, shift 1."""
    pipe, tokens = flux_pipe("json", flux_transformer(), flow(shift=1.0))
    return pipe, tokens, dict(dtype=torch.bfloat16, absent=("guidance", "no_guidance", "negative"))


def flux_dev():
    """A guidance embedding, two blocks of each kind, shift by picture size."""
    transformer = flux_transformer(guidance_embeds=True, num_layers=2, num_single_layers=2)
    with torch.no_grad():
        transformer.time_text_embed.guidance_embedder.linear_2.weight.mul_(4)
    s = flow(
        shift=3.0, use_dynamic_shifting=True, base_shift=0.5, max_shift=1.15,
        base_image_seq_len=16, max_image_seq_len=256,
    )
    pipe, tokens = flux_pipe("pair", transformer, s, feed_forward="relu")
    return pipe, tokens, dict(dtype=torch.float16, absent=("negative",))


def flux_fill():
    """Mask and masked picture beside the latents."""
    # 16 of noise, 16 of the masked picture, 4x4 mask pixels in each of 2x2 latents
    transformer = flux_transformer(in_channels=16 + 16 + 64, out_channels=16, guidance_embeds=True)
    pipe, tokens = flux_pipe("json", transformer, flow(shift=1.0), FluxFillPipeline)
    return pipe, tokens, dict(dtype=torch.float16, absent=("guidance", "no_guidance", "negative"))


def flux_odd():
    """Unequal rotary axes, three heads, more single blocks than double ones, beta levels."""
    transformer = flux_transformer(
        guidance_embeds=True, num_layers=1, num_single_layers=3, attention_head_dim=14,
        num_attention_heads=3, axes_dims_rope=(2, 8, 4),
    )
    with torch.no_grad():
        transformer.time_text_embed.guidance_embedder.linear_2.weight.mul_(4)
    s = flow(shift=2.0, use_dynamic_shifting=True, time_shift_type="linear", shift_terminal=0.1)
    pipe, tokens = flux_pipe("json", transformer, s)
    return pipe, tokens, dict(dtype=torch.bfloat16, absent=("negative",))


TOYS = dict(sd3=sd3, sd35=sd35, sd3_odd=sd3_odd, flux_odd=flux_odd, flux_schnell=flux_schnell, flux_dev=flux_dev, flux_fill=flux_fill)
