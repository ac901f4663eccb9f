"""Clients that do not read, upload for ever or come in crowds, and an operator who does not read the log."""

import os
import re
import socket

import pytest
from limner_server import Server, clean_environment, wait_until
from test_raw_requests import read_reply


def picture_path(server) -> str:
    fields = {"prompt": "a red apple", "size": "1536x1536", "num_inference_steps": 1, "response_format": "url"}
    reply = server.post_json("/v1/images/generations", fields)
    return re.search(r"/v1/images/files/[^\"]+", reply.text()).group(0)


def test_readers_that_read_nothing_cost_no_copy_each(start_server):
    own = start_server()
    path = picture_path(own)
    whole = own.get(path).body
    before = own.resident_bytes()
    readers = []
    for _ in range(60):
        peer = socket.socket()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        peer.connect((own.host, own.port))
        peer.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        readers.append(peer)
    heads = [peer.recv(12) for peer in readers]
    assert set(heads) == {b"HTTP/1.1 200"}
    assert own.resident_bytes() - before < 10 * len(whole), "a copy each would be sixty"
    assert own.get(path).body == whole
    for peer in readers:
        peer.close()


@pytest.mark.parametrize(
    ("range_", "status", "part"),
    [
        ("bytes=0-9", 206, slice(0, 10)),
        ("bytes=1000-", 206, slice(1000, None)),
        ("bytes=-7", 206, slice(-7, None)),
        ("bytes=999999999-", 416, None),
    ],
)
def test_a_range_of_a_picture_is_that_part(server, range_, status, part):
    path = picture_path(server)
    whole = server.get(path).body
    reply = server.request("GET", path, headers={"Range": range_})
    assert reply.status == status
    assert reply.body == (whole[part] if part else b"")
    head = server.request("HEAD", path)
    assert (head.status, head.headers["Content-Length"], head.body) == (200, str(len(whole)), b"")


def write_log_lines(server, count: int) -> None:
    """Each request is a line of the log."""
    batch = 100
    with server.connect() as peer:
        for _ in range(count // batch):
            peer.sendall(b"GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n" * batch)
            answers = b""
            while answers.count(b"HTTP/1.1 404") < batch:
                got = peer.recv(1 << 20)
                assert got, "closed"
                answers += got


def test_a_log_that_nobody_reads_stops_nothing(binary, cache_folder, tmp_path):
    reading, writing = os.pipe()
    environment = clean_environment(tmp_path, cache_folder)
    own = Server(binary, tmp_path, environment, [], stderr=writing).wait_ready()
    os.close(writing)
    try:
        write_log_lines(own, 8_000)  # far more than the pipe and the queue before it hold
        assert own.get("/health").status == 200
        text = b""
        while b" lines of the log were lost" not in text:
            text += os.read(reading, 65536)
        own.terminate()
        assert own.wait_end() == 0
    finally:
        own.process.kill()
        os.close(reading)


def test_a_server_ends_though_nobody_reads_its_log(binary, cache_folder, tmp_path):
    reading, writing = os.pipe()
    own = Server(binary, tmp_path, clean_environment(tmp_path, cache_folder), [], stderr=writing)
    own.wait_ready()
    os.close(writing)
    try:
        write_log_lines(own, 3_000)  # more than the pipe holds
        own.terminate()
        assert own.wait_end() == 0
    finally:
        own.process.kill()
        os.close(reading)


def test_beyond_the_connections_health_is_still_answered(start_server):
    own = start_server("--connections", "2")
    held = []

    def hold_one() -> bool:
        """A place may still be taken by a connection that is just ending."""
        peer = own.connect()
        peer.sendall(b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n")
        is_held = peer.recv(1 << 20).startswith(b"HTTP/1.1 200")
        held.append(peer)
        return is_held

    wait_until(hold_one, "the first place")
    wait_until(hold_one, "the second place")
    assert own.get("/health").status == 200
    refused = own.get("/v1/models")
    assert (refused.status, refused.error()["code"]) == (503, "too_many_connections")
    assert refused.headers["Retry-After"]
    for peer in held:
        peer.close()
    wait_until(lambda: own.get("/v1/models").status == 200, "a place to be free")


def test_a_body_has_an_end_however_it_drips(start_server):
    own = start_server("--body-timeout", "1s")
    with own.connect() as peer:
        peer.sendall(
            b"POST /v1/images/generations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 200000\r\n\r\n" + b" " * 100_000
        )
        status, body = read_reply(peer)
    assert (status, body["error"]["code"]) == (408, "request_timeout")


def test_a_strangers_method_is_not_logged_whole(start_server):
    own = start_server()
    with own.connect() as peer:
        peer.sendall(b"A" * 9_000 + b" /none HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert read_reply(peer)[0] == 404
    wait_until(lambda: "AAAA" in own.log(), "the line of the request")
    assert "A" * 100 not in own.log()
