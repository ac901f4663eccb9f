"""A limner process to measure: started on a free port, ended with the block."""

import contextlib
import json
import pathlib
import socket
import subprocess
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = ROOT / "build" / "limner"


class Server:
    def __init__(self, *arguments, cache_dir, binary=BINARY):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [binary, "serve", "--port", str(self.port), "--cache-dir", str(cache_dir), "--log-level", "warn", *arguments],
            stdout=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)

    def wait_ready(self, seconds=600):
        """Seconds from the start of the process to the first 200 of /ready."""
        while time.monotonic() - self.started < seconds:
            if self.process.poll() is not None:
                raise SystemExit(f"limner ended with {self.process.returncode}")
            with contextlib.suppress(OSError):
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=5) as answer:
                    if answer.status == 200:
                        return time.monotonic() - self.started
            time.sleep(.005)
        raise SystemExit("limner was not ready in time")

    def paint(self, prompt="a red apple", **fields):
        """Seconds that one request takes."""
        body = json.dumps({"prompt": prompt, "response_format": "b64_json", **fields}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/v1/images/generations", body,
                                         {"Content-Type": "application/json"})
        start = time.monotonic()
        with urllib.request.urlopen(request, timeout=600) as answer:
            json.load(answer)
        return time.monotonic() - start

    def memory_mib(self, name="VmRSS"):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) / 1024
        return float("nan")


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    return f"{model}, {len(__import__('os').sched_getaffinity(0))} cores, load {open('/proc/loadavg').read().split()[0]}"
