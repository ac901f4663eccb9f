"""SIGHUP: the list of models is read again, and nobody who is being served notices."""

import json
import signal
import threading

from conftest import client_of
from limner_server import Server, wait_until
from model_folders import EMBEDDED, change_json, copy_model
from test_lifecycle import RUNNING
from test_openai_generations import QUICK, generate


def write(folder, text: str) -> str:
    file = folder / "limner.yaml"
    file.write_text(text)
    return str(file)


def models_of(own: Server) -> list[str]:
    return [model["id"] for model in own.get("/v1/capabilities").json()["models"]]


def reload(own: Server) -> None:
    """Returns when the list was taken over or refused."""

    def ends() -> int:
        log = own.log()
        return log.count("removed") + log.count("stay as they were")

    before = ends()
    own.terminate(signal.SIGHUP)
    wait_until(lambda: ends() > before, "the list to be read again")


def start(start_server, folder, text: str) -> Server:
    return start_server("--config", write(folder, text))


def test_an_added_model_paints_and_a_removed_one_is_unknown(start_server, tmp_path):
    own = start(start_server, tmp_path, f"models: {{a: {EMBEDDED}, b: {EMBEDDED}}}\n")
    write(tmp_path, f"models: {{a: {EMBEDDED}, c: {EMBEDDED}}}\naliases: {{art: c}}\n")
    reload(own)
    assert models_of(own) == ["a", "c"]
    assert generate(client_of(own), model="c").data
    assert generate(client_of(own), model="art").data
    refused = own.post_json("/v1/images/generations", {"model": "b", "prompt": "a"})
    assert (refused.status, refused.error()["code"]) == (404, "model_not_found")


def test_a_removed_model_finishes_what_it_paints(start_server, tmp_path):
    own = start(start_server, tmp_path, f"models: {{a: {EMBEDDED}, b: {EMBEDDED}}}\n")
    answers = []
    fields = {"model": "b", "prompt": "a red apple", **QUICK, "num_inference_steps": 40}
    painting = threading.Thread(
        target=lambda: answers.append(own.post_json("/v1/images/generations", fields))
    )
    painting.start()
    wait_until(lambda: own.metric(RUNNING) == 1, "the request to run")
    write(tmp_path, f"models: {{a: {EMBEDDED}}}\n")
    reload(own)
    assert models_of(own) == ["a"]
    painting.join(60)
    assert answers[0].status == 200
    # The gauge is written at the end of the engine's tick, a moment after the request's own end.
    wait_until(lambda: own.metric(RUNNING) == 0, "nothing to run")


def test_new_limits_hold_at_once(start_server, tmp_path):
    own = start(start_server, tmp_path, f"models: {{a: {EMBEDDED}}}\n")
    write(tmp_path, f"models: {{a: {{path: {EMBEDDED}, max_steps: 3}}}}\n")
    reload(own)
    refused = own.post_json("/v1/images/generations", {"prompt": "a", "num_inference_steps": 4})
    assert (refused.status, refused.error()["param"]) == (400, "num_inference_steps")
    assert own.get("/ready").status == 200, "limits are no reason to load again"


def test_a_changed_folder_is_loaded_again_at_its_next_use(start_server, tmp_path):
    folder = copy_model(tmp_path / "model")
    own = start(start_server, tmp_path, f"models: {{a: {folder}}}\n")
    default = own.get("/v1/capabilities").json()["models"][0]["guidance_scale"]["default"]
    change_json(folder, "limner.json", guidance_scale=default + 1)
    assert own.get("/v1/capabilities").json()["models"][0]["guidance_scale"]["default"] == default
    reload(own)
    changed = own.get("/v1/capabilities").json()["models"][0]
    assert changed["guidance_scale"]["default"] == default + 1
    assert not changed["is_ready"]
    assert generate(client_of(own), model="a").data
    assert own.get("/v1/capabilities").json()["models"][0]["is_ready"]


def test_what_did_not_change_stays_in_memory(start_server, tmp_path):
    own = start(start_server, tmp_path, f"models: {{a: {EMBEDDED}}}\n")
    reload(own)
    assert own.get("/ready").status == 200
    assert own.log().count("a is ready after") == 1


def test_a_broken_file_changes_nothing_and_is_named(start_server, tmp_path):
    own = start(start_server, tmp_path, f"models: {{a: {EMBEDDED}}}\n")
    for text, word in [
        ("models: {a: [\n", "YAML"),
        ("modles: {}\n", "modles"),
        (f"models: {{a: {tmp_path / 'nowhere'}}}\n", "nowhere"),
        (f"models: {{a: {EMBEDDED}}}\naliases: {{art: b}}\n", "art"),
    ]:
        write(tmp_path, text)
        reload(own)
        assert models_of(own) == ["a"]
        assert word in own.log().splitlines()[-1] or word in own.log()
    (tmp_path / "limner.yaml").unlink()
    reload(own)
    assert models_of(own) == ["a"]
    assert generate(client_of(own), model="a").data


def test_requests_and_reloads_at_once_lose_nothing(start_server, tmp_path):
    own = start(start_server, tmp_path, f"models: {{a: {EMBEDDED}, b: {EMBEDDED}}}\n")
    statuses = []

    def paint(model: str):
        for seed in range(4):
            fields = {"model": model, "prompt": "a", "seed": seed, "num_inference_steps": 2}
            statuses.append((model, own.post_json("/v1/images/generations", fields).status))

    clients = [threading.Thread(target=paint, args=[model]) for model in "aabb"]
    for client in clients:
        client.start()
    for i in range(6):
        models = {"a": str(EMBEDDED)} if i % 2 else {"a": str(EMBEDDED), "b": str(EMBEDDED)}
        write(tmp_path, json.dumps({"models": models}))
        reload(own)
    for client in clients:
        client.join(120)
    assert len(statuses) == 16
    assert {status for model, status in statuses if model == "a"} == {200}
    assert {status for model, status in statuses if model == "b"} <= {200, 404}
