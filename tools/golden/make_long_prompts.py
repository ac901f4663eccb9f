"""What diffusers paints of prompts with weights and of more than 77 tokens, for the parity tests.

usage: make_long_prompts.py MODELS OUT

MODELS holds the folders of make_toys.py. OUT/prompts.json and OUT/pictures/ receive the cases. diffusers reads
neither weights nor long prompts, so the embeds are made here, by the rules of the web UIs, from transformers' encoders:
stretches of one weight are tokenised each on its own, 75 tokens make a chunk with its own marks, BREAK begins a new
one, the shorter of prompt and negative prompt is filled up with empty chunks, each token's row is multiplied by its
weight and the chunk scaled back to its mean; the pooled row is the first chunk's. A picture in float32 on one CPU thread.
"""

import json
import pathlib
import re
import sys

import diffusers
import numpy as np
import torch
import transformers
from PIL import Image

ROOM = 75
MANY = "a cat and a dog and a bird in the snow on the moon "
CASES = [  # prompt, negative, guidance
    ("a (red:1.4) cat on the moon", "blurry", 5.0),
    ("a ((red)) cat on [the] moon", "(ugly:1.5), blurry", 5.0),
    (r"a \(red\) cat \[on\] the \\ moon", "blurry", 5.0),
    ("a (red (big:1.5):0.7) cat [on [the] moon", "", 5.0),
    ("(a red cat:-0.5) on the moon", "blurry", 1.0),
    (MANY * 8, "blurry, ugly", 5.0),
    ("a red cat", MANY * 8, 5.0),
    ("a red cat BREAK on the (moon:1.2)", "blurry", 5.0),
    (MANY * 3 + "(in a red house:1.3) BREAK [blue]", "(ugly:0.5) " + MANY * 6, 4.0),
]
CHUNKS_MAX = 3
TOKEN = re.compile(r"\\[()\[\]\\]|\\|[()\[\]]|[^\\()\[\]]+")
CLOSING = re.compile(r"\A(.*?):\s*([+-]?[.\d]+)\s*\Z", re.S)


def flatten(node, weight):
    for part in node:
        if isinstance(part, str):
            yield part, weight
        else:
            children, factor = part
            yield from flatten(children, weight * factor)


def read(text):
    """(stretch, weight) pairs, neighbours of one weight joined; "BREAK" is a stretch of its own."""
    root = []
    stack = [(None, root)]
    for token in TOKEN.findall(text):
        children = stack[-1][1]
        if token in "([":
            stack.append((token, []))
        elif token in ")]" and stack[-1][0] == {")": "(", "]": "["}[token]:
            kind, inside = stack.pop()
            factor = 1.1 if kind == "(" else 1 / 1.1
            last = inside[-1] if inside and isinstance(inside[-1], str) else ""
            if kind == "(" and (found := CLOSING.match(last)):
                inside[-1], factor = found[1], float(found[2])
            stack[-1][1].append((inside, factor))
        elif len(token) == 2 and token[0] == "\\":
            children.append(token[1])
        elif token != "\\":
            children.append(token)
    while len(stack) > 1:  # a bracket left open reaches to the end
        kind, inside = stack.pop()
        stack[-1][1].append((inside, 1.1 if kind == "(" else 1 / 1.1))
    out = []
    for part, weight in flatten(root, 1.0):
        pieces = re.split(r"\s*\bBREAK\b\s*", part)
        for i, piece in enumerate(pieces):
            if i > 0:
                out.append(("BREAK", -1.0))
            if out and out[-1][0] != "BREAK" and out[-1][1] == weight:
                out[-1] = (out[-1][0] + piece, weight)
            else:
                out.append((piece, weight))
    return out


def chunks_of(tokenizer, text):
    chunks = [[]]
    for stretch, weight in read(text):
        if stretch == "BREAK":
            chunks.append([])
            continue
        for token in tokenizer(stretch, add_special_tokens=False, truncation=False).input_ids:
            if len(chunks[-1]) == ROOM:
                chunks.append([])
            chunks[-1].append((token, weight))
    assert len(chunks) <= CHUNKS_MAX
    return chunks


def embed(tokenizer, encoder, chunks, penultimate):
    rows, pooled = [], None
    for chunk in chunks:
        padding = ROOM - len(chunk)
        ids = [tokenizer.bos_token_id, *(t for t, _ in chunk), tokenizer.eos_token_id]
        ids += [tokenizer.pad_token_id] * padding
        weights = torch.tensor([1.0, *(w for _, w in chunk), 1.0] + [1.0] * padding)
        out = encoder(torch.tensor([ids]), output_hidden_states=True)
        z = out.hidden_states[-2] if penultimate else out[0]
        if any(w != 1.0 for _, w in chunk):
            before = z.mean()
            z = z * weights[None, :, None]
            z = z * (before / z.mean())
        rows.append(z)
        pooled = out[0] if pooled is None else pooled
    return torch.cat(rows, dim=1), pooled


def conditioning(pipe, prompt, negative, guided):
    encoders = [(pipe.tokenizer, pipe.text_encoder)]
    if hasattr(pipe, "text_encoder_2"):
        encoders.append((pipe.tokenizer_2, pipe.text_encoder_2))
    is_xl = len(encoders) == 2
    texts = [prompt, negative] if guided else [prompt]
    chunks = [[chunks_of(tokenizer, text) for tokenizer, _ in encoders] for text in texts]
    count = max(len(c) for of_text in chunks for c in of_text)
    out = []
    for of_text in chunks:
        embeds, pooled = [], None
        for (tokenizer, encoder), own in zip(encoders, of_text):
            rows, pooled = embed(tokenizer, encoder, own + [[]] * (count - len(own)), is_xl)
            embeds.append(rows)
        out.append((torch.cat(embeds, dim=-1), pooled))
    kw = dict(prompt_embeds=out[0][0])
    if is_xl:
        kw["pooled_prompt_embeds"] = out[0][1]
    if guided and is_xl and negative == "" and pipe.config.force_zeros_for_empty_prompt:
        out[1] = tuple(torch.zeros_like(x) for x in out[0])
    if guided:
        kw["negative_prompt_embeds"] = out[1][0]
        if is_xl:
            kw["negative_pooled_prompt_embeds"] = out[1][1]
    return kw, count


@torch.no_grad()
def paint(pipe, kw, guidance):
    picture = pipe(**kw, num_inference_steps=5, width=64, height=64, guidance_scale=guidance,
                   generator=torch.Generator().manual_seed(11)).images[0]
    return np.asarray(picture.convert("RGB")).astype(int)


def main():
    torch.set_num_threads(1)
    diffusers.utils.logging.set_verbosity_error()
    transformers.utils.logging.set_verbosity_error()
    models, out = map(pathlib.Path, sys.argv[1:3])
    kept = []
    for toy in ("sd1", "sd2-v", "sdxl"):
        pipe = diffusers.DiffusionPipeline.from_pretrained(models / toy, torch_dtype=torch.float32)
        pipe.set_progress_bar_config(disable=True)
        for i, (prompt, negative, guidance) in enumerate(CASES):
            with torch.no_grad():
                kw, count = conditioning(pipe, prompt, negative, guidance > 1)
            picture = paint(pipe, kw, guidance)
            plain = paint(pipe, dict(prompt=re.sub(r"[()\[\]\\]|:-?[\d.]+|BREAK", "", prompt),
                                     negative_prompt=re.sub(r"[()\[\]\\]|:-?[\d.]+", "", negative)), guidance)
            moved = np.abs(picture - plain).mean()
            is_escape = "\\" in prompt
            assert moved > 1 or is_escape, (toy, prompt, moved)
            name = f"{toy}-prompt-{i}"
            Image.fromarray(picture.astype(np.uint8)).save(out / "pictures" / f"{name}.png", optimize=True)
            kept.append(dict(name=name, toy=toy, task="text_to_image", prompt=prompt, negative=negative, steps=5,
                             guidance=guidance, seed=11, width=64, height=64, chunks_max=CHUNKS_MAX, weights=True,
                             chunks=count, moved=round(float(moved), 2), file=f"pictures/{name}.png"))
            print(name, count, moved)
    versions = dict(diffusers=diffusers.__version__, transformers=transformers.__version__, torch=torch.__version__)
    manifest = dict(made_by="tools/golden/make_long_prompts.py", versions=versions,
                    tolerance=dict(mean_abs_difference_8bit=0.5, psnr_db=45.0), cases=kept)
    (out / "prompts.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main()
