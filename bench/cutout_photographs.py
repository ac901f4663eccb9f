#!/usr/bin/env python3
"""Background removal on scikit-image's standard photographs, each method beside subjects outlined by hand.

  PYTHON bench/cutout_photographs.py [--methods network,classical,auto] [--keep FOLDER]

PYTHON has numpy, pillow and scikit-image. Prints the intersection over union of what is more than half opaque
with the outlined subject, the mean absolute error of alpha, the share of the picture kept, and seconds.
--keep leaves the cut-outs on magenta, to look at.
"""

import argparse
import base64
import io
import json
import pathlib
import statistics
import tempfile
import time
import urllib.request
import uuid

import numpy
import skimage
from PIL import Image, ImageDraw

from server import BINARY, Server, machine

PHOTOGRAPHS = pathlib.Path(skimage.__file__).parent / "data"
OUTLINES = json.loads((pathlib.Path(__file__).parent / "cutout_outlines.json").read_text())


def subject_mask(name, picture):
    """[height, width] of bool."""
    outline = OUTLINES[name]
    if "darker_than" in outline:
        return numpy.asarray(picture.convert("L")) < outline["darker_than"]
    mask = Image.new("L", picture.size, 0)
    draw = ImageDraw.Draw(mask)
    for value, polygons in ((255, outline["subject"]), (0, outline.get("holes", []))):
        for polygon in polygons:
            draw.polygon([tuple(point) for point in polygon], fill=value)
    return numpy.asarray(mask) > 0


def cut_out(port, picture):
    """The RGBA answer, the method that made it, and seconds."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    boundary = uuid.uuid4().hex
    body = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"
        for name, more, value in (
            ("type", "", b"background_removal"),
            ("response_format", "", b"b64_json"),
            ("image", '; filename="picture.png"\r\nContent-Type: image/png', file.getvalue()),
        )) + f"--{boundary}--\r\n".encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/images/edits", body,
                                     {"Content-Type": f"multipart/form-data; boundary={boundary}"})
    start = time.monotonic()
    with urllib.request.urlopen(request, timeout=120) as answer:
        method = answer.headers["x-limner-model"]
        encoded = json.load(answer)["data"][0]["b64_json"]
    seconds = time.monotonic() - start
    return Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGBA"), method, seconds


def measure(matting, binary, cache, keep):
    figures = {}
    with Server("--matting", matting, cache_dir=cache, binary=binary) as server:
        server.wait_ready()
        for name in OUTLINES:
            if name == "about":
                continue
            picture = Image.open(PHOTOGRAPHS / name).convert("RGB")
            subject = subject_mask(name, picture)
            cut, method, seconds = cut_out(server.port, picture)
            alpha = numpy.asarray(cut)[..., 3] / 255
            kept = alpha > .5
            figures[name] = (
                (kept & subject).sum() / max(1, (kept | subject).sum()),
                numpy.abs(alpha - subject).mean(),
                alpha.mean(),
                seconds,
                method,
            )
            if keep:
                ground = Image.new("RGBA", cut.size, (255, 0, 255, 255))
                ground.alpha_composite(cut)
                ground.convert("RGB").save(keep / f"{pathlib.Path(name).stem}-{matting}.png")
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", default="network,classical,auto")
    parser.add_argument("--binary", default=BINARY)
    parser.add_argument("--keep", type=pathlib.Path)
    options = parser.parse_args()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    print(f"machine: {machine()}; scikit-image {skimage.__version__}\n")
    print("| photograph | --matting | answered by | IoU | error | kept | s |\n| --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as cache:
        for matting in options.methods.split(","):
            figures = measure(matting, options.binary, cache, options.keep)
            for name, (iou, error, share, seconds, method) in figures.items():
                print(f"| {pathlib.Path(name).stem} | {matting} | {method} | {iou:.2f} | {error:.3f} | {share:.2f} | {seconds:.2f} |")
            mean_iou = statistics.mean(f[0] for f in figures.values())
            mean_error = statistics.mean(f[1] for f in figures.values())
            print(f"| mean | {matting} | | {mean_iou:.2f} | {mean_error:.3f} | | |")


if __name__ == "__main__":
    main()
