"""Writes tests/golden/tokenizers/: prompts in many scripts and the ids that transformers gives them.

python tools/golden/make_tokenizers.py CLIP_VOCAB CLIP_JSON CLIP_SMALL T5_TOY
  CLIP_VOCAB  folder with vocab.json and merges.txt (tests/golden/tokenizers/clip_full)
  CLIP_JSON   the same vocabulary as tokenizer.json, its marks not normalised
  CLIP_SMALL  a small vocabulary that pads with "!", as SD 2 and SDXL's second encoder do
  T5_TOY      a T5 tokenizer.json
or make_tokenizers.py qwen2, for Qwen's alone, whose vocabularies are trained here.
Needs transformers and sentencepiece; the versions used are written into the files.
"""

import io
import json
import random
import shutil
import sys
from pathlib import Path

import sentencepiece
import tokenizers
import transformers
from toy_z_image import train_bytes, write_qwen_pair
from transformers import AddedToken, CLIPTokenizer, Qwen2Tokenizer, T5Tokenizer

OUT = Path(__file__).resolve().parents[2] / "tests" / "golden" / "tokenizers"

ENGLISH = [
    "", " ", "   \t\n  ", "a", "A", "a cat", "A photo of an astronaut riding a horse on mars",
    "portrait of a woman, 85mm, f/1.8, bokeh, 8k uhd, film grain, Fujifilm XT3",
    "masterpiece, best quality, 1girl, solo, long_hair, looking_at_viewer",
    "it's the cat's meow; they've won't I'm we'll he'd don't 'tis 's 't 're 've 'm 'll 'd",
    "IT'S THE CAT'S MEOW; THEY'VE WON'T I'M WE'LL HE'D", "rock 'n' roll ''quoted'' '''", "'", "''s",
    "it’s a curly apostrophe, “quotes” — dashes… ellipsis", "hello!!! what??? (really) [yes] {no}",
    "1 12 123 1234 12345678901234567890", "3.14159, 1e-10, 0x1F, 50% off, $9.99, €20, £3, ¥500",
    "v1.5-pruned-emaonly.safetensors", "user@example.com https://example.com/a?b=c&d=e#f",
    "C:\\Windows\\System32", "x = a * (b + c) ** 2 / ~d ^ e | f & g", "#hashtag @mention $var",
    "supercalifragilisticexpialidocious pneumonoultramicroscopicsilicovolcanoconiosis",
    "CamelCase snake_case kebab-case SCREAMING_SNAKE", "a" * 200, "ab" * 150, "z" * 75 + " " + "q" * 77,
    "word " * 100, "the quick brown fox jumps over the lazy dog " * 10, ", ".join("abcdefghijklmnopqrstuvwxyz"),
    "(cat:1.3), [dog], (((very detailed))), \\(escaped\\)", "<lora:name:0.8> a cat", "a cat AND a dog BREAK a bird",
    "newlines\nin\r\nthe\rtext", "tabs\tand\vvertical\ffeeds", "trailing space ", " leading space", "double  spaces   here",
    "<|startoftext|>", "<|endoftext|>", "<|STARTOFTEXT|>", "<|EndOfText|> b", "a<|endoftext|>b", "?<|ENDOFTEXT|>!",
    "<|startoftext|><|startoftext|> a <|endoftext|><|endoftext|>", "<|startoftext", "startoftext|>", "<|endoftext|", "<||>",
    "<pad>", "</s>", "<unk>", "<s>", "a </s> b <pad> c <unk> d", "</S> <PAD>", "</s></s>", "<extra_id_0>",
    "a <mark> b<mark>", "fill <extra_id_0> in <extra_id_1> here <extra_id_99> <extra_id_100>", "▁", "▁a ▁▁b", "a▁b _ __ ___", "cat</w>", "</w>",
    "Ġhello Ċ", "!", "!!", "!!!", "a!b !c d! !", "! ! !", "&amp; &lt;b&gt; &#39;", "<b>bold</b>", "{\"json\": [1, 2, null]}",
]

SCRIPTS = [
    "un chat noir assis sur un canapé près de la fenêtre, l'été à Paris, où ça", "ÉCOLE, FRANÇAIS, ŒUVRE, ÇA, ÀÂÄÆ",
    "Ein Männchen mit großen Füßen isst Käse; STRASSE, STRAẞE, ẞ ß", "el niño pequeño comió piñas ¿qué? ¡sí! AÑO",
    "Zażółć gęślą jaźń ŁÓDŹ", "příliš žluťoučký kůň úpěl ďábelské ódy", "Árvíztűrő tükörfúrógép", "İstanbul'da ılık çay IĞDIR iİıI",
    "þetta er íslenska ÆÐI", "Tiếng Việt có rất nhiều dấu: ắ ằ ẳ ẵ ặ, Đường", "ŋ ʃ ʒ ə ɪ ʊ θ ð IPA [ˈfəʊ]", "Xin chào thế giới",
    "ένας μαύρος γάτος στη σκιά ΟΔΥΣΣΕΥΣ ΣΊΣΥΦΟΣ ς σ Σ", "ᾳ ῼ ᾼ Ἀθῆναι ΐ ΰ", "чёрная кошка сидит на окне, ЁЖ й Й", "Їжак, ґанок, єдність І Ї Є Ґ",
    "Љубав и Џеп, ЊЕГОШ", "հայերեն լեզու ԵՐԵՎԱՆ և ﬓ", "ქართული ენა ᲥᲐᲠᲗᲣᲚᲘ Ⴀ ⴀ", "חתול שחור על הספה שָׁלוֹם עִבְרִית", "قطة سوداء تجلس على الأريكة، مَرْحَبًا ١٢٣",
    "گربه سیاه روی مبل ۱۲۳ می‌خواهم", "بلی صوفے پر بیٹھی ہے ے", "ܫܠܡܐ ܥܠܡܐ", "ދިވެހިރާއްޖެ", "ߒߞߏ",
    "काली बिल्ली सोफे पर बैठी है, हिन्दी क्षत्रिय ज्ञान १२३", "কালো বিড়াল সোফায় বসে আছে ড় ঢ় য় ০১২", "ਕਾਲੀ ਬਿੱਲੀ ਖ਼ ਗ਼ ਜ਼", "કાળી બિલાડી", "କଳା ବିଲେଇ ଡ଼ ଢ଼",
    "கருப்பு பூனை சோபாவில் கொ கோ கௌ", "నల్ల పిల్లి సోఫా మీద", "ಕಪ್ಪು ಬೆಕ್ಕು ಕೊ", "കറുത്ത പൂച്ച സോഫയിൽ", "කළු පූසා", "แมวดำนั่งบนโซฟา กำ น้ำ ๑๒๓", "ແມວດຳນັ່ງ",
    "བོད་སྐད་ ཀྵ གྷ", "ကြောင်နက် ကော်", "ឆ្មាខ្មៅ", "ትልቅ ድመት አማርኛ", "ᎠᏂᏴᏫᏯ ꭰꮒ", "ᐃᓄᒃᑎᑐᑦ", "ᚠᚢᚦᚨᚱᚲ", "монгол ᠮᠣᠩᠭᠣᠯ",
    "一只黑猫坐在沙发上，窗外下着雨。", "一隻黑貓坐在沙發上，窗外下著雨。「引號」『雙』", "黒い猫がソファに座っている。カタカナ ひらがな ｶﾀｶﾅ ﾊﾟ ガ か゚", "검은 고양이가 소파에 앉아 있다. ᄒᆞᆫ글 한글",
    "㍿ ㎏ ㊙ ㈱ ① ② Ⅳ ⅷ ½ ¼ ² ³ ₂ ⁿ ℃ ™ ℠ №", "ﬁ ﬂ ﬀ ﬃ ﬅ ĳ Ŋ", "ＦＵＬＬＷＩＤＴＨ １２３ ！？　全角", "𝐁𝐨𝐥𝐝 𝒮𝒸𝓇𝒾𝓅𝓉 𝔉𝔯𝔞𝔨 𝟙𝟚𝟛", "ⓐⓑⓒ ⒜ 🄰 🅰 🅱",
    "Ω Ω K Å Å µ μ ſ", "𐐀𐐁𐐨 DESERET", "𞤀𞤣𞤢 adlam", "𐌰𐌱𐌲 gothic 𓀀 𓂀 𒀀", "🜀 ♔ ♠ ☯ ☃ ✂ ✈ ❤ ★ → ⇒ ∀ ∂ ∑ √ ∞ ≈ ≠ ≤ ░▒▓█ ┌─┐", "中文English混排123测试абв",
    "𠀀𠮷 𪚥 𫝀 𬺰 丽 龜 ⻲ ⼀", "々 〆 〇 ヶ ゝ ー 〜 ・", "ꙮ Ꙗ Ꚏ Ꞓ", "ǅ ǈ ǋ ǲ Ǆ", "ᾈ ᾘ ᾨ", "Ⅰ Ⅱ ⅰ ↀ", "𝕏 ℂ ℍ ℕ ℙ ℚ ℝ ℤ",
]

EMOJI = [
    "😀", "😀😀😀", "🙂 smile 😂", "👍🏽", "👩‍💻 programmer", "👨‍👩‍👧‍👦 family", "🏳️‍🌈 🏴‍☠️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🇩🇪🇫🇷🇯🇵 flags 🇩", "❤️ ❤ ❤️‍🔥 ☺️ ☺", "1️⃣2️⃣3️⃣ #️⃣ *️⃣", "🧑🏿‍🤝‍🧑🏻", "🤷‍♀️ 🤷🏻‍♂️",
    "cat🐱cat 🐈‍⬛", "a🎉b🎉c", "🫠🫡🫢🫣 🫨 🩷", "👁️‍🗨️", "🐻‍❄️", "⌚️⏰", "🀄 🃏", "©️ ® ™️",
]

COMBINING = [
    "e\u0301 vs \u00e9", "E\u0301cole", "a\u0323\u0307 a\u0307\u0323 ạ̇", "q\u0307\u0323 q\u0323\u0307", "o\u0302\u0323\u0301", "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!͖̬̰̙̗̿̋ͥͥ̂ͣ̐́́͜͞",
    "\u0301alone", " \u0301 ", "n\u0303o i\u0307 I\u0307 \u0130", "\u1100\u1161\u11a8 \uac01 \u1112\u119e\u11ab", "\u0915\u093c \u0958", "\u09af\u09bc", "\u0b95\u0bca", "か\u3099 は\u309a", "\u05e9\u05c1\u05bc \ufb2c", "\u0644\u0627 \ufefb",
    "a\u034fb", "x\u20dd 1\u20e3", "\u1e9b\u0323", "\u212b \u2126 \u2329\u232a", "\u0344 \u0374 \u037e \u0387", "\uf900\uf901\ufa10", "\U0002f800 \U0002fa1d", "a\u0f71\u0f72\u0f74", "e" + "\u0301\u0323" * 40,
    "\u0958\u0301", "\u0041\u030a\u0301", "\u1ea5\u0323", "\u00c5\u0327", "d\u030c\u0327 \u010f", "\u0338= =\u0338 \u2260", "\u0300\u0301\u0302", "a \u0300b", "\u0b47\u0b56 \u0b47\u0b3e", "\u1025\u102e \u0dd9\u0dcf\u0dca",
    "\u0898\u089ca", "a\u08ca\u0323\u0301", "\U00011935\U00011930", "\u0cc6\u0cc2\u0cd5", "\U0001d15e \U0001d1bb\U0001d16e",
]

CONTROLS = [
    "\x00", "a\x00b", "\x01\x02\x03", "a\x07b\x08c", "\x1b[31mred\x1b[0m", "\x7f", "\x80\x81\x9f", "a\x85b", "a\xa0b", "a\u2007b\u202fc", "a\u2028b\u2029c", "a\u3000b", "\u1680\u2000\u2001\u200a\u205f", "a\u200bb", "a\u200cb\u200dc", "\ufeffbom", "a\u00adb",
    "\u200erlm\u200f \u202aembed\u202c \u202eoverride\u202c \u2066iso\u2069", "\ufffd \ufffe \uffff", "\ue000 private \uf8ff", "\U000f0000 \U0010ffff", "\U0010fffd", "a\u180eb", "a\u2060b\u2061", "tag\U000e0041\U000e007f", "\r\n\r\n", "a\n\n\nb", "\x1c\x1d\x1e\x1f", "a\x1cb\x1fc", "\ufe0f\ufe0e",
    "\u0378\u0379", "\U0002ebf0\U0002ebf1 中\U0002ebf0", "\U00010d4a\U00010d50x", "\ua7cb\ua7da\ua7dc", "\U0001e5d0 \U00016ea0", "\u1c89\u1c8a",
]

SUBJECTS = ["a cat", "two dogs", "an old man with a beard", "a futuristic city", "The Eiffel Tower", "a bowl of ramen", "a red fox", "an astronaut"]
STYLES = ["oil painting", "in the style of Vincent van Gogh", "8k, highly detailed, trending on ArtStation", "pixel art", "watercolor, pastel colors", "isometric 3D render, Octane", "black & white photograph, 35mm", "ukiyo-e woodblock print"]


QWEN = [
    "<|im_start|>user\na cat<|im_end|>\n<|im_start|>assistant\n", "<think>\n\n</think>\n\na", "a<|im_end|>b <|im_start|> <|IM_END|>",
    "<|endoftext|>", "<|im_start", "user\n\n a", "user\n  a", "'S 'T 'RE 'Ve 'M 'lL 'D", "it'\u017f it'\u017fx \u017f '\u017et", "'l 'v 'r 'llx 'sx 'S\u0301",
    "\n", "\n\n\n", " \n \n ", "a \r\n\r\n  b   ", "a\t\n b", "...\n\n", " !?\n\r\na", "  !", "\u3000a \u3000", "\u3000\u3000a", "\xa0\xa0b\xa0",
    "x1y22z", " 1 22", "\u0663\u0664 \u2167 \u00bd9", "a\u0301\u0301b", " \u0301a", "\u0301\u0301 a", "caf\u00e9 cafe\u0301 caf\u00e9s", "\x85a\x85\n", "\x0b\x0ca", "$a #b _c @ d", "a\u200bb\u200d",
]


def random_prompts(count):
    rng = random.Random(20261121)
    blocks = [(0x20, 0x7E), (0x20, 0x7E), (0xA0, 0x17F), (0x180, 0x24F), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x52F), (0x590, 0x5FF), (0x600, 0x6FF),
              (0x900, 0x97F), (0x980, 0x9FF), (0xB80, 0xBFF), (0xE00, 0xE7F), (0x1100, 0x11FF), (0x1E00, 0x1EFF), (0x1F00, 0x1FFF), (0x2000, 0x206F),
              (0x2070, 0x21FF), (0x2460, 0x24FF), (0x2600, 0x27BF), (0x3040, 0x30FF), (0x3200, 0x33FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xF900, 0xFAFF),
              (0xFB00, 0xFDFF), (0xFF00, 0xFFEF), (0x1F300, 0x1F6FF), (0x1F900, 0x1F9FF), (0x1D400, 0x1D7FF), (0x20000, 0x2A6DF)]
    prompts = []
    for i in range(count):
        chosen = rng.sample(blocks, rng.choice([1, 2, 3])) if i % 4 else [(0, 0xD7FF), (0xE000, 0x1FFFF)]
        text = []
        for _ in range(rng.randint(1, 24)):
            first, last = rng.choice(chosen)
            text.append(chr(rng.randint(first, last)))
            if rng.random() < 0.15:
                text.append(rng.choice([" ", " ", "'s", "'LL", "!", ",", "\u0301", "\u0323", "9"]))
        prompts.append("".join(text))
    return prompts


def all_prompts():
    made = [f"{subject}, {style}" for subject in SUBJECTS for style in STYLES]
    prompts = ENGLISH + SCRIPTS + EMOJI + COMBINING + CONTROLS + made + random_prompts(300)
    return list(dict.fromkeys(prompts))


def write(name, head, rows):
    lines = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows]
    OUT.mkdir(parents=True, exist_ok=True)
    text = json.dumps(head)[:-1] + ', "rows": [\n' + ",\n".join(lines) + "\n]}\n"
    (OUT / name).write_text(text, encoding="utf-8")


def copy(folder, name):
    target = OUT / name
    target.mkdir(parents=True, exist_ok=True)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(Path(folder) / file, target / file)
        (target / file).chmod(0o644)


def train_spiece(prompts, name):
    """A model file as T5's own: pad, eos and unk first, nmt_nfkc, extra ids left to the tokenizer."""
    model = io.BytesIO()
    texts = [text.replace("\0", "") for text in prompts[:300]]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts * 2), model_writer=model, vocab_size=1400, model_type="unigram",
        pad_id=0, eos_id=1, unk_id=2, bos_id=-1, normalization_rule_name="nmt_nfkc", character_coverage=0.98,
        hard_vocab_limit=False, num_threads=1, minloglevel=2, user_defined_symbols=["<mark>"])
    (OUT / name).mkdir(parents=True, exist_ok=True)
    (OUT / name / "spiece.model").write_bytes(model.getvalue())


def train_qwen(prompts, words, name, splits):
    """A folder as transformers 4 wrote it, and a tokenizer for it."""
    shutil.rmtree(OUT / name, ignore_errors=True)
    write_qwen_pair(OUT / name, *train_bytes(prompts, words, splits))
    return Qwen2Tokenizer.from_pretrained(OUT / name)


def write_qwen2(prompts, head):
    """The second folder is as transformers 5 writes it, with a token that is looked for after NFC."""
    pair = train_qwen(prompts, 700, "qwen2_pair", True)
    whole = train_qwen(prompts + QWEN * 6 + ["\u017fx"] * 40, 1600, "qwen2_json", False)
    whole.add_tokens([AddedToken("cafe\u0301", normalized=True), AddedToken("@ ", lstrip=True, special=True)])
    shutil.rmtree(OUT / "qwen2_json")
    whole.save_pretrained(OUT / "qwen2_json")
    (OUT / "qwen2_json" / "chat_template.jinja").unlink()
    path = OUT / "qwen2_json" / "tokenizer_config.json"
    config = {k: v for k, v in json.loads(path.read_text()).items() if k not in ("is_local", "name_or_path")}
    path.write_text(json.dumps(config, indent=2) + "\n")
    whole = Qwen2Tokenizer.from_pretrained(OUT / "qwen2_json")
    rows = [[text] + [t(text).input_ids for t in (pair, whole)] for text in prompts + QWEN]
    write("qwen2.json", head | {"columns": ["text", "vocab_and_merges", "tokenizer_json"]}, rows)


def main():
    prompts = all_prompts()
    head = {"made_by": "tools/golden/make_tokenizers.py", "transformers": transformers.__version__,
            "tokenizers": tokenizers.__version__, "tolerance": "none: ids are equal"}
    write_qwen2(prompts, head)
    if sys.argv[1:] != ["qwen2"]:
        write_clip_and_t5(prompts, head)


def write_clip_and_t5(prompts, head):
    clip_vocab, clip_json, clip_small, t5_toy = sys.argv[1:5]
    assert len(prompts) >= 500, len(prompts)
    clips = [CLIPTokenizer.from_pretrained(folder) for folder in (clip_vocab, clip_json, clip_small)]
    rows = [[text] + [tokenizer(text).input_ids[1:-1] for tokenizer in clips] for text in prompts]
    columns = ["text", "vocab_and_merges", "tokenizer_json", "small_with_exclamation_pad"]
    # The two full vocabularies differ only in how their marks are found: where equal, null.
    rows = [[t, a, None if a == b else b, c] for t, a, b, c in rows]
    write("clip.json", head | {"columns": columns}, rows)
    copy(clip_small, "clip_small")

    copy(t5_toy, "t5_small")
    train_spiece(prompts, "t5_spiece")
    t5s = [T5Tokenizer.from_pretrained(OUT / name) for name in ("t5_small", "t5_spiece")]
    rows = [[text] + [tokenizer(text).input_ids[:-1] for tokenizer in t5s] for text in prompts]
    columns = {"columns": ["text", "tokenizer_json", "spiece"], "sentencepiece": sentencepiece.__version__}
    write("t5.json", head | columns, rows)
    print(len(prompts), "prompts")


main()
