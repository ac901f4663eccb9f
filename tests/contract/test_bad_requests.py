"""A table of bad requests: a 4xx each, in the right shape, nothing leaked, nothing kept."""

import os

import pytest
from bad_requests import BadRequest, bad_requests
from limner_server import Reply, Server
from model_folders import EMBEDDED

REQUESTS = bad_requests()
BIFROST = ("is_bifrost_error", "status_code", "extra_fields")
# Words of a library, of C++, of this machine.
LEAKS = ("boost", "openvino", "std::", "what():", "terminate", ".cpp", "/root", "/tmp", "/home")


def send(server: Server, bad: BadRequest) -> Reply:
    return server.request(bad.method, bad.path, bad.body or None, bad.headers)


def test_the_table_is_long_enough():
    assert len(REQUESTS) >= 200
    assert len({bad.name for bad in REQUESTS}) == len(REQUESTS)


@pytest.mark.parametrize("bad", REQUESTS, ids=lambda bad: bad.name)
def test_is_refused_in_the_right_shape(server, bad):
    reply = send(server, bad)
    body = reply.json()
    error = reply.error()
    assert (reply.status, error["param"], error["code"]) == (bad.status, bad.param, bad.code)
    assert error["type"] == "invalid_request_error"
    if bad.param and not bad.param.startswith(("page_", "Idem")):
        assert error["message"].startswith((bad.param, '"'))
    assert reply.headers["x-request-id"]
    assert reply.headers["Content-Type"] == "application/json"
    assert len(reply.body) < 1_500
    text = reply.text()
    assert not [word for word in (*LEAKS, str(EMBEDDED)) if word in text]
    is_bifrost = not bad.path.startswith(("/v3/", "/api/"))
    assert all((member in body) == is_bifrost for member in BIFROST)
    is_nebula = bad.path.startswith("/api/")
    assert (body.get("status") == "failed") == is_nebula
    assert (body.get("message") == error["message"]) == is_nebula


@pytest.mark.skipif(
    bool(os.environ.get("LIMNER_SANITIZE")), reason="sanitizers keep freed memory on purpose"
)
def test_refusals_keep_no_memory(server):
    """After a first round has filled pools and caches, further rounds add next to nothing."""

    def all_of_them():
        for bad in REQUESTS:
            send(server, bad)

    all_of_them()
    before = server.resident_bytes()
    for _ in range(3):
        all_of_them()
    grown = server.resident_bytes() - before
    assert grown < 16 << 20, f"{grown} bytes more after {3 * len(REQUESTS)} refusals"
