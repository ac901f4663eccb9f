"""docs/metrics.md is a promise: what it lists is there, moves, and nothing else is exported."""

import json
import re
import socket
from pathlib import Path

from limner_server import Server, wait_until
from model_folders import EMBEDDED, UNET, copy_model, replace
from test_lifecycle import ENDLESS, RUNNING, WAITING

PAGE = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
# They tell what is, and need not change while a test looks.
STEADY = {"limner_build_info", "process_threads"}


def documented() -> dict[str, tuple[str, set[str]]]:
    """Name → kind and labels, of each row."""
    rows = re.findall(r"^\| `([a-z_]+)` \| (\w+) \| ([^|]*)\|", PAGE.read_text(), re.MULTILINE)
    return {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


class Snapshot:
    """All families at one moment."""

    def __init__(self, server: Server):
        self.kinds: dict[str, str] = {}
        self.labels: dict[str, set[str]] = {}
        self.totals: dict[str, float] = {}
        for line in server.get("/metrics").text().splitlines():
            if line.startswith("# TYPE "):
                _, _, name, self.kinds[name] = line.split()
            elif not line.startswith("#"):
                self._add(*re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line).groups())

    def _add(self, sample: str, labels: str | None, value: str) -> None:
        name = sample
        for suffix in ("_bucket", "_sum", "_count"):
            base = sample.removesuffix(suffix)
            if base != sample and self.kinds.get(base) == "histogram":
                name = base
        keys = set(re.findall(r'(\w+)="', labels or "")) - {"le"}
        self.labels.setdefault(name, set()).update(keys)
        # Of a histogram how often, not how long.
        if name == sample or sample.endswith("_count"):
            self.totals[name] = self.totals.get(name, 0) + float(value)


def send(server: Server, fields: dict) -> socket.socket:
    """A streamed request that tells of its progress at once; nobody reads it."""
    body = json.dumps({**fields, "stream": True}).encode()
    peer = server.connect()
    peer.sendall(
        b"POST /v1/images/generations HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Content-Type: application/json\r\nx-limner-events: progress\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    )
    return peer


def paint_with_a_key(server: Server) -> None:
    headers = {"Content-Type": "application/json", "Idempotency-Key": "metrics"}
    body = json.dumps({"prompt": "a red apple", "n": 2, "num_inference_steps": 2}).encode()
    assert server.request("POST", "/v1/images/generations", body, headers).status == 200


def fill_until_refused(server: Server) -> list[socket.socket]:
    refused = 'limner_refusals_total{reason="queue_full"}'
    peers: list[socket.socket] = []
    while not server.metric(refused):
        peers.append(send(server, {**ENDLESS, "seed": len(peers)}))
        wait_until(
            lambda: sum(server.metric(m) for m in (RUNNING, WAITING, refused)) >= len(peers),
            "the request to be taken or refused",
        )
        assert len(peers) < 100
    return peers


def paint_with_a_broken_model(server: Server) -> None:
    """Accepted, since nobody has read its weights yet; then it fails."""
    reply = server.post_json("/v1/images/generations", {"prompt": "a", "model": "broken"})
    assert reply.status >= 500


def test_every_documented_metric_is_there_and_moves(start_server, tmp_path):
    broken = copy_model(tmp_path / "broken")
    models = ("--model", f"emoji-256={EMBEDDED}", "--model", f"broken={broken}")
    own = start_server(*models, "--memory-limit", "16GiB", "--queue-size", "1")
    replace(broken, UNET, b"\xff" * 4096)
    moments = [Snapshot(own)]
    paint_with_a_broken_model(own)
    paint_with_a_key(own)
    paint_with_a_key(own)
    moments.append(Snapshot(own))
    peers = fill_until_refused(own)
    wait_until(lambda: own.metric("limner_http_streams") >= 2, "the streams to be counted")
    moments.append(Snapshot(own))
    for peer in peers:
        peer.close()
    wait_until(lambda: own.metric(RUNNING) + own.metric(WAITING) == 0, "all to be cancelled")
    wait_until(lambda: own.metric("limner_http_streams") == 0, "the streams to end")
    moments.append(Snapshot(own))

    last, promised = moments[-1], documented()
    assert {name: (last.kinds[name], last.labels[name]) for name in last.kinds} == promised
    still = {
        name
        for name in promised
        if len({moment.totals.get(name, 0) for moment in moments}) == 1
    }
    assert still <= STEADY, "these never moved"
    assert all(last.totals[name] > 0 for name in STEADY)
    assert own.metric('limner_cache_lookups_total{cache="idempotency",result="hit"}') == 1
    assert own.metric('limner_cache_lookups_total{cache="models",result="hit"}') >= 2
