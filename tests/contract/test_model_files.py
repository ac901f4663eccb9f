"""Files that change, hang or are no files under a running server."""

import os
import shutil
import signal
import threading

import pytest
from limner_server import Server, clean_environment, wait_until
from model_folders import TOY, UNET
from test_loras import LORAS, paint
from test_reload import write

PATH = "/v1/images/generations"
TIMES = {"prompt": "a red cat", "num_inference_steps": 1, "response_format": "b64_json"}


def start(start_server, folder, *args: str) -> Server:
    shutil.copytree(TOY, folder / "toy")
    # A cache of its own: a graph that another test left there needs no weights.
    return start_server("--model", f"toy={folder / 'toy'}", *args, cache=folder / "cache")


def ask(own: Server, **fields):
    return own.post_json(PATH, {**TIMES, **fields})


def test_weights_that_are_cut_short_end_a_request_not_the_server(start_server, tmp_path):
    own = start(start_server, tmp_path)
    assert ask(own, size="64x64").status == 200
    for size, name in enumerate([UNET, "vae/diffusion_pytorch_model.safetensors"], 9):
        file = tmp_path / "toy" / name
        good = file.read_bytes()
        os.truncate(file, 4096)
        refused = ask(own, size=f"{8 * size}x64")
        assert refused.status == 503, refused.text()
        assert refused.error()["code"] in ("model_files_changed", "model_load_failed")
        assert str(tmp_path) not in refused.text()
        file.write_bytes(good)
        wait_until(lambda: ask(own, size="64x64").status == 200, "the model to be loaded anew")
    assert "rename" in own.log()


def test_bytes_written_in_place_are_not_painted_with(start_server, tmp_path):
    own = start(start_server, tmp_path)
    fields = {"size": "64x64", "seed": 3}
    before = ask(own, **fields).json()["data"][0]["b64_json"]
    file = tmp_path / "toy" / UNET
    data = file.read_bytes()
    with file.open("r+b") as weights:
        weights.seek(len(data) // 2)
        weights.write(bytes(len(data) - len(data) // 2))
    assert ask(own, **fields).error()["code"] == "model_files_changed"
    wait_until(lambda: ask(own, **fields).status == 200, "the model to be loaded anew")
    assert ask(own, **fields).json()["data"][0]["b64_json"] != before, "from the new bytes"


def test_a_replaced_file_counts_from_the_reload_on(start_server, tmp_path):
    config = write(tmp_path, f"models: {{toy: {tmp_path / 'toy'}}}\n")
    shutil.copytree(TOY, tmp_path / "toy")
    own = start_server("--config", config, cache=tmp_path / "cache")
    fields = {"size": "64x64", "seed": 3}
    before = ask(own, **fields).json()["data"][0]["b64_json"]
    file = tmp_path / "toy" / UNET
    data = file.read_bytes()
    (tmp_path / "new").write_bytes(data[: len(data) // 2] + bytes(len(data) - len(data) // 2))
    os.rename(tmp_path / "new", file)
    assert ask(own, **fields).json()["data"][0]["b64_json"] == before
    assert ask(own, size="72x64").status == 200, "a new shape too is built of the old file"
    own.terminate(signal.SIGHUP)
    wait_until(lambda: "1 changed" in own.log(), "the reload")
    assert ask(own, **fields).json()["data"][0]["b64_json"] != before


def test_a_pipe_among_the_loras_holds_up_nobody(start_server, tmp_path):
    loras = tmp_path / "loras"
    shutil.copytree(LORAS, loras)
    os.mkfifo(loras / "stuck.safetensors")
    own = start_server("--model", f"toy={TOY}", "--lora-dir", str(loras))
    refused = ask(own, size="64x64", loras=["stuck"])
    assert (refused.status, refused.error()["code"]) == (400, "unknown_lora")
    paint(own, loras=["kohya"])


def test_a_stop_does_not_wait_for_a_load_that_hangs(binary, tmp_path_factory, cache_folder):
    """A warm-up of minutes stands for a disk that does not answer."""
    folder = tmp_path_factory.mktemp("hanging")
    config = write(folder, f"models: {{toy: {{path: {TOY}, default_resolution: 1024x1024}}}}\n")
    own = Server(
        binary,
        folder,
        clean_environment(folder, folder / "cache"),
        ["--config", config, "--shutdown-timeout", "1s"],
    )
    wait_until(lambda: "compiling the denoiser" in own.get("/ready").text(), "the load to begin")
    own.terminate()
    if own.wait_end() == 0:
        pytest.skip("this machine ended the load in time")
    assert own.process.returncode == 1
    assert "without a clean end" in own.log()
