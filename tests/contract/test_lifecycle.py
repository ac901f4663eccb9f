"""Clients that leave, a queue that is full, an operator who ends the server."""

import contextlib
import json
import signal
import socket
import threading

import openai
import pytest
from conftest import client_of
from limner_server import Server, wait_until
from pictures import to_bytes
from PIL import Image
from test_openai_generations import QUICK, generate

CANCELLED = 'limner_requests_total{model="emoji-256",outcome="cancelled"}'
RUNNING = "limner_requests_running"
WAITING = "limner_queue_depth"
# Longer than any test waits, so that what the test does is what ends it.
ENDLESS = {"prompt": "a red apple", "num_inference_steps": 1000}


def send(server: Server, fields: dict) -> socket.socket:
    """A request whose answer nobody has read yet."""
    body = json.dumps(fields).encode()
    peer = server.connect()
    peer.sendall(
        b"POST /v1/images/generations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    )
    return peer


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_a_client_that_leaves_cancels_its_request(start_server, stream):
    own = start_server()
    peer = send(own, {**ENDLESS, "stream": stream})
    wait_until(lambda: own.metric(RUNNING) == 1, "the request to run")
    peer.close()
    wait_until(lambda: own.metric(CANCELLED) == 1, "the request to be cancelled")
    # The gauge is written at the end of the engine's tick, a moment after the request's own end.
    wait_until(lambda: own.metric(RUNNING) == 0, "nothing to run")
    assert generate(client_of(own)).data


def test_one_that_leaves_does_not_harm_another_in_its_batch(start_server):
    own = start_server()
    alone = generate(client_of(own), {"num_inference_steps": 8}).data[0].b64_json
    leaver = send(own, ENDLESS)
    wait_until(lambda: own.metric(RUNNING) == 1, "the first request to run")
    painted = []
    other = threading.Thread(
        target=lambda: painted.append(generate(client_of(own), {"num_inference_steps": 8}))
    )
    other.start()
    wait_until(lambda: own.metric(RUNNING) + own.metric(WAITING) == 2 or painted, "the second")
    leaver.close()
    other.join(60)
    assert len(painted[0].data[0].b64_json) == pytest.approx(len(alone), rel=0.2)
    wait_until(lambda: own.metric(CANCELLED) == 1, "the first request to be cancelled")


def test_a_full_queue_is_refused_with_when_to_come_back(start_server):
    own = start_server("--queue-size", "1")
    peers = []
    # More may run at once than one, so it is filled until it refuses.
    while not own.metric('limner_refusals_total{reason="queue_full"}'):
        peers.append(send(own, {**ENDLESS, "seed": len(peers)}))
        wait_until(
            lambda: (
                own.metric(RUNNING)
                + own.metric(WAITING)
                + own.metric('limner_refusals_total{reason="queue_full"}')
                >= len(peers)
            ),
            "the request to be taken or refused",
        )
        assert len(peers) < 100
    with pytest.raises(openai.RateLimitError) as refused:
        generate(client_of(own))
    assert refused.value.code == "queue_full"
    assert int(refused.value.response.headers["retry-after"]) >= 1
    assert own.get("/health").status == 200
    for peer in peers:
        peer.close()
    wait_until(lambda: own.metric(RUNNING) + own.metric(WAITING) == 0, "the queue to be empty")
    assert generate(client_of(own)).data


def test_sigterm_lets_what_runs_finish(start_server):
    own = start_server()
    peer = send(own, {**QUICK, "prompt": "a red apple", "num_inference_steps": 25})
    wait_until(lambda: own.metric(RUNNING) == 1, "the request to run")
    own.terminate()
    answer = read_to_end(peer)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["data"][0]["b64_json"]
    assert own.wait_end() == 0


def test_sigterm_does_not_wait_longer_than_it_was_told(start_server):
    own = start_server("--shutdown-timeout", "1s")
    peer = send(own, ENDLESS)
    wait_until(lambda: own.metric(RUNNING) == 1, "the request to run")
    own.terminate()
    assert not read_to_end(peer).startswith(b"HTTP/1.1 200 ")
    assert own.wait_end() == 0


def test_sigterm_while_large_uploads_are_decoded_ends_cleanly(start_server):
    """Work that nobody waits for any more may use nothing that is gone."""
    own = start_server("--shutdown-timeout", "1s")
    huge = to_bytes(Image.new("RGBA", (8000, 8000)))  # 64 Mpx, and a hole everywhere

    def edit() -> None:
        with contextlib.suppress(openai.OpenAIError):
            client_of(own).images.edit(image=huge, mask=huge, prompt="a hat")

    editors = [threading.Thread(target=edit) for _ in range(6)]
    for editor in editors:
        editor.start()
    wait_until(lambda: own.metric("limner_http_connections") > len(editors), "the uploads")
    own.terminate()
    assert own.wait_end() == 0, own.log()
    for editor in editors:
        editor.join(60)


def test_ctrl_c_ends_an_idle_server(start_server):
    own = start_server()
    own.terminate(signal.SIGINT)
    assert own.wait_end() == 0


def test_two_servers_share_one_cache(start_server):
    first, second = start_server(), start_server()
    assert first.url != second.url
    assert generate(client_of(first)).data and generate(client_of(second)).data


def read_to_end(peer: socket.socket) -> bytes:
    peer.settimeout(60)
    data = b""
    try:
        while got := peer.recv(1 << 16):
            data += got
    except ConnectionError:
        pass  # a reset is an end too
    return data
