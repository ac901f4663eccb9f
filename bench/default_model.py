#!/usr/bin/env python3
"""The embedded model at its own settings: start to ready (cold and warm cache), seconds a picture, memory.

  python3 bench/default_model.py [--rounds 5] [--pictures 10]
"""

import argparse
import statistics
import tempfile

from server import BINARY, Server, machine

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--rounds", type=int, default=5, help="starts of each kind")
parser.add_argument("--pictures", type=int, default=10)
parser.add_argument("--binary", default=BINARY)
options = parser.parse_args()

cold, warm, first, pictures, idle, peak = [], [], [], [], [], []
for _ in range(options.rounds):
    with tempfile.TemporaryDirectory() as cache:
        with Server(cache_dir=cache, binary=options.binary) as server:
            cold.append(server.wait_ready())
            first.append(cold[-1] + server.paint())
        with Server(cache_dir=cache, binary=options.binary) as server:
            warm.append(server.wait_ready())
            idle.append(server.memory_mib())
            pictures += [server.paint(seed=seed) for seed in range(options.pictures)]
            peak.append(server.memory_mib("VmHWM"))

print(f"machine: {machine()}\n")
print("| | median | least | most |\n| --- | --- | --- | --- |")
for name, values, form in [
    ("start to ready, cold cache, s", cold, ".2f"),
    ("start to ready, warm cache, s", warm, ".2f"),
    ("start to first picture, cold cache, s", first, ".2f"),
    ("one picture over HTTP, s", pictures, ".3f"),
    ("resident when ready, MiB", idle, ".0f"),
    ("resident at most, MiB", peak, ".0f"),
]:
    print(f"| {name} | {statistics.median(values):{form}} | {min(values):{form}} | {max(values):{form}} |")
