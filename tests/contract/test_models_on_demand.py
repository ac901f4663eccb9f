"""Models that are loaded when they are asked for: who waits, who does not, what both are told."""

import json
import threading

import openai
import pytest
from conftest import client_of
from limner_server import wait_until
from model_folders import EMBEDDED, TOY, UNET, copy_model, replace
from test_openai_generations import QUICK, generate

PATH = "/v1/images/generations"
# Two models of which only the first is loaded at the start.
TWO = ["--model", f"first={EMBEDDED}", "--model", f"second={EMBEDDED}", "--memory-limit", "16GiB"]
FIELDS = {"model": "second", "prompt": "a red apple", **QUICK}


def post(own, fields: dict, **headers: str):
    body = json.dumps(fields).encode()
    return own.request("POST", PATH, body, {"Content-Type": "application/json", **headers})


def state_of(own, model: str) -> str:
    return {m["id"]: m["state"] for m in own.get("/ready").json()["models"]}[model]


def events_of(reply) -> list[dict]:
    lines = reply.text().splitlines()
    return [json.loads(line[6:]) for line in lines if line.startswith("data: ")]


def test_defaults_are_known_before_a_model_is_loaded(start_server):
    own = start_server(*TWO)
    assert state_of(own, "second") == "unloaded"
    first, second = own.get("/v1/capabilities").json()["models"]
    assert (first["is_ready"], second["is_ready"]) == (True, False)
    for member in ("family", "tasks", "size", "num_inference_steps", "guidance_scale", "scheduler"):
        assert second[member] == first[member]
    listed = own.get("/v1/models/second").json()
    assert listed["architecture"] == own.get("/v1/models/first").json()["architecture"]
    estimate = own.post_json("/v1/images/estimate", FIELDS)
    assert estimate.status == 200
    assert estimate.json()["usage"]["input_tokens_details"]["text_tokens"] == 3
    assert estimate.json()["expected_wait_seconds"] > 0
    assert state_of(own, "second") == "unloaded"


def test_a_first_request_waits_while_its_model_loads(start_server):
    own = start_server(*TWO)
    reply = post(own, FIELDS)
    assert reply.status == 200
    assert reply.headers["x-limner-model"] == "second"
    assert state_of(own, "second") == "ready"


def test_what_is_wrong_is_said_before_the_model_is_loaded(start_server):
    own = start_server(*TWO)
    for fields, param in [
        ({"prompt": ""}, "prompt"),
        ({"size": "250x256"}, "size"),
        ({"clip_skip": 20}, "clip_skip"),
    ]:
        reply = post(own, {**FIELDS, **fields, "stream": True})
        assert (reply.status, reply.error()["param"]) == (400, param)
    assert state_of(own, "second") == "unloaded"


def test_a_stream_tells_what_loading_does(start_server, tmp_path):
    """With an empty cache its networks, which are not the first's, are compiled."""
    two = [arg.replace(f"second={EMBEDDED}", f"second={TOY}") for arg in TWO]
    own = start_server(*two, cache=tmp_path / "cache")
    reply = post(own, {**FIELDS, "stream": True}, **{"x-limner-events": "progress"})
    events = events_of(reply)
    queued = [event for event in events if event["type"] == "image_generation.queued"]
    stages = [event["loading"]["stage"] for event in queued if "loading" in event]
    assert len(stages) >= 2 and len(set(stages)) == len(stages)
    assert any("compiling" in stage for stage in stages)
    for event in queued:
        if loading := event.get("loading"):
            assert loading["model"] == "second"
            assert loading["expected_seconds"] > 0
            assert loading["elapsed_seconds"] >= 0
    assert events[-1]["type"] == "image_generation.completed"
    assert [event["sequence_number"] for event in events] == list(range(len(events)))


def test_one_that_does_not_wait_is_told_when_to_come_back(start_server):
    own = start_server(*TWO)
    reply = post(own, FIELDS, Prefer="wait=0")
    assert reply.status == 503
    assert reply.error()["code"] == "model_loading"
    assert int(reply.headers["retry-after"]) >= 1
    loading = reply.json()["loading"]
    assert loading["model"] == "second"
    assert loading["expected_seconds"] >= loading["elapsed_seconds"] >= 0
    wait_until(lambda: state_of(own, "second") == "ready", "the model that was asked for")
    assert post(own, FIELDS, Prefer="wait=0").status == 200


def test_the_operator_may_let_nobody_wait(start_server):
    own = start_server(*TWO, "--model-wait", "0")
    assert post(own, FIELDS).json()["error"]["code"] == "model_loading"


def test_others_are_painted_while_a_model_loads(start_server, tmp_path):
    """The second model's networks are compiled (another cache key) while the first paints."""
    own = start_server(*TWO)
    waiting = threading.Thread(target=lambda: post(own, FIELDS))
    waiting.start()
    assert generate(client_of(own), model="first").data
    waiting.join(60)
    assert state_of(own, "second") == "ready"


def test_a_request_that_waits_for_its_model_can_be_cancelled(start_server, tmp_path):
    own = start_server(*TWO, cache=tmp_path / "cache")
    replies = []
    waiting = threading.Thread(
        target=lambda: replies.append(post(own, FIELDS, **{"x-request-id": "waits"}))
    )
    waiting.start()
    status = "/v1/images/requests/waits"
    told = wait_until(lambda: own.get(status).json().get("loading"), "the request to wait")
    assert told["model"] == "second"
    own.request("POST", f"{status}/cancel")
    waiting.join(60)
    assert (replies[0].status, replies[0].error()["code"]) == (409, "cancelled")
    assert own.get(status).json()["status"] == "cancelled"


def test_a_failed_load_is_said_to_those_who_wait(start_server, tmp_path):
    """The folder is broken after it was opened: only loading finds out."""
    folder = copy_model(tmp_path / "model")
    own = start_server(
        "--model", f"first={EMBEDDED}", "--model", f"second={folder}", "--memory-limit", "16GiB"
    )
    replace(folder, UNET, b"\xff" * 4096)
    with pytest.raises(openai.InternalServerError) as refused:
        generate(client_of(own), model="second")
    assert (refused.value.status_code, refused.value.code) == (503, "model_load_failed")
    assert str(tmp_path) not in refused.value.response.text
    assert generate(client_of(own), model="first").data
    reply = own.post_json(PATH, {**FIELDS, "fallbacks": ["first"]})
    assert reply.status == 200 and "painted by" in reply.headers["x-limner-note"]


def test_models_that_do_not_fit_together_take_turns(start_server):
    size = start_server(*TWO).get("/v1/capabilities").json()["models"][0]["weights_bytes"]
    own = start_server(*TWO[:4], "--memory-limit", str(size * 3 // 2))
    for model in ["second", "first", "second"]:
        assert post(own, {**FIELDS, "model": model}).headers["x-limner-model"] == model
        assert state_of(own, model) == "ready"
    assert state_of(own, "first") == "unloaded"


def test_a_model_larger_than_the_limit_is_refused_by_its_size(start_server):
    own = start_server("--model", f"large={EMBEDDED}", "--memory-limit", "1MiB", ready=False)
    reply = post(own, {**FIELDS, "model": "large"})
    assert (reply.status, reply.error()["code"]) == (503, "insufficient_memory")
    assert "--memory-limit" in reply.error()["message"]


def test_an_idle_model_goes_and_comes_back(start_server):
    own = start_server("--model", f"first={EMBEDDED}", "--idle-unload", "1s")
    wait_until(lambda: state_of(own, "first") == "unloaded", "the idle model to be unloaded")
    assert post(own, {**FIELDS, "model": "first"}).status == 200
