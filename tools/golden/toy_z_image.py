"""Toys of Z-Image: a language model for prompts, one stream of tokens for picture and caption."""

import json
import pathlib
import shutil
import tempfile

import torch
from diffusers import ZImagePipeline, ZImageTransformer2DModel
from safetensors.torch import load_file, save_file
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers
from toy_parts import CLIP_SOURCE, vae
from toy_transformers import flow
from transformers import Qwen2Tokenizer, Qwen3Config, Qwen3Model

MARKS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>"]
# What Qwen3's own template makes of one user's message.
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
PATTERN = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def train_bytes(texts, words, splits=True):
    """vocab and merges of a byte-level vocabulary of `words` tokens, marks not among them.

    Without `splits` merges run across what Qwen's pattern takes apart, so that each cut shows.
    """
    bpe = Tokenizer(models.BPE())
    steps = [pre_tokenizers.Split(Regex(PATTERN), "isolated")] if splits else []
    steps.append(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False))
    bpe.pre_tokenizer = pre_tokenizers.Sequence(steps)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=words, initial_alphabet=sorted(alphabet), show_progress=False
        ),
    )
    made = json.loads(bpe.to_str())["model"]
    return made["vocab"], [m if isinstance(m, str) else " ".join(m) for m in made["merges"]]


def write_qwen_pair(folder, vocab, merges, **settings):
    """vocab.json + merges.txt with their marks in tokenizer_config.json, as transformers 4 wrote."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    rules = dict(lstrip=False, rstrip=False, single_word=False, normalized=False)
    decoder = {
        str(len(vocab) + i): dict(content=mark, special="think" not in mark, **rules)
        for i, mark in enumerate(MARKS)
    }
    config = dict(
        tokenizer_class="Qwen2Tokenizer", added_tokens_decoder=decoder, bos_token=None,
        eos_token=MARKS[2], pad_token=MARKS[0], unk_token=None, model_max_length=131072,
        additional_special_tokens=MARKS[1:3], chat_template=TEMPLATE, **settings,
    )
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")


class Bytes:
    """A byte-level vocabulary over the words that CLIP's merges end in."""

    def __init__(self, words=420, style="pair"):
        self.style, self.folder = style, pathlib.Path(tempfile.mkdtemp())
        vocab = json.loads((CLIP_SOURCE / "vocab.json").read_text())
        known = [w[:-4] for w in sorted(vocab, key=vocab.get) if w.endswith("</w>")]
        known = [w for w in known if w.isascii() and w.isalpha()][:2000]
        texts = [" ".join(known[i : i + 8]) + "!\n" for i in range(0, len(known), 8)]
        write_qwen_pair(self.folder, *train_bytes(texts + ["user\n", "assistant\n"] * 40, words))
        self.tok = Qwen2Tokenizer.from_pretrained(self.folder)
        self.words = len(self.tok)

    def write(self, folder):
        if self.style == "pair":
            shutil.rmtree(folder)
            shutil.copytree(self.folder, folder)


def qwen3(words, width, **kw):
    kw = dict(
        num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, head_dim=6,
        intermediate_size=32, rope_parameters=dict(rope_type="default", rope_theta=10000.0),
    ) | kw
    model = Qwen3Model(Qwen3Config(vocab_size=words + 3, hidden_size=width, **kw))
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() == 1:
                p.add_(torch.randn_like(p) * 0.1)
            elif "embed" in name:
                p.copy_(torch.randn_like(p))
            else:
                p.copy_(torch.randn_like(p) * 1.2 / p.shape[1] ** 0.5)
    return model.eval()


def transformer(text, **kw):
    kw = dict(
        in_channels=4, n_layers=2, n_refiner_layers=1, n_heads=2, n_kv_heads=2,
        cap_feat_dim=text, axes_dims=[4, 4, 6], axes_lens=[600, 40, 40],
    ) | kw
    model = ZImageTransformer2DModel(dim=kw["n_heads"] * sum(kw["axes_dims"]), **kw)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "pad_token" in name:
                p.copy_(torch.randn_like(p))
            elif p.dim() == 1:
                p.add_(torch.randn_like(p) * 0.1)
                if "norm_q" in name or "norm_k" in name or "attention_norm2" in name:
                    p.mul_(2)
            elif "to_q" in name or "to_k" in name or "adaLN" in name:
                p.mul_(2)
            elif "x_embedder" in name:
                p.mul_(0.5)
        # The time's middle layer is 1024 wide whatever the config says; zeros pack well.
        model.t_embedder.mlp[0].weight[40:].zero_()
        model.t_embedder.mlp[0].weight[:40].mul_(3)
        model.t_embedder.mlp[2].weight.mul_(3)
    return model.eval()


def z_image_pipe(style, width, scheduler, words=420, text=None, v=None, **kw):
    tokens = Bytes(words, style)
    pipe = ZImagePipeline(
        scheduler=scheduler,
        vae=v or vae(
            (4, 8, 8), scaling_factor=0.3611, shift_factor=0.1159, use_quant_conv=False,
            use_post_quant_conv=False,
        ),
        text_encoder=qwen3(tokens.words, width, **(text or {})),
        tokenizer=tokens.tok,
        transformer=transformer(width, **kw),
    )
    return pipe, tokens


def as_downloaded(folder):
    """The text encoder as a causal language model of transformers 4, as Tongyi's folders have it."""
    encoder = folder / "text_encoder"
    tensors = load_file(encoder / "model.safetensors")
    tensors = {f"model.{k}": v for k, v in tensors.items()}
    save_file(tensors, encoder / "model.safetensors", metadata=dict(format="pt"))
    config = json.loads((encoder / "config.json").read_text())
    rope = config.pop("rope_parameters")
    config |= dict(architectures=["Qwen3ForCausalLM"], rope_theta=rope["rope_theta"])
    config |= dict(rope_scaling=None, tie_word_embeddings=True, torch_dtype="bfloat16")
    (encoder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def z_image_turbo():
    """As downloaded: transformers 4's files, a language model's tensor names, shift 3, no guidance."""
    pipe, tokens = z_image_pipe("pair", 24, flow(shift=3.0, use_dynamic_shifting=False))
    save = dict(dtype=torch.bfloat16, finish=as_downloaded, options=dict(guidance=0.0))
    return pipe, tokens, save


def z_image_base():
    """Guided, shift 6, no norms of queries and keys, one head of keys, 16 channels."""
    v = vae((4, 8), latent=16, scaling_factor=0.8, shift_factor=-0.3)
    text = dict(
        num_hidden_layers=2, num_key_value_heads=1, attention_bias=True,
        rope_parameters=dict(rope_type="default", rope_theta=1e6), hidden_act="gelu",
    )
    pipe, tokens = z_image_pipe(
        "json", 20, flow(shift=6.0), text=text, v=v, in_channels=16, n_heads=3, n_kv_heads=1,
        n_layers=3, n_refiner_layers=2, qk_norm=False, norm_eps=1e-3, axes_dims=[2, 4, 4],
        rope_theta=100.0, t_scale=500.0, all_patch_size=(4, 2), all_f_patch_size=(1, 1),
    )
    return pipe, tokens, dict(dtype=torch.float16, options=dict(guidance=5.0))


TOYS = dict(z_image_turbo=z_image_turbo, z_image_base=z_image_base)
