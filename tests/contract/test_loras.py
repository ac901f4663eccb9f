"""LoRAs by field and by tag, on a toy with random weights: fused beside other work, kept, reported."""

import json
import shutil
import struct
from pathlib import Path

import pytest
from limner_server import Server, clean_environment, wait_until
from model_folders import TOY
from pictures import decode
from PIL import Image

DATA = Path(__file__).parents[1] / "parity" / "data"
LORAS = DATA / "loras" / "sd1"
PATH = "/v1/images/generations"
FIELDS = {"prompt": "a red cat", "size": "64x64", "num_inference_steps": 2, "seed": 7}


def start(start_server, *args: str, loras: Path = LORAS, **more) -> Server:
    return start_server("--model", f"toy={TOY}", "--lora-dir", str(loras), *args, **more)


def paint(own: Server, **fields):
    body = {**FIELDS, "response_format": "b64_json", **fields}
    reply = own.post_json(PATH, body)
    assert reply.status == 200, reply.text()
    return decode(reply.json()["data"][0]["b64_json"]).tobytes(), reply


@pytest.fixture(scope="module")
def toy(binary, cache_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("toy")
    args = ["--model", f"toy={TOY}", "--lora-dir", str(LORAS)]
    own = Server(binary, folder, clean_environment(folder, cache_folder), args).wait_ready()
    yield own
    own.stop()


def test_a_tag_may_have_a_strength_of_its_own_for_the_text_encoders(toy):
    one, _ = paint(toy, prompt="a red cat <lora:kohya:1>")
    assert paint(toy, prompt="a red cat <lora:kohya:1:1>")[0] == one
    without_text, reply = paint(toy, prompt="a red cat <lora:kohya:0:1>")
    assert without_text not in (one, paint(toy, prompt="a red cat <lora:kohya:1:0>")[0])
    picture = decode(reply.json()["data"][0]["b64_json"])
    assert "<lora:kohya:0:1>" in picture.text["parameters"]


def test_a_lora_may_be_asked_for_as_a_model(toy):
    plain, _ = paint(toy)
    fused, _ = paint(toy, loras=["kohya"])
    by_name, reply = paint(toy, model="kohya")
    assert fused == by_name != plain
    assert reply.headers["x-limner-model"] == "toy"
    assert reply.json()["model"] == "kohya"
    assert paint(toy, model="openai/kohya")[0] == fused
    # What the request says of it counts instead of the strength of the name.
    assert paint(toy, model="kohya", loras={"kohya": 0.5})[0] == paint(toy, loras={"kohya": 0.5})[0]
    assert toy.get("/v1/models/kohya").json()["root"] == "toy"


def test_an_alias_may_stand_for_several(start_server):
    own = start(start_server, "--alias", "blend=toy<lora:kohya:0.5><lora:peft:0.25>")
    wanted, _ = paint(own, loras={"kohya": 0.5, "peft": 0.25})
    assert paint(own, model="blend")[0] == wanted


def test_an_alias_of_a_lora_that_is_not_there_refuses_the_start(run_limner):
    done = run_limner(
        "serve", "--model", f"toy={TOY}", "--lora-dir", str(LORAS), "--alias", "x=toy<lora:gone>"
    )
    assert done.returncode != 0
    assert "gone" in done.stderr


def test_names_are_listed(toy):
    model = toy.get("/v1/capabilities").json()["models"][0]
    assert model["adapters"] == ["kohya", "lcm", "old", "peft"]


def test_every_way_to_ask_paints_the_same(toy):
    plain, _ = paint(toy)
    listed, _ = paint(toy, loras=[{"name": "kohya", "strength": 0.7}, "old"])
    for fields in [
        {"loras": {"old": 1, "kohya": 0.7}},
        {"lora_alphas": {"kohya": 0.7, "old": 1}},
        {"prompt": "a red cat<lora:kohya:0.7><lora:old>"},
        {"prompt": "a red cat<lora:kohya:0.2>", "loras": {"kohya": 0.5, "old": 1}},
    ]:
        assert paint(toy, **fields)[0] == listed
    assert listed != plain
    assert paint(toy)[0] == plain
    assert toy.log().count("loading toy <kohya:0.7><old:1>") == 1, "a repeated set costs nothing"


def test_a_picture_says_which_loras_it_has(toy):
    _, reply = paint(toy, loras=["peft"])
    picture = decode(reply.json()["data"][0]["b64_json"])
    assert picture.info["parameters"].startswith("a red cat<lora:peft:1>\n")


@pytest.mark.parametrize(
    "fields, status, param, code",
    [
        ({"loras": ["pencil"]}, 400, "loras", "unknown_lora"),
        ({"lora_alphas": {"pencil": 1}}, 400, "lora_alphas", "unknown_lora"),
        ({"prompt": "a<lora:pencil:1>"}, 400, "prompt", "unknown_lora"),
        ({"loras": [{"name": "peft", "strength": 11}]}, 400, "loras", "invalid_value"),
        ({"loras": [{"name": "peft", "strength": "much"}]}, 400, "loras", "invalid_type"),
        ({"loras": [{"name": "peft", "weight": 1}]}, 400, "loras", "invalid_type"),
        ({"loras": [{"strength": 1}]}, 400, "loras", "invalid_type"),
        ({"loras": "peft"}, 400, "loras", "invalid_type"),
        ({"loras": ["peft"] * 17}, 400, "loras", "invalid_value"),
    ],
)
def test_a_wrong_one_is_refused_by_name(toy, fields, status, param, code):
    reply = toy.post_json(PATH, {**FIELDS, **fields})
    assert (reply.status, reply.error()["param"], reply.error()["code"]) == (status, param, code)


def test_a_model_without_loras_refuses_them(server):
    reply = server.post_json(PATH, {"prompt": "a", "loras": ["ink"]})
    assert (reply.status, reply.error()["code"]) == (422, "unsupported_for_model")


def add_tensor(file: Path, name: str) -> None:
    """One more tensor of two float32 numbers, in a safetensors file."""
    data = file.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    end = len(data) - 8 - length
    header[name] = {"dtype": "F32", "shape": [1, 2], "data_offsets": [end, end + 8]}
    text = json.dumps(header).encode()
    file.write_bytes(
        len(text).to_bytes(8, "little") + text + data[8 + length :] + struct.pack("<2f", 1, 2)
    )


def test_what_did_not_apply_is_reported(start_server, tmp_path):
    shutil.copy(LORAS / "old.safetensors", tmp_path / "odd.safetensors")
    add_tensor(tmp_path / "odd.safetensors", "unet.nowhere.to_q.lora.down.weight")
    own = start(start_server, loras=tmp_path)
    _, reply = paint(own, loras=["odd"])
    notes = reply.headers.get_all("x-limner-note")
    assert any("lora odd" in note and "had no effect" in note for note in notes)
    assert any("nowhere" in note for note in notes)


def test_the_command_line_says_what_did_not_apply(run_limner, tmp_path):
    shutil.copy(LORAS / "old.safetensors", tmp_path / "odd.safetensors")
    add_tensor(tmp_path / "odd.safetensors", "unet.nowhere.to_q.lora.down.weight")
    done = run_limner(
        "generate", "a red cat<lora:odd>", "-q", "--model", f"toy={TOY}", "--lora-dir", str(tmp_path),
        "--steps", "1", "--size", "64x64", "-o", "out.png",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("limner: note: lora odd: 1 of its tensors had no effect")
    assert "nowhere" in done.stderr


def test_one_of_another_model_is_refused_in_its_own_words(start_server, tmp_path):
    tensor = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    header = json.dumps({"lora_unet_nowhere.lora_down.weight": tensor}).encode()
    (tmp_path / "other.safetensors").write_bytes(
        len(header).to_bytes(8, "little") + header + bytes(4)
    )
    own = start(start_server, loras=tmp_path)
    reply = own.post_json(PATH, {**FIELDS, "loras": ["other"]})
    assert (reply.status, reply.error()["code"]) == (400, "invalid_lora")
    assert "nothing in this LoRA fits" in reply.error()["message"]
    assert paint(own)[0]


def test_others_are_painted_while_a_set_is_fused(start_server, tmp_path):
    own = start(start_server, cache=tmp_path / "cache")
    endless = own.connect()
    body = json.dumps({**FIELDS, "num_inference_steps": 900, "n": 4}).encode()
    endless.sendall(
        b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nx-request-id: plain\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (PATH.encode(), len(body), body)
    )
    plain = "/v1/images/requests/plain"
    # Its networks are compiled first, at a low priority: beside a busy machine that takes minutes.
    wait_until(lambda: own.get(plain).json().get("step", 0) > 0, "the plain request to run", 300)
    fusing = own.connect()
    body = json.dumps({**FIELDS, "loras": ["kohya"]}).encode()
    fusing.sendall(
        b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nx-request-id: fusing\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (PATH.encode(), len(body), body)
    )
    steps = []

    def is_over() -> bool:
        fused = own.get("/v1/images/requests/fusing").json()
        assert fused.get("status") not in ("failed", "cancelled"), fused
        if "loading" in fused:
            steps.append(own.get(plain).json().get("step", 0))
        return fused.get("status") == "completed"

    wait_until(is_over, "the set to be fused and painted with", 300)
    assert len(steps) > 1 and steps[-1] > steps[0]
    endless.close()
    fusing.close()


def test_the_least_recently_used_set_goes(start_server):
    own = start(start_server, "--lora-variants", "1")
    first, _ = paint(own, loras=["kohya"])
    paint(own, loras=["peft"])
    assert paint(own, loras=["kohya"])[0] == first
    assert own.log().count("loading toy <kohya:1>") == 2


def test_the_command_line_reads_tags(run_limner, tmp_path):
    def generate(prompt: str) -> bytes:
        done = run_limner(
            "generate", prompt, "--model", f"toy={TOY}", "--lora-dir", str(LORAS), "--seed", "7",
            "--steps", "2", "--size", "64x64", "-o", "out.png",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return Image.open(tmp_path / "out.png").tobytes()

    assert generate("a red cat<lora:kohya>") != generate("a red cat")
