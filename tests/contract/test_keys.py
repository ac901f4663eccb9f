"""Who may paint: keys of the configuration, in every place where clients put them."""

import base64
import json

import openai
import pytest
from conftest import client_of
from limner_server import Server, clean_environment
from test_openai_generations import generate

KEY = "sk-limner-contract-0123456789"


@pytest.fixture(scope="module")
def guarded(binary, cache_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("guarded")
    environment = clean_environment(folder, cache_folder, LIMNER_API_KEY=KEY)
    own = Server(binary, folder, environment, []).wait_ready()
    yield own
    own.stop()


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {KEY}"},
        {"Authorization": basic("anybody", KEY)},
        {"x-bf-vk": KEY},
        {"x-api-key": KEY},
        {"api-key": KEY},
        {"x-goog-api-key": KEY},
        {"Authorization": f"Bearer {KEY}", "x-api-key": KEY},
    ],
    ids=lambda headers: " ".join(headers),
)
def test_a_key_is_taken_wherever_it_stands(guarded, headers):
    assert guarded.request("GET", "/v1/models", headers=headers).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Bearer {KEY}x"},
        {"Authorization": f"Bearer {KEY[:-1]}"},
        {"Authorization": "Bearer"},
        {"Authorization": basic(KEY, "wrong")},
        {"Authorization": "Basic ???"},
        {"x-api-key": ""},
    ],
    ids=lambda headers: " ".join(map(str, headers.values()))[:40] or "none",
)
def test_without_a_good_key_nothing_is_served(guarded, headers):
    for method, path in (("GET", "/v1/models"), ("POST", "/v1/images/generations")):
        reply = guarded.request(method, path, headers=headers)
        assert reply.status == 401
        assert reply.error()["code"] == "invalid_api_key"
        assert KEY not in reply.text()


def test_an_unknown_key_beside_a_good_one_does_no_harm(guarded):
    """The SDKs always send an Authorization, whatever else their user sets."""
    for headers in (
        {"Authorization": f"Bearer {KEY}", "x-api-key": "another"},
        {"Authorization": "Bearer another", "x-api-key": KEY},
    ):
        assert guarded.request("GET", "/v1/models", headers=headers).status == 200


def test_the_openai_package_gets_its_error_class(guarded):
    assert generate(client_of(guarded, api_key=KEY)).data
    with pytest.raises(openai.AuthenticationError):
        generate(client_of(guarded, api_key="wrong"))


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics", "/openapi.json", "/docs"])
def test_what_needs_no_key(guarded, path):
    assert guarded.get(path).status == 200


def test_a_picture_behind_a_url_needs_no_key(guarded):
    reply = generate(client_of(guarded, api_key=KEY), response_format="url")
    assert guarded.get(reply.data[0].url.removeprefix(guarded.url)).status == 200


def test_the_key_is_asked_for_before_the_body_is_read(guarded):
    """The body never comes; the answer does."""
    with guarded.connect() as peer:
        peer.sendall(
            b"POST /v1/images/generations HTTP/1.1\r\nHost: x\r\n"
            b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
        )
        assert peer.recv(64).startswith(b"HTTP/1.1 401 ")


def test_keys_are_not_in_the_log(guarded):
    generate(client_of(guarded, api_key=KEY))
    guarded.request("GET", "/v1/models", headers={"Authorization": "Bearer sk-wrong-wrong"})
    assert KEY not in guarded.log() and "sk-wrong-wrong" not in guarded.log()


def test_a_made_key_works_until_it_is_revoked(start_server, run_limner, tmp_path):
    db = ("--keys-db", str(tmp_path / "keys.db"))
    made = run_limner("keys", "create", "the shop", *db)
    assert made.returncode == 0, made.stderr
    key = made.stdout.strip()
    assert key.encode() not in (tmp_path / "keys.db").read_bytes(), "only a hash is kept"
    own = start_server(*db)
    headers = {"Authorization": f"Bearer {key}"}
    assert own.request("GET", "/v1/models", headers=headers).status == 200
    assert own.get("/v1/models").status == 401
    listed = run_limner("keys", "list", *db)
    assert "the shop" in listed.stdout and key not in listed.stdout
    key_id = next(word for word in listed.stdout.split() if word.startswith("key_"))
    assert run_limner("keys", "revoke", key_id, *db).returncode == 0
    assert own.request("GET", "/v1/models", headers=headers).status in (401, 403)


def test_a_key_may_be_for_one_model_only(start_server, run_limner, tmp_path):
    db = ("--keys-db", str(tmp_path / "keys.db"))
    made = run_limner("keys", "create", "narrow", "--key-model", "another", *db)
    assert made.returncode == 0, made.stderr
    key = made.stdout.strip()
    own = start_server(*db)
    body = json.dumps({"prompt": "a"}).encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    reply = own.request("POST", "/v1/images/generations", body, headers)
    assert (reply.status, reply.error()["code"]) == (403, "model_blocked")


def test_what_a_key_may_not_use_it_is_not_shown(start_server, run_limner, tmp_path):
    db = ("--keys-db", str(tmp_path / "keys.db"))
    key = run_limner("keys", "create", "narrow", "--key-model", "another", *db).stdout.strip()
    own = start_server(*db)
    headers = {"Authorization": f"Bearer {key}"}

    def shown(path: str):
        return own.request("GET", path, headers=headers)

    for prefix in ("/v1", "/openai/v1", "/v3"):
        assert shown(f"{prefix}/models").json()["data"] == []
        assert shown(f"{prefix}/models/emoji-256").status == 404
    assert shown("/api/v1/serverless/models").json()["data"]["models"] == []
    capabilities = shown("/v1/capabilities").json()
    assert (capabilities["models"], capabilities["default_model"]) == ([], None)
    unknown = own.request(
        "POST",
        "/v1/images/generations",
        json.dumps({"prompt": "a", "model": "nobody"}).encode(),
        {**headers, "Content-Type": "application/json"},
    )
    assert unknown.status == 404
    assert "emoji-256" not in unknown.text()


def test_two_keys_may_use_one_request_id(start_server):
    keys = [f"sk-limner-{name}-0123456789" for name in ("first", "second")]
    own = start_server("--api-key", keys[0], "--api-key", keys[1])

    def ask(key: str, method: str, path: str, fields: dict | None = None):
        headers = {"x-api-key": key, "x-request-id": "trace-1", "Content-Type": "application/json"}
        body = None if fields is None else json.dumps(fields).encode()
        return own.request(method, path, body, headers)

    def urls(reply) -> list[str]:
        return [picture["url"] for picture in reply.json()["data"]]

    kept = {"prompt": "a red apple", "num_inference_steps": 1, "response_format": "url"}
    status = "/v1/images/requests/trace-1"
    first = urls(ask(keys[0], "POST", "/v1/images/generations", {**kept, "n": 2}))
    assert ask(keys[1], "GET", status).status == 404
    assert ask(keys[1], "POST", f"{status}/cancel").status == 404
    second = urls(ask(keys[1], "POST", "/v1/images/generations", kept))
    assert urls(ask(keys[0], "GET", status)) == first
    assert urls(ask(keys[1], "GET", status)) == second
