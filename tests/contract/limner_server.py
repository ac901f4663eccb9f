"""The built binary as a process: started, waited for, read, stopped."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

START_SECONDS_MAX = 120
STOP_SECONDS_MAX = 60


def wait_until(condition: Callable[[], object], what: str, seconds_max: float = 60):
    """Polls until `condition` is truthy and returns its value. Fails after `seconds_max`."""
    deadline = time.monotonic() + seconds_max
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds_max} s in vain: {what}")
        time.sleep(0.02)


def clean_environment(folder: Path, cache: Path, **more: str) -> dict[str, str]:
    """What a process of ours may see: nothing of the developer's own settings or folders.

    Pictures are compared, so the precision is named: `auto` is another on another processor.
    """
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LIMNER_PRECISION": "f32",
        "LIMNER_CACHE_DIR": str(cache),
        "LIMNER_IMAGES_DIR": str(folder / "images"),
        **more,
    }


@dataclass
class Reply:
    status: int
    headers: Message
    body: bytes

    def text(self) -> str:
        return self.body.decode()

    def json(self):
        return json.loads(self.body)

    def error(self) -> dict:
        """The error object, in OpenAI's shape."""
        error = self.json()["error"]
        assert error.keys() == {"message", "type", "param", "code"}
        return error


class Server:
    """One `limner serve` on a free port."""

    def __init__(
        self,
        binary: Path,
        folder: Path,
        environment: dict[str, str],
        args: list[str],
        stderr: int | None = None,
    ):
        """`stderr`: a descriptor in place of the file that log() reads."""
        self.folder = folder
        self._out = folder / "stdout.txt"
        self._log = folder / "log.txt"
        command = [str(binary), "serve", "--port", "0", "--log-level", "debug", *args]
        with self._out.open("wb") as out, self._log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log if stderr is None else stderr,
                env=environment,
                cwd=folder,
            )
        try:
            address = wait_until(self._find_address, "the printed address", START_SECONDS_MAX)
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        self.host, self.port = address.group(1), int(address.group(2))
        self.url = f"http://{self.host}:{self.port}"

    def _find_address(self):
        if self.process.poll() is not None:
            raise AssertionError(f"limner ended with {self.process.returncode}:\n{self.log()}")
        return re.search(r" on http://([\d.]+):(\d+)\n", self._out.read_text())

    def wait_ready(self) -> "Server":
        wait_until(lambda: self.get("/ready").status == 200, "/ready", START_SECONDS_MAX)
        return self

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def banner(self) -> str:
        return self._out.read_text()

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict | None = None
    ) -> "Reply":
        """One request on a connection of its own, nothing added or followed."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=120)
        try:
            headers = headers or {}
            chunked = headers.get("Transfer-Encoding") == "chunked"
            connection.request(method, path, body, headers, encode_chunked=chunked)
            reply = connection.getresponse()
            return Reply(reply.status, reply.headers, reply.read())
        finally:
            connection.close()

    def get(self, path: str) -> "Reply":
        return self.request("GET", path)

    def post_json(self, path: str, fields: object) -> "Reply":
        body = json.dumps(fields).encode()
        return self.request("POST", path, body, {"Content-Type": "application/json"})

    def metric(self, sample: str) -> float:
        """The value of one line of /metrics, its labels included; 0 when it is not there yet."""
        for line in self.get("/metrics").text().splitlines():
            name, _, value = line.rpartition(" ")
            if name == sample:
                return float(value)
        return 0.0

    def resident_bytes(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024

    def connect(self) -> socket.socket:
        return socket.create_connection((self.host, self.port), timeout=30)

    def terminate(self, with_signal: int = signal.SIGTERM) -> None:
        self.process.send_signal(with_signal)

    def wait_end(self) -> int:
        return self.process.wait(STOP_SECONDS_MAX)

    def stop(self) -> None:
        """Ends it as an operator does, and wants a clean end."""
        if self.process.poll() is None:
            self.terminate()
            try:
                self.wait_end()
            finally:
                self.process.kill()
        assert self.process.returncode == 0, f"exit code {self.process.returncode}\n{self.log()}"
