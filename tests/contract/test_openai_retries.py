"""What the real openai package does with our refusals, and what we do with its repetitions."""

import http.server
import threading

import openai
import pytest
from conftest import client_of
from pictures import decode
from test_openai_generations import QUICK, generate


class Flaky(http.server.BaseHTTPRequestHandler):
    """Stands before a server, fails the first requests as told, then passes them on."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.attempts += 1
        if self.server.attempts <= self.server.failures:
            self.close_connection = True
            return
        headers = {name: self.headers[name] for name in ("Content-Type", "Idempotency-Key")}
        headers = {name: value for name, value in headers.items() if value}
        reply = self.server.behind.request("POST", self.path, body, headers)
        if self.server.attempts <= self.server.failures + self.server.lost_answers:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name in ("Content-Type", "Idempotent-Replayed"):
            if reply.headers[name]:
                self.send_header(name, reply.headers[name])
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *args):
        pass


@pytest.fixture
def flaky(server):
    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Flaky)
    proxy.behind, proxy.attempts, proxy.failures, proxy.lost_answers = server, 0, 0, 0
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    yield proxy
    proxy.shutdown()
    proxy.server_close()


def through(proxy) -> openai.OpenAI:
    url = f"http://127.0.0.1:{proxy.server_address[1]}/v1"
    return openai.OpenAI(base_url=url, api_key="unused", max_retries=2)


def test_a_lost_connection_is_tried_again(flaky):
    flaky.failures = 1
    assert generate(through(flaky)).data
    assert flaky.attempts == 2


def test_a_lost_answer_is_not_painted_twice_with_an_idempotency_key(flaky, server):
    flaky.lost_answers = 1
    before = server.metric('limner_images_total{model="emoji-256"}')
    raw = through(flaky).images.with_raw_response.generate(
        prompt="a red apple",
        response_format="b64_json",
        extra_body=QUICK,
        extra_headers={"Idempotency-Key": "lost-answer-1"},
    )
    assert decode(raw.parse().data[0].b64_json)
    assert flaky.attempts == 2
    assert raw.headers["idempotent-replayed"] == "true"
    assert server.metric('limner_images_total{model="emoji-256"}') == before + 1


def test_the_same_key_for_another_request_is_a_conflict_that_is_not_retried(server):
    client = client_of(server, max_retries=2)
    headers = {"Idempotency-Key": "clash-1"}
    client.images.generate(prompt="a red apple", extra_body=QUICK, extra_headers=headers)
    with pytest.raises(openai.ConflictError) as refused:
        client.images.generate(prompt="a blue apple", extra_body=QUICK, extra_headers=headers)
    assert refused.value.code == "idempotency_conflict"
    assert refused.value.response.headers["x-should-retry"] == "false"
    assert refused.value.response.request.headers["x-stainless-retry-count"] == "0"


def test_a_wrong_request_is_not_retried(server):
    client = client_of(server, max_retries=2)
    with pytest.raises(openai.BadRequestError) as refused:
        client.images.generate(prompt="a red apple", size="banana")
    assert refused.value.response.request.headers["x-stainless-retry-count"] == "0"


def test_an_answer_as_the_async_client_reads_it(server):
    import asyncio

    async def paint():
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="unused") as client:
            wait = [client.images.generate(prompt="a red apple", extra_body=QUICK) for _ in "ab"]
            return await asyncio.gather(*wait)

    replies = asyncio.run(paint())
    assert [len(reply.data) for reply in replies] == [1, 1]
