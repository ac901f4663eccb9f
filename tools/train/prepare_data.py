#!/usr/bin/env python3
"""Collect emoji pictures, names and keywords into one folder.

  python prepare_data.py NPM_DIR DATA_DIR

NPM_DIR holds the unpacked packages (README.md names them). Writes DATA_DIR/rgba.npy, uint8 [N, 256, 256, 4] with
straight alpha, and DATA_DIR/meta.json, one entry per picture. The WordNet package is read by vocabulary.py.
"""

import io
import json
import pathlib
import re
import sys

import cairosvg
import numpy as np
from PIL import Image

SIZE_PX = 256
KEEP_GROUPS = {
    "smileys-emotion", "animals-nature", "food-drink", "travel-places", "activities", "objects",
}
KEEP_SUBGROUPS = {
    "body-parts", "hand-fingers-open", "hand-fingers-partial", "hand-single-finger",
    "hand-fingers-closed", "hands", "hand-prop", "person", "person-role", "person-fantasy", "geometric",
}
DROP_SUBGROUPS = {
    "transport-sign", "country-flag", "skin-tone", "hair-style", "person-sport", "other-symbol", "sound", "map",
}
KEEP_CLOCKS = {"hourglass done", "watch", "alarm clock", "stopwatch"}
KEEP_PEOPLE = {"man", "woman", "boy", "girl", "baby", "old man", "old woman", "man: beard"}
GENDERED = re.compile(r"^(man|woman|men|women|boy|girl)\b|:")


def read_list(name):
    """The names in lists/NAME.txt."""
    lines = (pathlib.Path(__file__).parent / "lists" / f"{name}.txt").read_text().splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def is_wanted(entry, groups, dropped):
    if "subgroup" not in entry or entry["label"].lower() in dropped:
        return False
    group = groups["groups"][str(entry["group"])]
    subgroup = groups["subgroups"][str(entry["subgroup"])]
    label = entry["label"]
    if subgroup == "time":
        return label in KEEP_CLOCKS
    if subgroup in DROP_SUBGROUPS:
        return False
    if group in KEEP_GROUPS:
        return True
    if subgroup not in KEEP_SUBGROUPS:
        return False
    if subgroup.startswith("person") and GENDERED.search(label):
        return label in KEEP_PEOPLE
    if subgroup == "geometric":
        return not re.search("medium|small|button|large|dot", label)
    return True


def square(image):
    image = image.convert("RGBA")
    if image.size == (SIZE_PX, SIZE_PX):
        return np.asarray(image)
    image.thumbnail((SIZE_PX, SIZE_PX), Image.LANCZOS)
    page = Image.new("RGBA", (SIZE_PX, SIZE_PX), (0, 0, 0, 0))
    page.paste(image, ((SIZE_PX - image.width) // 2, (SIZE_PX - image.height) // 2))
    return np.asarray(page)


def other_names(entry, shortcodes):
    names = set()
    for codes in shortcodes:
        found = codes.get(entry["hexcode"], [])
        for name in [found] if isinstance(found, str) else found:
            names.add(name.replace("_", " ").replace("-", " "))
    return sorted(n for n in names
                  if n != entry["label"].lower() and len(n) > 2 and not re.search(r"\d|non potable", n))


class FlatIcons:
    """Fluent Emoji Flat, drawn from the SVG bodies of its Iconify package."""

    def __init__(self, package):
        self.icons = json.loads((package / "icons.json").read_text())
        chars = json.loads((package / "chars.json").read_text())
        self.by_code = {code.replace("-fe0f", ""): name for code, name in chars.items()}

    def draw(self, code):
        icon = self.icons["icons"].get(self.by_code.get(code, ""))
        if icon is None:
            return None
        width = icon.get("width", self.icons.get("width", 32))
        height = icon.get("height", self.icons.get("height", 32))
        svg = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
               f'width="{SIZE_PX}" height="{SIZE_PX}">{icon["body"]}</svg>')
        png = cairosvg.svg2png(bytestring=svg.encode(), output_width=SIZE_PX, output_height=SIZE_PX)
        return square(Image.open(io.BytesIO(png)))


def main(npm, out):
    package = lambda start: sorted(npm.glob(f"*{start}*/package"))[0]
    emojibase = package("emojibase-data")
    entries = json.loads((emojibase / "en/data.json").read_text())
    groups = json.loads((emojibase / "meta/groups.json").read_text())
    shortcodes = [json.loads((emojibase / f"en/shortcodes/{kind}.json").read_text())
                  for kind in ("emojibase", "github", "iamcal", "cldr")]
    glossy = {f.stem.replace("-fe0f", ""): f for f in sorted((package("fluent-emoji-3d") / "assets").glob("*.webp"))}
    flat = FlatIcons(package("fluent-emoji-flat"))
    dropped = read_list("drop")

    pictures, meta = [], []
    for entry in entries:
        if not is_wanted(entry, groups, dropped):
            continue
        code = entry["hexcode"].lower().replace("-fe0f", "")
        common = {
            "name": entry["label"].lower().replace("’", "'"),
            "alt": other_names(entry, shortcodes),
            "tags": [tag.lower() for tag in entry.get("tags", [])],
            "code": code,
            "group": groups["groups"][str(entry["group"])],
            "subgroup": groups["subgroups"][str(entry["subgroup"])],
        }
        if code in glossy:
            pictures.append(square(Image.open(glossy[code])))
            meta.append({**common, "style": "3d"})
        icon = flat.draw(code)
        if icon is not None:
            pictures.append(icon)
            meta.append({**common, "style": "flat"})
    out.mkdir(parents=True, exist_ok=True)
    np.save(out / "rgba.npy", np.stack(pictures))
    (out / "meta.json").write_text(json.dumps(meta, indent=0))
    print(len(meta), "pictures,", sum(m["style"] == "3d" for m in meta), "of them 3d")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
