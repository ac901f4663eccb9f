"""The openai package for Node, with its chunked uploads, and Vercel's AI SDK."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pictures import apple, decode, hole

HERE = Path(__file__).parent
PACKAGES = HERE.parents[1] / ".deps" / "node"


@pytest.fixture
def node(server, tmp_path):
    """Runs one case of node/clients.mjs against the shared server."""
    apple().save(tmp_path / "apple.png")
    hole().save(tmp_path / "mask.png")

    def run(case: str):
        done = subprocess.run(
            [
                Path(sys.executable).parent / "node",
                HERE / "node" / "clients.mjs",
                case,
                server.url,
                tmp_path / "apple.png",
                tmp_path / "mask.png",
            ],
            capture_output=True,
            text=True,
            env={"LIMNER_NODE_PACKAGES": str(PACKAGES), "PATH": ""},
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


def test_openai_generates(node):
    reply = node("generate")
    assert [decode(image["b64_json"]).size for image in reply["data"]] == [(256, 256)] * 2


def test_openai_lists_models(node):
    reply = node("models")
    assert "emoji-256" in reply["ids"] and reply["one"] == "emoji-256"


@pytest.mark.parametrize("case", ["edit", "editWithMask", "variation", "fallbacks"])
def test_openai_uploads_a_file_while_it_reads_it(node, case):
    reply = node(case)
    assert decode(reply["data"][0]["b64_json"]).size == (256, 256)


def test_openai_streams(node):
    reply = node("streams")
    for kind, events in (("image_generation", "generated"), ("image_edit", "edited")):
        types = [event["type"] for event in reply[events]]
        assert types[-1] == f"{kind}.completed"
        assert set(types[:-1]) <= {f"{kind}.partial_image"}
        assert all(decode(event["b64_json"]) for event in reply[events])
        assert reply[events][-1]["usage"]["total_tokens"] > 0


def test_openai_errors(node):
    errors = node("errors")
    assert errors == {
        "size": {
            "kind": "BadRequestError",
            "status": 400,
            "param": "size",
            "code": "invalid_value",
        },
        "model": {
            "kind": "NotFoundError",
            "status": 404,
            "param": "model",
            "code": "model_not_found",
        },
        "image": {
            "kind": "BadRequestError",
            "status": 400,
            "param": "image",
            "code": "unsupported_image",
        },
        "images": {
            "kind": "UnprocessableEntityError",
            "status": 422,
            "param": "image",
            "code": "unsupported_for_model",
        },
        "stream": {
            "kind": "BadRequestError",
            "status": 400,
            "param": "prompt",
            "code": "missing_required_parameter",
        },
    }


def test_ai_sdk_generates(node):
    assert [decode(image).size for image in node("aiSdkGenerate")] == [(256, 256)] * 2


def test_ai_sdk_edits_with_a_mask(node):
    assert [decode(image).size for image in node("aiSdkEdit")] == [(256, 256)]


def test_ai_sdk_shows_our_words(node):
    error = node("aiSdkError")
    assert error["status"] == 400
    assert "250x250" in error["message"]
