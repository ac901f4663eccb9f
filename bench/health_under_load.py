#!/usr/bin/env python3
"""How quickly /health and /v1/models answer while every core paints: 50 requests a second, one connection each.

  python3 bench/health_under_load.py [--seconds 60]
"""

import argparse
import http.client
import statistics
import tempfile
import threading
import time

from server import BINARY, Server, machine

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--seconds", type=float, default=60)
parser.add_argument("--rate", type=float, default=50)
parser.add_argument("--painters", type=int, default=3, help="clients that ask for pictures without pause")
parser.add_argument("--binary", default=BINARY)
options = parser.parse_args()


def probe(port, path):
    start = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"{path} answered {answer.status}")
    return time.monotonic() - start


def measure(port, seconds):
    times, start = {"/health": [], "/v1/models": []}, time.monotonic()
    count = int(seconds * options.rate)
    for i in range(count):
        time.sleep(max(0, start + i / options.rate - time.monotonic()))
        path = "/v1/models" if i % 2 else "/health"
        times[path].append(probe(port, path) * 1000)
    return times


def show(name, times):
    for path, values in times.items():
        cuts = statistics.quantiles(values, n=1000)
        print(f"| {path}, {name} | {len(values)} | {cuts[499]:.2f} | {cuts[949]:.2f} | {cuts[989]:.2f} | {max(values):.2f} |")


with tempfile.TemporaryDirectory() as cache, Server(cache_dir=cache, binary=options.binary) as server:
    server.wait_ready()
    server.paint()
    idle = measure(server.port, min(10, options.seconds))
    is_over, painted = threading.Event(), []

    def keep_painting():
        while not is_over.is_set():
            painted.append(server.paint())

    painters = [threading.Thread(target=keep_painting) for _ in range(options.painters)]
    for painter in painters:
        painter.start()
    start = time.monotonic()
    busy = measure(server.port, options.seconds)
    seconds = time.monotonic() - start
    is_over.set()
    for painter in painters:
        painter.join()

print(f"machine: {machine()}; {len(painted)} pictures in {seconds:.0f} s meanwhile\n")
print("| | requests | p50 ms | p95 ms | p99 ms | most ms |\n| --- | --- | --- | --- | --- | --- |")
show("idle", idle)
show("painting", busy)
