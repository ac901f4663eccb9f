"""Copies of the embedded model, damaged in one place."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

EMBEDDED = Path(__file__).parents[2] / "models" / "emoji-256"
# Small, random weights, and it listens to guidance, which the embedded one does not.
TOY = Path(__file__).parents[1] / "parity" / "data" / "models" / "sd1"
UNET = "unet/diffusion_pytorch_model.safetensors"


def copy_model(to: Path, model: Path = EMBEDDED) -> Path:
    """Links, so that it costs nothing; replace() puts a real file in place of one."""
    shutil.copytree(model, to, copy_function=os.symlink)
    return to


def replace(folder: Path, name: str, content: bytes | None) -> None:
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)


def change_json(folder: Path, name: str, **members: object) -> None:
    fields = json.loads((folder / name).read_bytes())
    replace(folder, name, json.dumps({**fields, **members}).encode())


def change_header(folder: Path, change: Callable[[dict], None], name: str = UNET) -> None:
    """Rewrites the JSON header of a safetensors file; the tensors' bytes stay."""
    data = (folder / name).read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode()
    replace(folder, name, len(text).to_bytes(8, "little") + text + data[8 + length :])
