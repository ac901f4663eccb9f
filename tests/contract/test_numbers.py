"""Precision, and numbers that are none: what the real binary does with damaged weights."""

import json
import struct
from pathlib import Path

import pytest
from model_folders import TOY, UNET, copy_model, replace
from pictures import decode

PATH = "/v1/images/generations"
VAE = "vae/diffusion_pytorch_model.safetensors"
FIELDS = {"prompt": "a red cat", "size": "64x64", "num_inference_steps": 2, "seed": 7}
NAN, INFINITY = float("nan"), float("inf")


def spoil(folder: Path, name: str, tensor: str, number: float) -> None:
    """The first number of one tensor."""
    data = bytearray((folder / name).read_bytes())
    length = int.from_bytes(data[:8], "little")
    entry = json.loads(data[8 : 8 + length])[tensor]
    kind = {"F16": "<e", "F32": "<f"}[entry["dtype"]]
    struct.pack_into(kind, data, 8 + length + entry["data_offsets"][0], number)
    replace(folder, name, bytes(data))


@pytest.fixture
def toy(tmp_path) -> Path:
    return copy_model(tmp_path / "toy", TOY)


@pytest.mark.parametrize(
    "name, tensor, number",
    [
        (UNET, "conv_out.bias", NAN),
        (UNET, "conv_in.weight", -INFINITY),
        (VAE, "decoder.conv_out.bias", INFINITY),
    ],
)
def test_weights_that_are_no_numbers_are_never_painted_with(
    start_server, run_limner, toy, name, tensor, number
):
    spoil(toy, name, tensor, number)
    own = start_server("--model", f"toy={toy}", ready=False)
    reply = own.post_json(PATH, FIELDS)
    assert (reply.status, reply.error()["code"]) == (503, "model_load_failed")
    assert tensor in reply.error()["message"] and str(toy) not in reply.text()
    assert own.metric('limner_failures_total{model="toy",reason="model_load_failed"}') == 1
    painted = run_limner("generate", "a red cat", "--model", f"toy={toy}", "-o", "x.png")
    assert painted.returncode == 1
    assert tensor in painted.stderr


def test_a_lora_that_is_no_numbers_is_refused_in_its_own_words(start_server, tmp_path):
    source = TOY.parents[1] / "loras" / "sd1" / "peft.safetensors"
    (tmp_path / "loras").mkdir()
    lora = tmp_path / "loras" / "peft.safetensors"
    lora.symlink_to(source)
    data = source.read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    tensor = next(name for name, entry in header.items() if entry.get("dtype") == "F32")
    spoil(tmp_path / "loras", "peft.safetensors", tensor, NAN)
    own = start_server("--model", f"toy={TOY}", "--lora-dir", str(tmp_path / "loras"))
    reply = own.post_json(PATH, {**FIELDS, "loras": ["peft"]})
    assert (reply.status, reply.error()["code"]) == (400, "invalid_lora")
    assert tensor in reply.error()["message"]
    assert own.post_json(PATH, FIELDS).status == 200


def test_auto_says_what_it_took(start_server):
    own = start_server("--model", f"toy={TOY}", "--precision", "auto")
    taken = own.get("/v1/capabilities").json()["models"][0]["precision"]
    assert taken in ("f32", "bf16")
    assert f"toy paints in {taken}" in own.log()
    reply = own.post_json(PATH, {**FIELDS, "response_format": "b64_json"}).json()
    assert f"Precision: {taken}" in decode(reply["data"][0]["b64_json"]).text["parameters"]


def test_in_bf16_too_a_seed_has_the_same_bytes_alone_and_in_n(start_server):
    own = start_server("--model", f"toy={TOY}", "--precision", "bf16")
    fields = {**FIELDS, "response_format": "b64_json"}
    assert own.get("/v1/capabilities").json()["models"][0]["precision"] == "bf16"
    three = own.post_json(PATH, {**fields, "n": 3, "seed": 6}).json()["data"]
    alone = own.post_json(PATH, fields).json()["data"]
    assert three[1]["b64_json"] == alone[0]["b64_json"]
    assert "Precision: bf16" in decode(alone[0]["b64_json"]).text["parameters"]


def test_a_flipped_bit_in_a_compiled_graph_is_not_painted_with(run_limner, tmp_path):
    def paint(name: str):
        paint = ("generate", "a red cat", "--model", f"toy={TOY}", "--seed", "7", "--steps", "2")
        cache = str(tmp_path / "cache")
        done = run_limner(*paint, "--size", "64x64", "--cache-dir", cache, "-o", name)
        assert done.returncode == 0, done.stderr
        return (tmp_path / name).read_bytes(), done.stderr

    first, _ = paint("first.png")
    for graph in (tmp_path / "cache" / "graphs").glob("*.blob"):
        data = bytearray(graph.read_bytes())
        for place in range(len(data) // 3, len(data), len(data) // 3):
            data[place] ^= 64
        graph.write_bytes(data)
    again, log = paint("again.png")
    assert again == first
    assert "damaged" in log
    quiet, log = paint("quiet.png")
    assert quiet == first and log == ""
