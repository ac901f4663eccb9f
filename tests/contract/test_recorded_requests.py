"""Applications too large to run here: the requests that their sources send, replayed byte by byte."""

import base64
import json
import urllib.request
from pathlib import Path

import pytest
from limner_server import Server, clean_environment
from model_folders import EMBEDDED
from pictures import apple, decode, hole, to_bytes

RECORDED = [
    (recording["client"], request)
    for file in sorted((Path(__file__).parent / "recorded").glob("*.json"))
    for recording in [json.loads(file.read_bytes())]
    for request in recording["requests"]
]


@pytest.fixture(scope="module")
def quick_server(binary, cache_folder, tmp_path_factory):
    """They say nothing of steps, so the model's own number is made small."""
    folder = tmp_path_factory.mktemp("recorded")
    config = folder / "limner.yaml"
    config.write_text(f"models:\n  emoji-256: {{path: {EMBEDDED}, default_steps: 3}}\n")
    environment = clean_environment(folder, cache_folder)
    own = Server(binary, folder, environment, ["--config", str(config)]).wait_ready()
    yield own
    own.stop()


def form_body(request: dict) -> bytes:
    body = b""
    for name, value in request["form"]:
        head = f'--{request["boundary"]}\r\nContent-Disposition: form-data; name="{name}"'
        if isinstance(value, str):
            content = value.encode()
        else:
            content = to_bytes(hole() if value.get("is_mask") else apple())
            head += f'; filename="{value["filename"]}"\r\nContent-Type: {value["type"]}'
        body += head.encode() + b"\r\n\r\n" + content + b"\r\n"
    return body + f"--{request['boundary']}--\r\n".encode()


def in_chunks(body: bytes):
    """An iterator has no length, so http.client sends chunks."""
    for begin in range(0, len(body), 700):
        yield body[begin : begin + 700]


@pytest.mark.parametrize(
    ("client", "request_"), RECORDED, ids=lambda v: v if isinstance(v, str) else v["what"]
)
def test_gets_what_it_reads(quick_server, client, request_):
    headers = dict(request_["headers"])
    if "json" in request_:
        body = json.dumps(request_["json"]).encode()
    else:
        headers["Content-Type"] = f"multipart/form-data; boundary={request_['boundary']}"
        body = form_body(request_)
    if request_.get("chunked"):
        headers["Transfer-Encoding"] = "chunked"
        body = in_chunks(body)
    reply = quick_server.request("POST", request_["path"], body, headers)
    assert reply.status == 200, f"{client}: {reply.text()}"
    image = reply.json()["data"][0]
    if request_["reads"] == "b64_json":
        assert decode(image["b64_json"]).size == (256, 256)
        return
    with urllib.request.urlopen(image["url"], timeout=30) as picture:
        assert picture.headers["Content-Type"].startswith("image/")
        assert decode(base64.b64encode(picture.read()).decode()).size == (256, 256)
