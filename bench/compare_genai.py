"""limner beside OpenVINO GenAI: the same weights, the same machine, turn by turn in one run.

usage: compare_genai.py DIR [--limner build/limner] [--sizes 256,512] [--precisions bf16,f32]
                        [--steps 4] [--rounds 2] [--json FILE]

DIR is what tools/make_sd15_random.py DIR --ir wrote: hf/sd15 for limner, ov/sd15-fp16 for GenAI.
One prompt, guidance 7.5 (two UNet rows a step), Euler. Each engine runs in a process of its own;
rounds alternate between them, so that a disturbance of the machine meets both, and each figure is
the best round's. Prints a Markdown table with the ratios, the arithmetic done per second, and the
same for one large matrix product.

Needs openvino and openvino_genai in this Python.
"""

import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import time

PROMPT = "a photo of a red fox in the snow, detailed, morning light"
# GFLOP, counted by torch's flop counter on this architecture: one UNet row, one VAE decode.
WORK = {256: dict(unet_row=180.1, decode=622), 512: dict(unet_row=803.3, decode=2515)}
ROWS = 2
FIGURES = ("load_s", "compile_s", "text_s", "step_s", "decode_s", "rss_mb")


def genai(folder, size, steps, precision):
    """Child process: one GenAI pipeline, one warm-up, one timed picture; prints JSON."""
    import openvino_genai

    start = time.perf_counter()
    pipe = openvino_genai.Text2ImagePipeline(folder)
    loaded = time.perf_counter()
    pipe.reshape(1, size, size, 7.5)
    pipe.compile("CPU", INFERENCE_PRECISION_HINT=precision)
    compiled = time.perf_counter()

    def paint(count):
        pipe.generate(
            PROMPT,
            width=size,
            height=size,
            num_inference_steps=count,
            guidance_scale=7.5,
            generator=openvino_genai.CppStdGenerator(1),
        )
        return pipe.get_performance_metrics()

    paint(1)
    metrics = paint(steps)
    text = metrics.get_text_encoder_infer_duration()
    figures = dict(
        load_s=loaded - start,
        compile_s=compiled - loaded,
        text_s=sum(text.values() if isinstance(text, dict) else [text]) / 1e3,
        step_s=metrics.get_iteration_duration().mean / 1e3,
        decode_s=metrics.get_vae_decoder_infer_duration() / 1e3,
        rss_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )
    print(json.dumps(figures))


def matrix_product(precision, side=4096, layers=4):
    """GFLOP/s of a chain of large products in OpenVINO: what this machine gives at most."""
    import numpy as np
    import openvino as ov
    from openvino import opset13 as op

    p = x = op.parameter([side, side], np.float32)
    rng = np.random.default_rng(0)
    for _ in range(layers):
        weight = op.constant(rng.standard_normal((side, side), np.float32) * 0.01)
        x = op.relu(op.matmul(x, weight, False, False))
    hints = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
    request = ov.Core().compile_model(ov.Model([x], [p]), "CPU", hints).create_infer_request()
    data = rng.standard_normal((side, side), np.float32)
    best = float("inf")
    for _ in range(4):
        start = time.perf_counter()
        request.infer([data])
        best = min(best, time.perf_counter() - start)
    return 2 * side**3 * layers / best / 1e9


def child(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    return json.loads(lines[-1])


def limner_command(args, size, precision):
    command = [args.limner, "bench", "--model", args.dir / "hf" / "sd15", "--size", f"{size}x{size}"]
    return command + ["--steps", str(args.steps), "--precision", precision, "--json"]


def genai_command(args, size, precision):
    command = [sys.executable, __file__, args.dir / "ov" / "sd15-fp16", "--genai-child"]
    return command + ["--sizes", str(size), "--steps", str(args.steps), "--precisions", precision]


def best(runs):
    return {k: min(r[k] for r in runs) for k in FIGURES}


def compare(args):
    results = []
    for precision in args.precisions.split(","):
        peak = matrix_product(precision)
        for size in map(int, args.sizes.split(",")):
            runs = dict(limner=[], genai=[])
            for _ in range(args.rounds):
                runs["limner"].append(child(limner_command(args, size, precision)))
                runs["genai"].append(child(genai_command(args, size, precision)))
            result = dict(precision=precision, size=size, matrix_gflops=round(peak))
            result |= {name: best(r) for name, r in runs.items()}
            results.append(result)
            print(f"{precision} {size}: done", file=sys.stderr, flush=True)
    return results


def table(results):
    print("| precision | size | figure | limner | GenAI | ratio | limner GFLOP/s | of a matmul |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for r in results:
        work = WORK.get(r["size"], {})
        flops = dict(step_s=work.get("unet_row", 0) * ROWS, decode_s=work.get("decode", 0))
        for key in FIGURES:
            ours, theirs = r["limner"][key], r["genai"][key]
            speed, share = "", ""
            if flops.get(key):
                speed = f"{flops[key] / ours:.0f}"
                share = f"{flops[key] / ours / r['matrix_gflops'] * 100:.0f} %"
            ratio = f"{ours / theirs:.2f}" if theirs else ""
            print(
                f"| {r['precision']} | {r['size']} | {key} | {ours:.3f} | {theirs:.3f} "
                f"| {ratio} | {speed} | {share} |"
            )
    for r in {r["precision"]: r["matrix_gflops"] for r in results}.items():
        print(f"\nOne 4096x4096 matrix product in OpenVINO, {r[0]}: {r[1]} GFLOP/s.")


def main():
    a = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    a.add_argument("dir", type=pathlib.Path)
    a.add_argument("--limner", type=pathlib.Path, default=pathlib.Path("build/limner"))
    a.add_argument("--sizes", default="256,512")
    a.add_argument("--precisions", default="bf16,f32")
    a.add_argument("--steps", type=int, default=4)
    a.add_argument("--rounds", type=int, default=2)
    a.add_argument("--json", type=pathlib.Path, help="also write the figures here")
    a.add_argument("--genai-child", action="store_true", help=argparse.SUPPRESS)
    args = a.parse_args()
    if args.genai_child:
        genai(args.dir, int(args.sizes), args.steps, args.precisions)
        return
    results = compare(args)
    if args.json:
        args.json.write_text(json.dumps(dict(cores=os.cpu_count(), results=results), indent=1) + "\n")
    table(results)


if __name__ == "__main__":
    main()
