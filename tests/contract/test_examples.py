"""Every example of README.md and docs/api.md runs as it stands, one after another in one folder."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import client_of
from model_folders import EMBEDDED

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NODE_PACKAGES = ROOT / ".deps" / "node" / "node_modules"
FENCE = re.compile(
    r"^(?P<skip><!-- not run -->\n)?```(?P<kind>sh|python|js)\n(?P<code>.*?)^```$", re.M | re.S
)


@dataclass
class Example:
    line: int
    kind: str
    code: str


def examples_of(document: Path) -> list[Example]:
    text = document.read_text()
    return [
        Example(text.count("\n", 0, found.start()) + 1, found["kind"], found["code"])
        for found in FENCE.finditer(text)
        if not found["skip"]
    ]


def command_of(example: Example, folder: Path) -> list:
    bin_folder = Path(sys.executable).parent
    if example.kind == "sh":
        return ["bash", "-euo", "pipefail", "-c", example.code]
    script = folder / ("example.py" if example.kind == "python" else "example.mjs")
    script.write_text(example.code)
    return [bin_folder / ("python" if example.kind == "python" else "node"), script]


@pytest.mark.parametrize("name", ["README.md", "docs/api.md"])
def test_every_example_runs(start_server, binary, cache_folder, tmp_path, name):
    """The embedded model with few steps; everything else is as a reader has it."""
    config = tmp_path / "limner.yaml"
    config.write_text(f"models:\n  emoji-256: {{path: {EMBEDDED}, default_steps: 3}}\n")
    own = start_server("--config", str(config))
    (tmp_path / "build").symlink_to(binary.parent)
    (tmp_path / "node_modules").symlink_to(NODE_PACKAGES)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "LIMNER_CACHE_DIR": str(cache_folder),
        "LIMNER_STEPS": "2",
    }
    examples = examples_of(ROOT / name)
    assert len(examples) >= 3
    for example in examples:
        example.code = example.code.replace("http://127.0.0.1:8080", own.url)
        done = subprocess.run(
            command_of(example, tmp_path),
            capture_output=True,
            text=True,
            env=environment,
            cwd=tmp_path,
            timeout=120,
        )
        where = (
            f"{name}:{example.line}\n{example.code}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        )
        assert done.returncode == 0, where
        assert '{"error"' not in done.stdout and "event: error" not in done.stdout, where
    assert client_of(own).models.list().data
