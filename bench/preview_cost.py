#!/usr/bin/env python3
"""What three previews cost a picture of 20 steps: streams with and without, in turns.

  python3 bench/preview_cost.py [--rounds 10] [--model NAME=DIR]
"""

import argparse
import json
import statistics
import tempfile
import time
import urllib.request

from server import BINARY, Server, machine

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--rounds", type=int, default=10)
parser.add_argument("--steps", type=int, default=20)
parser.add_argument("--model", help="NAME=DIR; the embedded one by default")
parser.add_argument("--binary", default=BINARY)
options = parser.parse_args()


def stream(port, previews):
    """Seconds of one streamed picture, and how many previews came."""
    body = json.dumps({"prompt": "a red apple", "seed": 1, "stream": True, "partial_images": previews,
                       "num_inference_steps": options.steps}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/images/generations", body,
                                     {"Content-Type": "application/json"})
    start = time.monotonic()
    with urllib.request.urlopen(request, timeout=600) as answer:
        text = answer.read().decode()
    return time.monotonic() - start, text.count("event: image_generation.partial_image")


arguments = ["--model", options.model] if options.model else []
with tempfile.TemporaryDirectory() as cache, Server(*arguments, cache_dir=cache, binary=options.binary) as server:
    server.wait_ready()
    for previews in (0, 3):  # fits the preview decoder
        stream(server.port, previews)
    without, with_three, came = [], [], set()
    for _ in range(options.rounds):
        without.append(stream(server.port, 0)[0])
        seconds, count = stream(server.port, 3)
        with_three.append(seconds)
        came.add(count)

bare, full = statistics.median(without), statistics.median(with_three)
print(f"machine: {machine()}\n")
print("| without, s | with three, s | more | previews that came |\n| --- | --- | --- | --- |")
print(f"| {bare:.3f} | {full:.3f} | {full / bare - 1:+.1%} | {came} |")
