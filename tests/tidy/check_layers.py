#!/usr/bin/env python3
"""Layers stay one-way: every #include under src/ is allowed by the table in docs/architecture.md.

The table's first column names a folder, its last what the folder may include beside itself. Also checked: only
the named folders include OpenVINO, Beast, curl and image codecs; lines keep to 100 columns; the paths that the
documents name exist.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
COLUMNS_MAX = 100
# Library header prefix -> folders that may include it.
FENCED = {
    "openvino/": {"runtime", "nn"},
    "boost/beast": {"http"},
    "boost/asio": {"http"},
    "curl/": {"http"},
    "png.h": {"codec"},
    "jpeglib.h": {"codec"},
    "webp/": {"codec"},
    "sqlite3.h": {"storage", "auth"},
    "yaml-cpp/": {"config"},
    "CLI/": {"config"},
}


def read_table():
    allowed = {}
    for line in (ROOT / "docs/architecture.md").read_text().splitlines():
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        match = re.fullmatch(r"`([\w/]+)/`", cells[0])
        if match and len(cells) >= 3:
            words = cells[-1].replace("—", "").strip()
            allowed[match[1]] = None if words == "everything" else set(re.findall(r"[\w/]+", words))
    return allowed


def folder_of(path):
    parts = pathlib.PurePosixPath(path).parts
    return "/".join(parts[:2]) if parts[0] == "diffusion" else parts[0]


def missing_paths():
    """Paths in backticks and relative links of the documents that lead nowhere."""
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        text = document.read_text()
        named = [(ROOT, p) for p in re.findall(r"`((?:src|docs|tools|tests|bench|models)/[\w./-]+)`", text)]
        linked = [(document.parent, p) for p in re.findall(r"\]\((?!https?:|#)([\w./-]+)", text)]
        for base, path in named + linked:
            if not (base / path).exists():
                yield f"{document.relative_to(ROOT)}: {path} does not exist"


def main():
    allowed = read_table()
    problems = list(missing_paths())
    if len(allowed) < 10:
        problems.append("docs/architecture.md: the table of folders was not found")
    short = {name.split("/")[-1]: name for name in allowed}
    for source in sorted((ROOT / "src").rglob("*.[ch]pp")):
        relative = source.relative_to(ROOT / "src")
        own = folder_of(relative.as_posix())
        if own not in allowed:
            problems.append(f"src/{relative}: folder {own} is not in docs/architecture.md")
            continue
        may = allowed[own]
        for number, line in enumerate(source.read_text().splitlines(), 1):
            where = f"src/{relative}:{number}"
            if len(line) > COLUMNS_MAX and "http" not in line:
                problems.append(f"{where}: {len(line)} columns")
            match = re.match(r'\s*#include\s+([<"])([^>"]+)[>"]', line)
            if not match:
                continue
            header = match[2]
            if match[1] == '"':
                target = folder_of(header)
                permitted = may is None or target == own or target in {short.get(w, w) for w in may}
                if not permitted:
                    problems.append(f"{where}: {own}/ may not include {target}/ ({header})")
            for prefix, folders in FENCED.items():
                if header.startswith(prefix) and own not in folders:
                    problems.append(f"{where}: only {', '.join(sorted(folders))} may include {prefix}")
    print("\n".join(problems) or f"{len(allowed)} folders, includes go one way")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
