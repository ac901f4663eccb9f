#!/usr/bin/env python3
"""Every `--flag` that our messages and documents name is one that limner has.

Flags come from the settings table and the command line's own (--help, --version, --config). In documents a line that
calls another program, or continues such a line, may name that program's.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLAG = re.compile(r"(?<![\w/.-])--[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
# Programs whose lines in the documents have flags of their own.
OTHERS = re.compile(
    r"(?:^|[\s`|;&$(])(?:cmake|ctest|curl|git|pip|npm|docker|podman|hf|huggingface-cli|optimum-cli|python3?|make|"
    r"(?:\S*/)?test_\w+|nginx|caddy|rsync|cp|nc|openssl|kubectl|bench/\w+\.py|tools/\w+/\w+\.(?:py|sh))\b"
)
# Words that begin like a flag and are none.
NONE = {"--boundary"}


def known_flags():
    settings = (ROOT / "src/config/settings.cpp").read_text()
    flags = set(re.findall(r'Setting\{\s*"\w+",\s*"(?:-\w,)?(--[\w-]+)"', settings))
    line = (ROOT / "src/config/command_line.cpp").read_text()
    flags |= set(re.findall(r'add_(?:option|flag)\("(?:-\w,)?(--[\w-]+)"', line))
    return flags | {"--help"}


def strings_of(source):
    """(line number, text) of each string literal, and of comments, which explain them."""
    for number, line in enumerate(source.read_text().splitlines(), 1):
        if line.lstrip().startswith("//"):
            yield number, line
        else:
            for text in re.findall(r'"((?:[^"\\]|\\.)*)"', line):
                yield number, text
            if '"' not in line and re.match(r"\s*limner ", line):  # raw strings: examples of use
                yield number, line


def lines_of(document):
    is_other = False
    for number, line in enumerate(document.read_text().splitlines(), 1):
        is_other = bool(OTHERS.search(line)) or (is_other and line.startswith((" ", "\t", "-")))
        if not is_other:
            yield number, line
        if not line.rstrip().endswith("\\"):
            is_other = False


def main():
    known = known_flags()
    if len(known) < 30:
        print("src/config/settings.cpp: the table of settings was not found")
        return 1
    problems = []
    sources = [p for p in (ROOT / "src").rglob("*.[ch]pp")]
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    for path in sorted(sources + documents):
        for number, text in (strings_of if path in sources else lines_of)(path):
            for flag in FLAG.findall(text):
                if flag not in known | NONE:
                    problems.append(f"{path.relative_to(ROOT)}:{number}: limner has no {flag}")
    print("\n".join(problems) or f"{len(known)} flags, no other is named")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
