"""Bytes that no well-behaved client sends: each gets a clear answer, and the server stays up."""

import json
import socket

import pytest

PATH = "/v1/images/generations"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(autouse=True)
def still_up(server):
    yield
    assert server.get("/health").status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"{",
        b'{"prompt": "a"',
        b'{"prompt": "a",}',
        b"{'prompt': 'a'}",
        b'{"prompt": "a"} {}',
        b'"prompt"',
        b"[]",
        b"null",
        b'{"prompt": "a", "guidance_scale": NaN}',
        b'{"prompt": "a", "guidance_scale": Infinity}',
        b'{"prompt": "a\xff\xfe"}',
        b'{"prompt": "\xed\xa0\x80"}',
        b'{"prompt": "\\ud800"}',
        b"\xff\xfe{\x00}\x00",
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
    ids=lambda body: repr(body[:24])[2:-1],
)
def test_what_is_no_json_object_is_refused(server, body):
    reply = server.request("POST", PATH, body, JSON)
    error = reply.error()
    assert reply.status == 400
    assert (error["type"], error["code"]) == ("invalid_request_error", "invalid_json")


def test_a_number_too_large_for_a_double_is_refused(server):
    reply = server.request("POST", PATH, b'{"prompt": "a", "guidance_scale": 1e999}', JSON)
    assert reply.status == 400
    assert reply.error()["code"] in ("invalid_json", "invalid_value", "invalid_type")


def test_a_prompt_of_a_million_characters_is_refused_without_repeating_it(server):
    reply = server.post_json(PATH, {"prompt": "x" * (1 << 20)})
    assert reply.status == 400
    assert reply.error()["param"] == "prompt"
    assert str(1 << 20) in reply.error()["message"]
    assert len(reply.body) < 2_000


@pytest.mark.parametrize("kind", [None, "text/plain", "application/xml", "application/jsonx"])
def test_another_content_type_is_refused(server, kind):
    headers = {"Content-Type": kind} if kind else {}
    reply = server.request("POST", PATH, b'{"prompt": "a"}', headers)
    assert reply.status == 415
    assert reply.error()["code"] == "unsupported_content_type"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_another_method_is_refused_with_what_is_allowed(server, method):
    reply = server.request(method, PATH)
    assert reply.status == 405
    assert "POST" in reply.headers["Allow"].split(", ")
    assert reply.error()["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    "path", ["/none", "/v1", "/v1/images", "/v1/images/paint", "/v1/images/generations/x", "/V1/models"]
)
def test_an_unknown_path_is_not_found(server, path):
    reply = server.request("POST", path, b"{}", JSON)
    assert reply.status == 404
    assert reply.error()["type"] == "invalid_request_error"


def test_a_body_said_to_be_too_large_is_refused_before_it_is_sent(server):
    with server.connect() as peer:
        peer.sendall(
            f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            "Content-Length: 200000000\r\n\r\n".encode()
        )
        status, body = read_reply(peer)
    assert status == 413
    assert body["error"]["code"] == "request_too_large"


def test_a_chunked_body_that_grows_too_large_is_refused(server):
    block = b" " * (1 << 20)
    with server.connect() as peer:
        peer.sendall(
            f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            "Transfer-Encoding: chunked\r\n\r\n".encode()
        )
        try:
            for _ in range(100):
                peer.sendall(b"%x\r\n%s\r\n" % (len(block), block))
        except ConnectionError:
            pass  # it answered and closed while we were still sending
        assert peer.recv(64).startswith(b"HTTP/1.1 413 ")


def test_a_chunked_body_is_read(server):
    with server.connect() as peer:
        peer.sendall(
            f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            "Transfer-Encoding: chunked\r\n\r\n".encode()
        )
        for piece in (b'{"prom', b'pt": ""}'):
            peer.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        peer.sendall(b"0\r\n\r\n")
        status, body = read_reply(peer)
    assert (status, body["error"]["param"]) == (400, "prompt")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST /v1/images/generations HTTP/1.1\r\nHost: localhost\r\nContent-",
        b"POST /v1/images/generations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b'Content-Length: 100\r\n\r\n{"prompt": "half a re',
        b"POST /v1/images/generations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\nff\r\n{",
    ],
    ids=["half a head", "half a body", "half a chunk"],
)
def test_half_a_request_harms_nobody(server, request_bytes):
    with server.connect() as peer:
        peer.sendall(request_bytes)


@pytest.mark.parametrize(
    "head",
    [
        "GET\r\n\r\n",
        "GET /health HTTP/9.9\r\nHost: localhost\r\n\r\n",
        "GET /health HTTP/1.1\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: localhost\r\nBad Name: 1\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: localhost\r\n folded: 1\r\n\r\n",
        "GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS greeting\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: localhost\r\n" + "X-Filler: " + "a" * 100_000 + "\r\n\r\n",
        "GET /" + "a" * 100_000 + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=lambda head: repr(head[:40])[1:-1],
)
def test_a_bad_head_is_refused(server, head):
    with server.connect() as peer:
        try:
            peer.sendall(head.encode("latin-1"))
        except ConnectionError:
            pass  # refused before all of it was sent
        status, body = read_reply(peer)
    assert 400 <= status < 500 or status == 505
    assert body["error"]["message"]


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET /" + "a" * 9_000 + " HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        ("GET / HTTP/1.1\r\nHost: x\r\nExpect: x\r\n\r\n", 417),
        ("GET / HTTP/1.1\r\nHost: x\r\nX: " + "a" * 17_000 + "\r\n\r\n", 431),
        ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        ("GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
    ],
    ids=lambda value: str(value)[:3],
)
def test_a_refusal_says_its_status_in_the_body_too(server, head, status):
    with server.connect() as peer:
        peer.sendall(head.encode())
        got, body = read_reply(peer)
    assert (got, body["status_code"]) == (status, status)


def test_bytes_that_are_no_text_do_not_spoil_the_error(server):
    with server.connect() as peer:
        peer.sendall(
            f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/".encode()
            + b"\xff\xfe" + b"a" * 4_000 + b"\r\nContent-Length: 2\r\n\r\n{}"
        )
        status, body = read_reply(peer)
    assert status == 415
    assert len(body["error"]["message"]) < 500


def test_a_field_with_an_underscore_is_dropped(server):
    body = b'{"prompt": ""}'
    with server.connect() as peer:
        peer.sendall(
            f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            "user_id: 7\r\nContent_Length: 9\r\nTransfer_Encoding: chunked\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        status, answer = read_reply(peer)
    assert (status, answer["error"]["param"]) == (400, "prompt"), "the body was read as it was sent"


def test_a_chunk_beyond_all_limits_is_refused_by_its_head(server):
    with server.connect() as peer:
        peer.sendall(
            f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n".encode()
        )
        status, body = read_reply(peer)
    assert (status, body["error"]["code"]) == (413, "request_too_large")


def test_asking_for_the_head_of_a_painting_paints_nothing(server):
    reply = server.request("HEAD", "/api/v1/images/generation?prompt=a")
    assert reply.status == 405
    assert "HEAD" not in reply.headers["Allow"]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_a_client_that_shut_down_its_side_gets_its_picture(server, stream):
    fields = {"prompt": "a red apple", "num_inference_steps": 4, "stream": stream, "seed": 1}
    body = json.dumps(fields | {"response_format": "b64_json"}).encode()
    with server.connect() as peer:
        peer.sendall(
            f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        peer.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: peer.recv(1 << 20), b""))
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.count(b"HTTP/1.1") == 1
    assert b'"b64_json":"' in answer


@pytest.mark.parametrize(
    "path", ["/v1/models/%ff", "/v1/models/%00", "/v1/models/%2e%2e", "/v1/models/" + "m" * 5000]
)
def test_a_strange_model_in_the_path_is_not_found(server, path):
    reply = server.get(path)
    assert reply.status in (400, 404, 414)
    assert len(reply.body) < 2_000
    reply.error()


def read_reply(peer) -> tuple[int, dict]:
    """Reads until the peer closes or the body is whole."""
    data = b""
    while b"\r\n\r\n" not in data:
        got = peer.recv(65536)
        assert got, f"closed without a whole head: {data[:200]!r}"
        data += got
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    while len(body) < length:
        got = peer.recv(65536)
        assert got, "closed in the middle of the body"
        body += got
    return int(head.split()[1]), json.loads(body)
