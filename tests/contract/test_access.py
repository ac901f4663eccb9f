"""Whom a server lets in: web pages and names when it asks for no key, keys that change under it."""

import json
import signal
import sqlite3

import pytest
from limner_server import Server
from model_folders import EMBEDDED
from test_keys import KEY, basic
from test_openai_generations import QUICK
from test_reload import models_of, reload, write

PATH = "/v1/images/generations"
GET_PATH = "/api/v1/images/generation?prompt=a&num_steps=1"
PAGE = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
OTHER_KEY = "sk-limner-another-0123456789"


def post(own: Server, headers: dict, fields: dict | None = None):
    body = json.dumps({"prompt": "a red apple", **QUICK, **(fields or {})}).encode()
    return own.request("POST", PATH, body, {"Content-Type": "application/json", **headers})


def by(key: str) -> dict:
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize(
    "headers, code",
    [
        (PAGE, "origin_not_allowed"),
        ({"Origin": "null"}, "origin_not_allowed"),
        ({"Origin": "http://127.0.0.1:1"}, "origin_not_allowed"),
        ({"Sec-Fetch-Site": "cross-site"}, "origin_not_allowed"),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, "host_not_allowed"),
        ({"Host": "evil.example:8080"}, "host_not_allowed"),
        ({"Host": "169.254.169.254"}, "host_not_allowed"),
    ],
)
def test_other_pages_cannot_use_a_server_without_keys(server, headers, code):
    form = b'--X\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na\r\n--X--\r\n'
    multipart = {"Content-Type": "multipart/form-data; boundary=X", **headers}
    for reply in (
        post(server, headers),
        server.request("POST", "/v1/images/edits", form, multipart),
        server.request("POST", "/v1/images/requests/x/cancel", b"", headers),
        server.request("GET", "/v1/models", headers=headers),
        server.request("GET", GET_PATH, headers={**headers, **by("any")}),
    ):
        assert (reply.status, reply.error()["code"]) == (403, code)
        assert "--" in reply.error()["message"], "says what the operator can do"


def test_a_foreign_name_reads_nothing_but_whether_it_lives(server):
    foreign = {"Host": "evil.example"}
    paths = ("/metrics", "/docs", "/openapi.json", "/v1/images/files/x.png", "/v1/capabilities")
    for path in paths:
        assert server.request("GET", path, headers=foreign).status == 403, path
    for path in ("/health", "/ready"):
        assert server.request("GET", path, headers=foreign).status == 200, path


def test_the_own_page_and_programs_are_served(server):
    for headers in (
        {},
        {"Origin": server.url, "Sec-Fetch-Site": "same-origin"},
        {"Host": "localhost:1"},
        {"Host": "[::1]:8080"},
        by("unused"),
    ):
        assert post(server, headers).status == 200


def test_get_paints_only_with_a_key(server, start_server):
    refused = server.get(GET_PATH)
    assert (refused.status, refused.error()["code"]) == (403, "get_not_allowed")
    assert server.request("GET", GET_PATH, headers=by("{TOKEN/KEY}")).status == 200
    assert start_server("--paint-by-get").get(GET_PATH).status == 200


def test_picture_urls_name_what_a_proxy_on_this_machine_says(start_server):
    own = start_server("--allowed-host", "paint.example")

    def url(headers: dict) -> str:
        reply = post(own, headers, {"response_format": "url"})
        return reply.json()["data"][0]["url"].partition("/v1/")[0]

    assert url({}) == own.url
    assert url({"X-Forwarded-Proto": "https"}) == own.url.replace("http:", "https:")
    proxied = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "paint.example"}
    assert url(proxied) == "https://paint.example"
    assert url({"Host": "paint.example:8080"}) == "http://paint.example:8080"
    assert url({"X-Forwarded-Host": "evil.example"}) == own.url
    assert url({"X-Forwarded-Proto": "javascript"}) == own.url


@pytest.mark.parametrize(
    "args, config, environment",
    [
        (["--api-key", ""], "", {}),
        (["--api-key", "x"], "", {}),
        (["--api-key", KEY, "--api-key", ""], "", {}),
        ([], 'api_keys: ""', {}),
        ([], 'api_keys: [""]', {}),
        ([], f"api_keys: {{a: {KEY}}}", {}),
        ([], "", {"LIMNER_API_KEY": ","}),
        ([], "", {"LIMNER_API_KEY": "short"}),
    ],
)
def test_a_key_that_keeps_nobody_out_refuses_the_start(
    run_limner, tmp_path, args, config, environment
):
    config = write(tmp_path, config + "\n")
    done = run_limner(
        "serve", "--host", "0.0.0.0", "--port", "0", "--config", config, *args, **environment
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "key" in done.stderr and KEY not in done.stderr


def test_keys_and_blocklist_are_read_again(start_server, tmp_path):
    words = tmp_path / "words.txt"
    words.write_text("dragon\n")
    models = f"models: {{a: {EMBEDDED}}}\nblocklist: words.txt\n"
    own = start_server("--config", write(tmp_path, models + f"api_keys: [{KEY}, {OTHER_KEY}]\n"))
    assert post(own, by(OTHER_KEY)).status == 200
    write(tmp_path, models + f"api_keys: [{KEY}, x]\n")
    reload(own)
    assert post(own, by(OTHER_KEY)).status == 200, "all or nothing"
    words.write_text("unicorn\n")
    write(tmp_path, models + f"api_keys: [{KEY}]\n")
    reload(own)
    assert post(own, by(OTHER_KEY)).status == 401
    assert post(own, by(KEY), {"prompt": "a dragon"}).status == 200
    assert post(own, by(KEY), {"prompt": "a unicorn"}).status == 400
    write(tmp_path, models)
    reload(own)
    assert post(own, by(KEY)).status == 401
    assert post(own, {}).status == 401, "no key is left: nobody is let in"


def test_an_emptied_key_table_lets_nobody_in(start_server, run_limner, tmp_path):
    db = ("--keys-db", str(tmp_path / "keys.db"))
    assert run_limner("keys", "create", "one", *db).returncode == 0
    own = start_server(*db)
    assert "YOUR_KEY" in own.banner()
    with sqlite3.connect(tmp_path / "keys.db") as table:
        table.execute("DELETE FROM keys")
    assert own.get("/v1/models").status == 401
    own.terminate(signal.SIGHUP)
    assert own.get("/v1/models").status == 401


def test_an_empty_file_keeps_the_models(start_server, tmp_path):
    own = start_server("--config", write(tmp_path, f"models: {{a: {EMBEDDED}}}\n"))
    wrong = f"port: 99999\nmodels: {{b: {EMBEDDED}}}\n"
    for text in ("", "models: {}\n", "queue_size: 5\n", wrong):
        write(tmp_path, text)
        reload(own)
        assert models_of(own) == ["a"], text
    assert "99999" in own.log()


def test_a_known_key_beside_an_unknown_one_counts(start_server):
    own = start_server(LIMNER_API_KEY=f"{KEY},{OTHER_KEY}")
    for other in (by("dummy-key"), by(""), {"Authorization": basic("admin", "adminpw")}):
        assert own.request("GET", "/v1/models", headers={**other, "x-bf-vk": KEY}).status == 200
    both = {**by(KEY), "x-bf-vk": OTHER_KEY}
    clash = own.request("GET", "/v1/models", headers=both)
    assert (clash.status, clash.error()["code"]) == (400, "conflicting_credentials")
    refused = own.get("/v1/models")
    offers = refused.headers.get_all("WWW-Authenticate")
    assert [offer.split()[0] for offer in offers] == ["Bearer", "Basic"]


def test_the_banner_can_be_used_as_it_is_printed(start_server):
    own = start_server("--host", "0.0.0.0", LIMNER_API_KEY=KEY)
    assert f"on http://127.0.0.1:{own.port}\n" in own.banner()
    assert f"curl -s http://127.0.0.1:{own.port}/v1" in own.banner()
    assert "YOUR_KEY" in own.banner()
    by_name = {"Host": "limner:8080", **by(KEY)}
    assert own.request("GET", "/v1/models", headers=by_name).status == 200


def test_names_of_keys_are_plain_text(run_limner, tmp_path):
    db = ("--keys-db", str(tmp_path / "keys.db"))
    for name in ("a\nb", "red \x1b[31m", "del\x7f", "c1 \u009b"):
        done = run_limner("keys", "create", name, *db)
        assert (done.returncode, done.stdout) == (2, "")
        assert "NAME" in done.stderr
    assert run_limner("keys", "create", "x", "--key-expires", "0", *db).returncode == 2
    warned = run_limner("keys", "create", "täglich", "--key-model", "no/such", *db)
    assert warned.returncode == 0 and warned.stdout.startswith("ik-")
    assert "no/such" in warned.stderr and "emoji-256" in warned.stderr
    known = run_limner("keys", "create", "x", "--key-model", "emoji-256", *db)
    assert "warning" not in known.stderr
