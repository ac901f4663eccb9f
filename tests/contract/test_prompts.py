"""Long prompts, weights where the operator allows them; fields that a model cannot use."""

import json

import pytest
from limner_server import Server, clean_environment
from pictures import decode
from test_loras import DATA
from test_openai_generations import QUICK

PATH = "/v1/images/generations"
LONG = "a red apple on a green table " * 20
ALLOWED = ["--prompt-chunks", "3", "--prompt-weights"]


@pytest.fixture(scope="module")
def allowing(binary, cache_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("allowing")
    own = Server(binary, folder, clean_environment(folder, cache_folder), ALLOWED).wait_ready()
    yield own
    own.stop()


def paint(own, path: str = PATH, **fields):
    body = {"model": "emoji-256", "response_format": "b64_json", **QUICK, **fields}
    reply = own.post_json(path, body)
    assert reply.status == 200, reply.text()
    return decode(reply.json()["data"][0]["b64_json"]).tobytes(), reply


def test_a_long_prompt_is_read_to_its_end(allowing):
    one, reply = paint(allowing, prompt=LONG + "a red heart")
    other, _ = paint(allowing, prompt=LONG + "a blue fish")
    assert one != other
    assert reply.json()["usage"]["input_tokens_details"]["text_tokens"] == 7 * 20 + 3


def test_one_that_is_longer_than_that_is_cut_and_the_answer_says_so(allowing):
    cut, reply = paint(allowing, prompt=LONG * 2)
    revised = reply.json()["data"][0]["revised_prompt"]
    assert revised == (LONG * 2)[: len(revised)]
    assert revised.count(" ") == 225 - 1
    assert any(note.startswith("prompt:") for note in reply.headers.get_all("x-limner-note"))
    assert cut == paint(allowing, prompt=revised)[0]


def test_by_default_a_long_prompt_is_painted(server):
    """As chat front ends write them: past what CLIP reads at once, which a note says."""
    one, reply = paint(server, prompt=LONG + "a red heart")
    assert any("chunks" in note for note in reply.headers.get_all("x-limner-note"))
    assert "revised_prompt" not in reply.json()["data"][0]
    assert one != paint(server, prompt=LONG + "a blue fish")[0]
    assert paint(server, prompt=LONG * 4)[1].json()["data"][0]["revised_prompt"]


def test_the_operator_may_say_how_long_prompts_are_met_everywhere(start_server):
    body = {"model": "emoji-256", "prompt": LONG, **QUICK}
    cutting = start_server("--truncate-prompts", "--prompt-chunks", "1")
    for path in (PATH, "/v3/images/generations"):
        reply = cutting.post_json(path, body)
        assert reply.json()["data"][0]["revised_prompt"] == LONG[: len("a red apple on a green table ") * 10 + len("a red apple on a")]
    refusing = start_server(LIMNER_TRUNCATE_PROMPTS="false")
    reply = refusing.post_json(PATH, body)
    assert (reply.status, reply.error()["code"]) == (400, "prompt_too_long")


def test_weights_change_the_picture_and_escapes_do_not(allowing):
    plain, _ = paint(allowing, prompt="a red apple")
    assert paint(allowing, prompt="a (red:1.5) apple")[0] != plain
    assert paint(allowing, prompt="a (red:1.0) apple")[0] == plain
    assert paint(allowing, prompt=r"a \(red\) apple")[0] != plain


def test_a_weight_out_of_range_is_named(allowing):
    reply = allowing.post_json(PATH, {"prompt": "a (red:1000) apple"})
    assert (reply.status, reply.error()["param"]) == (400, "prompt")


def test_weights_are_off_under_v3_and_unless_allowed(allowing, server):
    for own, path in [(allowing, "/v3/images/generations"), (server, PATH)]:
        weighted, _ = paint(own, path, prompt="a (red:1.5) apple")
        assert weighted == paint(server, prompt="a (red:1.5) apple")[0]
    assert paint(allowing, prompt="a (red:1.5) apple")[0] != weighted


def test_long_prompts_are_refused_under_v3_and_for_strict_callers(allowing):
    body = {"model": "emoji-256", "prompt": LONG}
    strict = {"Content-Type": "application/json", "x-bf-strict": "true"}
    for reply in (
        allowing.post_json("/v3/images/generations", body),
        allowing.request("POST", PATH, json.dumps({"prompt": LONG * 2}).encode(), strict),
    ):
        assert (reply.status, reply.json()["error"]["code"]) == (400, "prompt_too_long")
        assert "--truncate-prompts" in reply.error()["message"]


IDLE = [
    ({"style": "vivid"}, "style"),
    ({"negative_prompt_2": "a dog"}, "negative_prompt_2"),
    ({"input_fidelity": "high"}, "input_fidelity"),
    ({"partial_images": 2}, "partial_images"),
    ({"complexity": "low"}, "complexity"),
    ({"max_sequence_length": 128}, "max_sequence_length"),
    ({"eta": 0.5, "scheduler": "euler"}, "eta"),
    ({"prompt_2": "a dog"}, "prompt_2"),
    ({"strength": 0.5}, "strength"),
]


@pytest.mark.parametrize("fields, name", IDLE, ids=[name for _, name in IDLE])
def test_a_field_without_effect_is_noted(server, fields, name):
    picture, reply = paint(server, prompt="a red apple", **fields)
    assert any(note.startswith(f"{name}:") for note in reply.headers.get_all("x-limner-note"))
    without = {key: value for key, value in fields.items() if key != name}
    assert picture == paint(server, prompt="a red apple", **without)[0]


@pytest.mark.parametrize("fields, name", IDLE, ids=[name for _, name in IDLE])
def test_and_refused_where_the_caller_is_strict(server, fields, name):
    body = {"prompt": "a red apple", **QUICK, **fields}
    headers = {"Content-Type": "application/json", "x-bf-strict": "true"}
    reply = server.request("POST", PATH, json.dumps(body).encode(), headers)
    assert (reply.status, reply.error()["param"]) == (422, name)
    assert reply.error()["code"] == "unsupported_for_model"


def test_a_strict_operator_is_asked_as_little(start_server):
    own = start_server("--strict")
    reply = own.post_json(PATH, {"prompt": "a", **QUICK, "max_sequence_length": 128})
    assert (reply.status, reply.error()["param"]) == (422, "max_sequence_length")


def test_a_distilled_model_has_no_negative_prompt(start_server):
    own = start_server("--model", f"flux={DATA / 'models' / 'flux-schnell'}")
    fields = {"prompt": "a", "size": "64x64", "num_inference_steps": 2, "seed": 1}
    idle = {"negative_prompt": "blurry", "guidance_scale": 5, "clip_skip": 1}
    reply = own.post_json(PATH, {**fields, **idle})
    assert reply.status == 200
    noted = {note.split(":")[0] for note in reply.headers.get_all("x-limner-note")}
    assert noted == set(idle)
