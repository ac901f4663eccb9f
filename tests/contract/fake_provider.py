"""An images provider that does what a test says, well or badly, and keeps a log of what reached it.

    with FakeProvider() as provider:
        provider.script(status(503), picture())   # one behaviour a request, the last one for ever
        ...
        assert [r.path for r in provider.requests] == [...]

A behaviour is a function of (connection, request). Raw sockets, so that it can break HTTP as well.
"""

import base64
import gzip
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP

from pictures import apple, to_bytes

SECONDS_MAX = 60  # that a behaviour may hold a connection


@dataclass
class Part:
    name: str
    filename: str | None
    content_type: str
    content: bytes


@dataclass
class Request:
    """As it came over the wire."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes
    at: float = field(default_factory=time.monotonic)
    connection: int = 0  # the number of the connection it came on

    def header(self, name: str) -> str | None:
        return next((v for k, v in self.headers if k.lower() == name.lower()), None)

    def json(self) -> dict:
        return json.loads(self.body)

    def parts(self) -> list[Part]:
        head = f"Content-Type: {self.header('content-type')}\r\n\r\n".encode()
        message = BytesParser(policy=HTTP).parsebytes(head + self.body)
        assert message.is_multipart(), message.defects
        return [
            Part(
                part.get_param("name", header="content-disposition"),
                part.get_filename(),
                part.get_content_type(),
                part.get_payload(decode=True),
            )
            for part in message.iter_parts()
        ]

    def fields(self) -> dict:
        """Of either kind of body, texts only."""
        if (self.header("content-type") or "").startswith("multipart/"):
            return {p.name: p.content.decode() for p in self.parts() if p.filename is None}
        return self.json()


class Connection:
    def __init__(self, sock: socket.socket, number: int):
        self.socket = sock
        self.number = number
        self._buffer = b""
        self._ends = False

    def read_request(self, with_body: bool = True) -> Request | None:
        while b"\r\n\r\n" not in self._buffer:
            if not self._read_more():
                return None
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ")
        headers = [tuple(line.split(": ", 1)) for line in lines]
        request = Request(method, path, headers, b"", connection=self.number)
        if with_body:
            size = int(request.header("content-length") or 0)
            while len(self._buffer) < size:
                if not self._read_more():
                    return None
            request.body, self._buffer = self._buffer[:size], self._buffer[size:]
        return request

    def _read_more(self) -> bool:
        try:
            data = self.socket.recv(1 << 20)
        except OSError:
            return False
        self._buffer += data
        return bool(data)

    def write(self, data: bytes) -> bool:
        """False when the other side is gone."""
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            return False

    def wait_closed(self, seconds_max: float = SECONDS_MAX) -> bool:
        """Until the other side closes; False when it did not."""
        self.socket.settimeout(seconds_max)
        try:
            while self.socket.recv(1 << 16):
                pass
            return True
        except TimeoutError:
            return False
        except OSError:
            return True
        finally:
            self.socket.settimeout(SECONDS_MAX)

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.end()

    def end(self) -> None:
        """No further request is read from this connection."""
        self._ends = True
        self.socket.close()

    @property
    def is_ended(self) -> bool:
        return self._ends


Behaviour = Callable[[Connection, Request], None]


class FakeProvider:
    def __init__(self, tls: ssl.SSLContext | None = None, reads_bodies: bool = True):
        self.requests: list[Request] = []
        self.cancelled_after: list[float] = []  # seconds from request to the client's leaving
        self.connection_count = 0
        self._reads_bodies = reads_bodies
        self._script: list[Behaviour] = [picture()]
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/v1"

    def script(self, *behaviours: Behaviour) -> None:
        """From now on: one behaviour a request, the last one for ever. Forgets the log."""
        with self._lock:
            self._script = list(behaviours)
            self.requests.clear()

    def stop(self) -> None:
        self._listener.close()
        with self._lock:
            for sock in self._open:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connection_count += 1
            number = self.connection_count
            threading.Thread(target=self._serve, args=(sock, number), daemon=True).start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        with self._lock:
            self._open.add(sock)
        try:
            sock.settimeout(SECONDS_MAX)
            if self._tls:
                sock = self._tls.wrap_socket(sock, server_side=True)
            connection = Connection(sock, number)
            while not connection.is_ended:
                request = connection.read_request(self._reads_bodies)
                if request is None:
                    return
                with self._lock:
                    self.requests.append(request)
                    one_of_more = len(self._script) > 1
                    behave = self._script.pop(0) if one_of_more else self._script[0]
                behave(connection, request)
        except (OSError, ssl.SSLError):
            pass
        finally:
            with self._lock:
                self._open.discard(sock)
            sock.close()


# Behaviours: good answers.


def head(code: int, fields: dict[str, object], reason: str = "X") -> bytes:
    lines = [f"HTTP/1.1 {code} {reason}", *(f"{k}: {v}" for k, v in fields.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def raw(data: bytes, then_close: bool = False) -> Behaviour:
    def behave(connection: Connection, _: Request) -> None:
        connection.write(data)
        if then_close:
            connection.end()

    return behave


def reply(code: int, body: object, content_type: str = "application/json", **fields) -> Behaviour:
    """Fields with `_` for `-`: retry_after=2."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {k.replace("_", "-"): v for k, v in fields.items()}
    return raw(
        head(code, {"Content-Type": content_type, "Content-Length": len(data), **named}) + data
    )


PICTURE = base64.b64encode(to_bytes(apple(64))).decode()


def images(count: int = 1, **more) -> dict:
    """A reply as OpenAI's gpt-image models give it."""
    return {
        "created": 1_795_251_000,
        "data": [{"b64_json": PICTURE} for _ in range(count)],
        "size": "64x64",
        "quality": "medium",
        "background": "opaque",
        "output_format": "png",
        "usage": {
            "input_tokens": 11,
            "output_tokens": 272 * count,
            "total_tokens": 11 + 272 * count,
            "input_tokens_details": {"text_tokens": 11, "image_tokens": 0},
        },
        **more,
    }


def picture(**more) -> Behaviour:
    """What the request asks for: `n` pictures, streamed when asked."""

    def behave(connection: Connection, request: Request) -> None:
        fields = request.fields()
        if str(fields.get("stream", "")).lower() == "true":
            kind = "image_edit" if "edits" in request.path else "image_generation"
            partial_count = int(fields.get("partial_images") or 0)
            events = [partial(kind, i) for i in range(partial_count)]
            events += [completed(kind) for _ in range(int(fields.get("n") or 1))]
            return sse(*events)(connection, request)
        return reply(200, images(int(fields.get("n") or 1), **more), x_request_id="req_fake")(
            connection, request
        )

    return behave


def event(name: str, fields: object) -> bytes:
    return f"event: {name}\ndata: {json.dumps(fields)}\n\n".encode()


def partial(kind: str = "image_generation", index: int = 0) -> bytes:
    name = f"{kind}.partial_image"
    fields = {"type": name, "b64_json": PICTURE, "partial_image_index": index}
    return event(name, {**fields, **STREAM_FIELDS})


def completed(kind: str = "image_generation") -> bytes:
    name = f"{kind}.completed"
    fields = {"type": name, "b64_json": PICTURE, "usage": images()["usage"]}
    return event(name, {**fields, **STREAM_FIELDS})


STREAM_FIELDS = {
    "created_at": 1_795_251_000,
    "size": "64x64",
    "quality": "medium",
    "background": "opaque",
    "output_format": "png",
}


def sse(*pieces: bytes, then: Behaviour | None = None, line_end: bytes = b"\n") -> Behaviour:
    """Events in chunks, ended as HTTP wants it, or by `then` in the middle."""

    def behave(connection: Connection, request: Request) -> None:
        connection.write(
            head(200, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"})
        )
        for piece in pieces:
            piece = piece.replace(b"\n", line_end)
            connection.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        if then:
            return then(connection, request)
        connection.write(b"0\r\n\r\n")
        return None

    return behave


def status(code: int, error_code: str | None = None, message: str = "no", **fields) -> Behaviour:
    """An error in OpenAI's shape."""
    error = {"message": message, "type": "error", "param": None, "code": error_code}
    return reply(code, {"error": error}, **fields)


# Behaviours: faults.


def close(connection: Connection, _: Request) -> None:
    """No reply byte."""
    connection.end()


def reset(connection: Connection, _: Request) -> None:
    connection.reset()


def silence(connection: Connection, _: Request) -> None:
    """Nothing more, until the client leaves."""
    connection.wait_closed()
    connection.end()


def slow_head(connection: Connection, _: Request) -> None:
    """One byte of the head a second."""
    for byte in head(200, {"Content-Length": 2}) + b"{}":
        if not connection.write(bytes([byte])):
            return
        time.sleep(1)


def huge_head(connection: Connection, request: Request) -> None:
    reply(200, images(), x_long="a" * 65_536)(connection, request)


def many_fields(connection: Connection, request: Request) -> None:
    reply(200, images(), **{f"x_{i}": i for i in range(500)})(connection, request)


def half_body(connection: Connection, request: Request) -> None:
    """Half of a good answer, the connection stays open."""
    data = json.dumps(images()).encode()
    connection.write(head(200, {"Content-Type": "application/json", "Content-Length": len(data)}))
    connection.write(data[: len(data) // 2])
    silence(connection, request)


def short_body(connection: Connection, _: Request) -> None:
    """Less than Content-Length says, then closed."""
    data = json.dumps(images()).encode()
    connection.write(head(200, {"Content-Length": len(data) + 10}) + data)
    connection.end()


def long_body(connection: Connection, _: Request) -> None:
    """More than Content-Length says."""
    data = json.dumps(images()).encode()
    fields = {"Content-Type": "application/json", "Content-Length": len(data)}
    connection.write(head(200, fields) + data + b"HTTP/1.1 500 smuggled\r\n\r\n")


def dripping_body(connection: Connection, _: Request) -> None:
    """One byte of the body a second."""
    connection.write(head(200, {"Content-Type": "application/json", "Content-Length": 100_000}))
    while connection.write(b" "):
        time.sleep(1)


def endless_body(connection: Connection, _: Request) -> None:
    """Ten GiB, if anybody took them."""
    connection.write(head(200, {"Content-Type": "application/json", "Content-Length": 10 << 30}))
    piece = b" " * (1 << 20)
    for _piece in range(10 << 10):
        if not connection.write(piece):
            return


def gzip_bomb(connection: Connection, request: Request) -> None:
    bomb = gzip.compress(b" " * (64 << 20))
    reply(200, bomb, content_encoding="gzip")(connection, request)


def bad_chunk(connection: Connection, _: Request) -> None:
    connection.write(head(200, {"Transfer-Encoding": "chunked"}) + b"zz\r\n{}\r\n0\r\n\r\n")
    connection.end()


def length_and_chunks(connection: Connection, _: Request) -> None:
    fields = {"Content-Length": 2, "Transfer-Encoding": "chunked"}
    connection.write(head(200, fields) + b"2\r\n{}\r\n0\r\n\r\n")


def cut_json(connection: Connection, request: Request) -> None:
    """A whole reply by HTTP's rules, its JSON cut inside a string."""
    reply(200, json.dumps(images()).encode()[:-40])(connection, request)


def deep_json(connection: Connection, request: Request) -> None:
    reply(200, b'{"data":' + b"[" * 100_000)(connection, request)


def wide_json(connection: Connection, request: Request) -> None:
    members = b",".join(b'"k%d":1' % i for i in range(1_000_000))
    reply(200, b"{" + members + b"}")(connection, request)


def not_a_picture(connection: Connection, request: Request) -> None:
    data = [{"b64_json": base64.b64encode(b"no picture at all").decode()}]
    reply(200, {"created": 1, "data": data})(connection, request)


def only_interim(connection: Connection, _: Request) -> None:
    connection.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
    connection.end()


def refuse_upload(connection: Connection, _: Request) -> None:
    """413 while the upload is still coming, then RST. Wants a provider with reads_bodies=False."""
    status(413, "too_large")(connection, _)
    time.sleep(0.2)
    connection.reset()


def redirect(code: int, location: str) -> Behaviour:
    return raw(head(code, {"Location": location, "Content-Length": 0}))


def after(seconds: float, behave: Behaviour) -> Behaviour:
    """Late, unless the client leaves before."""

    def wait(connection: Connection, request: Request) -> None:
        if connection.wait_closed(seconds):
            connection.end()
        else:
            behave(connection, request)

    return wait
