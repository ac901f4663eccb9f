"""Released architectures with random weights: load time, seconds a step, memory; file's weights and int8.

usage: real_architectures.py [--models sdxl,sd3,flux-4-8] [--weights auto,int8] [--size 512] [--steps 3]
                             [--precision auto] [--folder DIR] [--python PYTHON]

For each model: its folder is made (tools/make_random_model.py, run by PYTHON, which has torch and diffusers),
painted with each kind of weights in a process of its own, first with an empty cache of graphs and then again from
the cache, and deleted. One model at a time: up to 14 GB of disk and 18 GB of memory. Prints the table of
docs/benchmarks.md. A folder DIR/NAME that is there already is used and kept.
"""

import argparse
import datetime
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]


class Painter:
    """bench_painting, one line a picture."""

    def __init__(self, args, folder, weights, cache):
        command = [args.painter, folder, args.size, args.precision, weights, cache]
        self.process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.load_s = self.read()["load_s"]

    def paint(self, steps):
        self.process.stdin.write(f"paint {steps}\n")
        self.process.stdin.flush()
        return self.read()

    def read(self):
        while line := self.process.stdout.readline():
            if line.startswith("{"):  # the log's lines come between
                return json.loads(line)
        sys.exit(f"bench_painting ended with status {self.process.wait()}")

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def processor_seconds(picture):
    """Text, one step and decode; in a fresh process networks are compiled, or read from the cache, on the way."""
    return picture["text_cpu_s"] + statistics.median(picture["steps_cpu_s"]) + picture["decode_cpu_s"]


def measure(args, folder, weights):
    with tempfile.TemporaryDirectory(dir=args.folder) as cache:
        painter = Painter(args, folder, weights, cache)
        first = painter.paint(1)
        again = painter.paint(args.steps)
        painter.close()
        cached = Painter(args, folder, weights, cache)
        first_cached = cached.paint(1)
        cached.close()
    steady = processor_seconds(again)
    return dict(
        compile_cpu=processor_seconds(first) - steady,
        cached_cpu=processor_seconds(first_cached) - steady,
        text=again["text_s"],
        step=statistics.median(again["steps_s"]),
        step_cpu=statistics.median(again["steps_cpu_s"]),
        decode=again["decode_s"],
        peak=again["peak_mib"],
        anonymous=again["anonymous_mib"],
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--models", default="sdxl,sd3,flux-4-8")
    parser.add_argument("--weights", default="auto,int8")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()))
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--painter", type=pathlib.Path, default=ROOT / "build/bench/micro/bench_painting")
    args = parser.parse_args()
    print(f"{datetime.date.today()}, {args.size}x{args.size}, precision {args.precision}, {os.cpu_count()} cores\n")
    print(
        "| model | weights | compile, processor s | from cache, processor s | text, s | step, s | step, processor s | decode, s "
        "| peak, MiB | not file pages, MiB | load average |"
    )
    print("| --- " * 11 + "|", flush=True)
    for model in args.models.split(","):
        folder = args.folder / model
        is_own = not folder.exists()
        if is_own:
            subprocess.run(
                [args.python, ROOT / "tools" / "make_random_model.py", model, folder],
                check=True,
                stdout=sys.stderr,
            )
            time.sleep(5)  # what was written goes to disk
        try:
            for weights in args.weights.split(","):
                m = measure(args, folder, weights)
                print(
                    f"| {model} | {weights} | {m['compile_cpu']:.1f} | {m['cached_cpu']:.1f} | {m['text']:.2f} | {m['step']:.2f} "
                    f"| {m['step_cpu']:.2f} | {m['decode']:.1f} | {m['peak']:.0f} | {m['anonymous']:.0f} "
                    f"| {os.getloadavg()[0]:.1f} |",
                    flush=True,
                )
        finally:
            if is_own:
                shutil.rmtree(folder)


if __name__ == "__main__":
    main()
