"""limner beside OpenVINO GenAI: the same weights, the same machine, turn by turn in one run.

usage: compare_genai.py DIR [--limner build/bench/micro/bench_painting] [--sizes 256,512]
                        [--precision f32] [--steps 3] [--rounds 5] [--json FILE]

DIR is what tools/make_sd15_random.py DIR --ir wrote: hf/sd15 for limner, ov/sd15-fp16 for GenAI.
One prompt, guidance 7.5 (two UNet rows a step), Euler, static shapes in both. Both engines stay
loaded, each in a process of its own, and paint in turns, so that a disturbance of the machine meets
both; one large matrix product is timed in every round as well. Each figure is a median; the ratio
is the median of the rounds' ratios. `…_cpu_s` are processor seconds of all threads, which hardly
feel the machine's other work; on two idle cores the clock shows half of them. Prints Markdown.

Needs openvino and openvino_genai in this Python.
"""

import argparse
import itertools
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

PROMPT = "a photo of a red fox in the snow, detailed, morning light"
# GFLOP, counted by torch's flop counter on this architecture: one UNet row, one VAE decode.
WORK = {256: dict(unet_row=180.1, decode=622), 512: dict(unet_row=803.3, decode=2515)}
ROWS = 2
FIGURES = (
    "step_s",
    "step_cpu_s",
    "decode_s",
    "decode_cpu_s",
    "rss_mib",
    "anonymous_mib",
    "peak_mib",
)


# --- GenAI in a process of its own, speaking as bench_painting does ----------------------------------


def say(**figures):
    print(json.dumps(figures), flush=True)


def memory_mib(field):
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    return 0


def genai(folder, size, precision, cache):
    import openvino_genai

    start = time.perf_counter()
    pipe = openvino_genai.Text2ImagePipeline(folder)
    pipe.reshape(1, size, size, 7.5)
    loaded = time.perf_counter()
    properties = dict(INFERENCE_PRECISION_HINT=precision, PERFORMANCE_HINT="LATENCY")
    pipe.compile("CPU", **properties, **({"CACHE_DIR": cache} if cache else {}))
    say(load_s=loaded - start, compile_s=time.perf_counter() - loaded)
    for line in sys.stdin:
        clocks = [(time.perf_counter(), time.process_time())]

        def note(*_):
            clocks.append((time.perf_counter(), time.process_time()))
            return False

        pipe.generate(
            PROMPT,
            width=size,
            height=size,
            num_inference_steps=int(line.split()[1]),
            guidance_scale=7.5,
            generator=openvino_genai.CppStdGenerator(1),
            callback=note,
        )
        note()
        metrics = pipe.get_performance_metrics()
        text = metrics.get_text_encoder_infer_duration()
        laps = [(b[0] - a[0], b[1] - a[1]) for a, b in itertools.pairwise(clocks)]
        # The first lap holds the text encoder as well, the last one is the decoder's.
        steps = laps[1:-1] or laps[:1]
        say(
            text_s=sum(text.values() if isinstance(text, dict) else [text]) / 1e3,
            steps_s=[wall for wall, _ in steps],
            steps_cpu_s=[cpu for _, cpu in steps],
            decode_s=laps[-1][0],
            decode_cpu_s=laps[-1][1],
            rss_mib=memory_mib("VmRSS"),
            anonymous_mib=memory_mib("RssAnon"),
            peak_mib=memory_mib("VmHWM"),
        )


# --- the run ----------------------------------------------------------------------------------------


class Engine:
    """A process that is loaded once and paints on demand."""

    def __init__(self, command):
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.loaded = self.answer()
        self.first = self.paint(1)
        self.first["start_to_picture_s"] = time.perf_counter() - self.started

    def answer(self):
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        sys.exit(f"{self.process.args[0]} ended early")

    def paint(self, steps):
        self.process.stdin.write(f"paint {steps}\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class MatrixProduct:
    """GFLOP/s of a chain of large products in OpenVINO: what this machine gives at most."""

    def __init__(self, precision, side=4096, layers=2):
        import numpy as np
        import openvino as ov
        from openvino import opset13 as op

        p = x = op.parameter([side, side], np.float32)
        rng = np.random.default_rng(0)
        for _ in range(layers):
            weight = op.constant(rng.standard_normal((side, side), np.float32) * 0.01)
            x = op.relu(op.matmul(x, weight, False, False))
        hints = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
        model = ov.Core().compile_model(ov.Model([x], [p]), "CPU", hints)
        self.request, self.data = model.create_infer_request(), rng.standard_normal((side, side), np.float32)
        self.gflop = 2 * side**3 * layers / 1e9
        self.request.infer([self.data])

    def measure(self):
        start, cpu = time.perf_counter(), time.process_time()
        self.request.infer([self.data])
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
        return dict(gflops=self.gflop / wall, gflops_per_cpu=self.gflop / cpu)


def commands(args, size, cache=""):
    python = [sys.executable, __file__, args.dir / "ov" / "sd15-fp16", "--genai-child"]
    return dict(
        limner=[args.limner, args.dir / "hf" / "sd15", size, args.precision, *(["auto", cache] if cache else [])],
        genai=python + ["--sizes", size, "--precision", args.precision, "--cache", cache],
    )


def in_turns(args, size):
    """Medians of rounds in which limner, GenAI and the matrix product take turns."""
    product = MatrixProduct(args.precision)
    engines = {name: Engine(c) for name, c in commands(args, size).items()}
    rounds, load = [], []
    for i in range(args.rounds):
        one = product.measure()
        # Who goes first changes, so that neither always follows the other's caches.
        for name in sorted(engines, reverse=i % 2 == 1):
            done = engines[name].paint(args.steps)
            one[name] = done | dict(
                step_s=statistics.median(done["steps_s"]),
                step_cpu_s=statistics.median(done["steps_cpu_s"]),
            )
        rounds.append(one)
        load.append(os.getloadavg()[0])
        print(f"{size}: round {i + 1}", file=sys.stderr, flush=True)
    for engine in engines.values():
        engine.close()
    result = dict(size=size, load=load)
    for key in ("gflops", "gflops_per_cpu"):
        result[key] = statistics.median(r[key] for r in rounds)
    for key in FIGURES:
        result[key] = {n: statistics.median(r[n][key] for r in rounds) for n in engines}
        ratios = [r["limner"][key] / r["genai"][key] for r in rounds if r["genai"][key]]
        result[key]["ratio"] = statistics.median(ratios) if ratios else 0
    result["rounds"] = rounds
    return result


def starts(args, size):
    """From process start to a picture of one step: nothing cached, then everything cached."""
    result = {}
    with tempfile.TemporaryDirectory() as cache:
        for name in ("limner", "genai"):
            for state in ("no cache", "first, cache written", "cached"):
                folder = "" if state == "no cache" else f"{cache}/{name}"
                engine = Engine(commands(args, size, folder)[name])
                result[f"{name} {state}"] = dict(
                    load_s=engine.loaded["load_s"] + engine.loaded.get("compile_s", 0),
                    start_to_picture_s=engine.first["start_to_picture_s"],
                    peak_mib=engine.first["peak_mib"],
                    rss_mib=engine.first["rss_mib"],
                )
                again = engine.paint(1)
                painting = again["text_s"] + sum(again["steps_s"]) + again["decode_s"]
                first = engine.first["start_to_picture_s"]
                result[f"{name} {state}"]["beside_painting_s"] = first - painting
                engine.close()
    return dict(size=size, starts=result)


# --- the report -------------------------------------------------------------------------------------


def print_turns(results):
    print("| size | figure | limner | GenAI | ratio | limner GFLOP/s | of a matmul |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for r in results:
        work = WORK.get(r["size"], {})
        flop = dict(step_s=work.get("unet_row", 0) * ROWS, decode_s=work.get("decode", 0))
        flop |= {k.replace("_s", "_cpu_s"): v for k, v in flop.items()}
        for key in FIGURES:
            ours, theirs, ratio = r[key]["limner"], r[key]["genai"], r[key]["ratio"]
            speed = share = ""
            if flop.get(key):
                peak = r["gflops_per_cpu"] if "cpu" in key else r["gflops"]
                speed = f"{flop[key] / ours:.0f}"
                share = f"{flop[key] / ours / peak * 100:.0f} %"
            digits = 0 if key.endswith("mib") else 3
            print(
                f"| {r['size']} | {key} | {ours:.{digits}f} | {theirs:.{digits}f} | {ratio:.2f} "
                f"| {speed} | {share} |"
            )
    for r in results:
        print(
            f"\nAt {r['size']}: matrix product {r['gflops']:.0f} GFLOP/s on the clock, "
            f"{r['gflops_per_cpu']:.0f} per processor second, {len(r['rounds'])} rounds, "
            f"load average {min(r['load']):.1f} to {max(r['load']):.1f}."
        )


def print_starts(results):
    print("\n| size | start | load and compile s | start to picture s | beside painting s | peak MiB | RSS MiB |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for r in results:
        for name, f in r["starts"].items():
            print(
                f"| {r['size']} | {name} | {f['load_s']:.1f} | {f['start_to_picture_s']:.1f} "
                f"| {f['beside_painting_s']:.1f} | {f['peak_mib']:.0f} | {f['rss_mib']:.0f} |"
            )


def main():
    a = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    a.add_argument("dir", type=pathlib.Path)
    a.add_argument(
        "--limner", type=pathlib.Path, default=pathlib.Path("build/bench/micro/bench_painting")
    )
    a.add_argument("--sizes", default="256,512")
    a.add_argument("--precision", default="f32")
    a.add_argument("--steps", type=int, default=3, help="at least 3")
    a.add_argument("--rounds", type=int, default=5)
    a.add_argument("--starts", action="store_true", help="measure cold and cached starts instead")
    a.add_argument("--json", type=pathlib.Path, help="also write the figures here")
    a.add_argument("--genai-child", action="store_true", help=argparse.SUPPRESS)
    a.add_argument("--cache", default="", help=argparse.SUPPRESS)
    args = a.parse_args()
    sizes = [int(size) for size in args.sizes.split(",")]
    if args.genai_child:
        genai(args.dir, sizes[0], args.precision, args.cache)
        return
    results = [(starts if args.starts else in_turns)(args, size) for size in sizes]
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")
    (print_starts if args.starts else print_turns)(results)


if __name__ == "__main__":
    main()
