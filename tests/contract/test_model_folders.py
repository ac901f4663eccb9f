"""Folders that are no model, or a broken one: what is wrong is named, and others are served on."""

import openai
import pytest
from conftest import client_of
from limner_server import wait_until
from model_folders import EMBEDDED, TOY, UNET, change_header, change_json, copy_model, replace
from test_openai_generations import QUICK, generate

TENSOR = "conv_in.weight"
CHECKPOINT = TOY.parents[1] / "files" / "sd1.safetensors"


def cut(folder, name, size):
    replace(folder, name, (EMBEDDED / name).read_bytes()[:size])


def offsets_beyond_the_file(header):
    begin, end = header[TENSOR]["data_offsets"]
    header[TENSOR]["data_offsets"] = [begin + (1 << 40), end + (1 << 40)]


def offsets_of_another(header):
    header[TENSOR]["data_offsets"] = header["conv_in.bias"]["data_offsets"]


def another_shape(header):
    header[TENSOR]["shape"] = header[TENSOR]["shape"][::-1]


# How the folder is damaged → words that the message must hold.
DAMAGED = {
    "no index": (lambda f: replace(f, "model_index.json", None), ["model_index.json"]),
    "an index that is no JSON": (
        lambda f: replace(f, "model_index.json", b"{"),
        ["model_index.json", "JSON"],
    ),
    "another pipeline": (
        lambda f: change_json(f, "model_index.json", _class_name="NoSuchPipeline"),
        ["NoSuchPipeline"],
    ),
    "no weights": (lambda f: replace(f, UNET, None), ["unet", "weights"]),
    "no config": (lambda f: replace(f, "unet/config.json", None), ["unet/config.json"]),
    "no scheduler": (
        lambda f: replace(f, "scheduler/scheduler_config.json", None),
        ["scheduler_config.json"],
    ),
    "an unknown block": (
        lambda f: change_json(f, "unet/config.json", down_block_types=["MagicBlock2D"] * 3),
        ["unet", "MagicBlock2D"],
    ),
    "an unknown option": (
        lambda f: change_json(f, "unet/config.json", time_embedding_type="magic"),
        ["unet", "time_embedding_type", "magic"],
    ),
    "a side that is no number": (
        lambda f: change_json(f, "unet/config.json", in_channels="four"),
        ["unet", "in_channels"],
    ),
    "an unknown scheduler": (
        lambda f: change_json(f, "scheduler/scheduler_config.json", _class_name="MagicScheduler"),
        ["MagicScheduler"],
    ),
    "empty weights": (lambda f: cut(f, UNET, 0), [UNET]),
    "weights cut in the header": (lambda f: cut(f, UNET, 1000), [UNET, "header"]),
    "weights cut in the middle": (lambda f: cut(f, UNET, 1 << 20), [UNET]),
    "weights of noise": (lambda f: replace(f, UNET, b"\xff" * 4096), [UNET]),
    "a tensor that lies outside": (
        lambda f: change_header(f, offsets_beyond_the_file),
        [UNET, TENSOR],
    ),
    "a tensor on another": (lambda f: change_header(f, offsets_of_another), [UNET, TENSOR]),
    "a tensor that is missing": (
        lambda f: change_header(f, lambda h: h.update({"other": h.pop(TENSOR)})),
        [TENSOR],
    ),
    "bytes that no tensor owns": (lambda f: change_header(f, lambda h: h.pop(TENSOR)), [UNET]),
    "a tensor of integers": (
        lambda f: change_header(f, lambda h: h[TENSOR].update(dtype="I16")),
        [TENSOR, "I16"],
    ),
    "a tensor of no known kind": (
        lambda f: change_header(f, lambda h: h[TENSOR].update(dtype="F17")),
        [TENSOR, "F17"],
    ),
    "a tensor of another size": (
        lambda f: change_header(f, lambda h: h[TENSOR].update(dtype="F32")),
        [TENSOR],
    ),
    "a tensor of another shape": (lambda f: change_header(f, another_shape), [TENSOR]),
    "no vocabulary": (lambda f: replace(f, "tokenizer/vocab.json", None), ["tokenizer"]),
}


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 4265146304\n" % (b"0" * 64)
DAMAGED |= {
    "a git-lfs pointer for weights": (lambda f: replace(f, UNET, POINTER), [UNET, "git lfs pull"]),
    "a git-lfs pointer for a vocabulary": (
        lambda f: replace(f, "tokenizer/merges.txt", POINTER),
        ["merges.txt", "git lfs pull"],
    ),
    "a web page for a config": (
        lambda f: replace(f, "unet/config.json", b"<!doctype html><title>404</title>"),
        ["unet/config.json", "web page"],
    ),
    "a pickle for weights": (lambda f: replace(f, UNET, b"PK\x03\x04" + bytes(100)), [UNET, "pickle"]),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_what_is_broken_is_named(run_limner, tmp_path, damage):
    harm, words = DAMAGED[damage]
    folder = copy_model(tmp_path / "model")
    harm(folder)
    done = run_limner("generate", "a", "--steps", "1", "--model", f"broken={folder}")
    assert done.returncode == 1, done.stderr
    for word in words:
        assert word in done.stderr


def test_the_embedded_model_is_not_needed(run_limner, tmp_path):
    folder = copy_model(tmp_path / "model")
    done = run_limner("generate", "a", "--steps", "1", "--model", f"own={folder}", "-o", "a.png")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "content, word",
    [(POINTER, "git lfs pull"), (b"GGUF" + bytes(60), "GGUF"), (b"PK\x03\x04" + bytes(60), "pickle")],
)
def test_a_file_that_is_no_checkpoint_is_told_at_the_start(run_limner, tmp_path, content, word):
    (tmp_path / "model.safetensors").write_bytes(content)
    done = run_limner("serve", "--port", "0", "--model", f"m={tmp_path / 'model.safetensors'}")
    assert done.returncode == 2, done.stderr
    assert word in done.stderr


def test_a_checkpoint_may_have_any_name(run_limner, tmp_path):
    (tmp_path / "flux.sft").symlink_to(CHECKPOINT)
    done = run_limner(
        "generate", "a", "--steps", "1", "--size", "64x64", "--model", f"m={tmp_path / 'flux.sft'}",
        "--model-configs", str(TOY), "-o", "a.png",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_list_of_models_says_what_is_opened(run_limner, tmp_path):
    folder = copy_model(tmp_path / "model")
    plain = run_limner("models", "--model", f"own={folder}").stdout
    assert "safetensors" in plain
    (folder / "unet" / "diffusion_pytorch_model.fp16.safetensors").write_bytes(bytes(64 << 20))
    (folder / "unet" / "openvino_model.xml").write_bytes(b"<?xml")
    assert run_limner("models", "--model", f"own={folder}").stdout == plain


def test_a_broken_model_does_not_keep_the_server_from_serving_another(start_server, tmp_path):
    folder = copy_model(tmp_path / "model")
    cut(folder, UNET, 1000)
    own = start_server("--model", f"good={EMBEDDED}", "--model", f"broken={folder}")
    client = client_of(own)

    def state() -> str:
        return {m["id"]: m["state"] for m in own.get("/ready").json()["models"]}["broken"]

    wait_until(lambda: state() == "failed", "the broken model to be given up")
    with pytest.raises(openai.APIStatusError) as refused:
        generate(client, model="broken")
    assert refused.value.status_code == 503
    assert str(tmp_path) not in refused.value.response.text, "our folders are nobody's business"
    assert str(folder) in own.log()
    assert generate(client, model="good").data
    assert client.images.generate(prompt="a red apple", extra_body=QUICK).data


def test_a_server_with_nothing_but_a_broken_model_is_up_but_not_ready(start_server, tmp_path):
    folder = copy_model(tmp_path / "model")
    cut(folder, UNET, 1000)
    own = start_server("--model", f"broken={folder}", ready=False)
    wait_until(
        lambda: own.get("/ready").json()["models"][0]["state"] == "failed",
        "the model to be given up",
    )
    assert own.get("/ready").status == 503
    assert own.get("/health").status == 200
