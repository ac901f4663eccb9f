#!/usr/bin/env python3
"""Makes tests/golden/images: small files of every kind the codec reads, written by other programs,
and the pixels those programs read from them.

    python tools/golden/make_images.py tests/golden/images

Made with Pillow 13.0.0 (libjpeg-turbo, libwebp, zlib as bundled). 16-bit and Adam7 files are
written by the few lines below, since Pillow cannot. Every `name.ext` has a `name.expected.png`
beside it unless the manifest says that it must be refused. Tolerances are in manifest.json: 0 for
lossless files, 1 where 16 bits become 8, 2 where JPEG decoders may round differently.
"""
import io
import json
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, PngImagePlugin

SIZE = (20, 14)  # not square, so that a turned picture shows


def picture(channels=3, size=SIZE):
    w, h = size
    y, x = np.mgrid[0:h, 0:w]
    planes = [x * 255 // (w - 1), y * 255 // (h - 1), (x * 9 + y * 17) % 256, (x + y) * 255 // (w + h - 2)]
    return np.stack(planes[:channels], -1).astype(np.uint8)


def corner_picture():
    """Four flat quarters: survives JPEG, and tells the eight orientations apart."""
    a = np.zeros((16, 24, 3), np.uint8)
    a[:8, :16], a[:8, 16:], a[8:, :16], a[8:, 16:] = (230, 30, 30), (30, 230, 30), (30, 30, 230), (240, 240, 240)
    return Image.fromarray(a)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png16(array, colour_type):
    h, w = array.shape[:2]
    rows = b"".join(b"\0" + array[y].astype(">u2").tobytes() for y in range(h))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 16, colour_type, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def png_adam7(array):
    h, w, channels = array.shape
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    rows = b""
    for x0, y0, dx, dy in passes:
        part = array[y0::dy, x0::dx]
        if part.size:
            rows += b"".join(b"\0" + part[y].tobytes() for y in range(part.shape[0]))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, {3: 2, 4: 6}[channels], 0, 0, 1))
            + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def exif(orientation):
    e = Image.Exif()
    e[0x0112] = orientation
    return e.tobytes()


def main(out):
    out.mkdir(parents=True, exist_ok=True)
    manifest = {"pillow": PIL.__version__, "files": []}

    def save(name, data, expected=None, tolerance=0):
        if isinstance(data, tuple):
            image, options = data
            buffer = io.BytesIO()
            image.save(buffer, **options)
            data = buffer.getvalue()
        (out / name).write_bytes(data)
        if expected is None:
            opened = Image.open(io.BytesIO(data))
            alpha = opened.mode in ("RGBA", "LA", "PA") or "transparency" in opened.info
            expected = opened.convert("RGBA" if alpha else "RGB")
        stem = name.replace(".", "_")
        expected.save(out / f"{stem}.expected.png", optimize=True)
        entry = {"file": name, "expected": f"{stem}.expected.png", "tolerance": tolerance}
        manifest["files"].append(entry)

    rgb, rgba = Image.fromarray(picture(3)), Image.fromarray(picture(4))
    grey = rgb.convert("L")
    palette = rgb.quantize(200)
    save("rgb.png", (rgb, dict(format="PNG")))
    save("rgba.png", (rgba, dict(format="PNG")))
    save("grey.png", (grey, dict(format="PNG")))
    save("grey_alpha.png", (Image.merge("LA", (grey, rgba.getchannel(3))), dict(format="PNG")))
    save("bits1.png", (grey.convert("1"), dict(format="PNG")))
    for bits in (2, 4):
        save(f"palette{bits}.png", (rgb.quantize(1 << bits), dict(format="PNG", bits=bits)))
    save("palette8.png", (palette, dict(format="PNG")))
    save("palette_transparent.png", (palette, dict(format="PNG", transparency=bytes(range(0, 200)))))
    save("rgb_transparent.png", (rgb, dict(format="PNG", transparency=tuple(int(v) for v in picture(3)[3, 5]))))
    save("adam7_rgb.png", png_adam7(picture(3)), rgb)
    save("adam7_rgba.png", png_adam7(picture(4)), rgba)
    save("adam7_tiny.png", png_adam7(picture(3, (2, 2))), Image.fromarray(picture(3, (2, 2))))
    deep = picture(4).astype(np.uint16) * 257 + 60  # 8 bits are not enough to tell these
    deep = np.where(picture(4) == 255, 65535, deep).astype(np.uint16)
    to8 = lambda a: np.round(a / 257).astype(np.uint8)
    save("grey16.png", png16(deep[..., :1], 0), Image.fromarray(to8(deep[..., 0])).convert("RGB"))
    save("rgb16.png", png16(deep[..., :3], 2), Image.fromarray(to8(deep[..., :3])))
    save("rgba16.png", png16(deep, 6), Image.fromarray(to8(deep)))
    profile = b"\0" * 3000
    save("iccp.png", (rgb, dict(format="PNG", icc_profile=profile)))

    save("rgb.jpg", (rgb, dict(format="JPEG", quality=95, subsampling=0)), tolerance=2)
    save("rgb_420.jpg", (rgb, dict(format="JPEG", quality=90, subsampling=2)), tolerance=2)
    save("grey.jpg", (grey, dict(format="JPEG", quality=95)), tolerance=1)
    save("progressive.jpg", (rgb, dict(format="JPEG", quality=95, progressive=True)), tolerance=2)
    save("cmyk.jpg", (rgb.convert("CMYK"), dict(format="JPEG", quality=98)), tolerance=2)
    save("restart.jpg", (rgb, dict(format="JPEG", quality=95, restart_marker_blocks=1)), tolerance=2)

    save("lossless.webp", (rgb, dict(format="WEBP", lossless=True)))
    save("lossless_alpha.webp", (rgba, dict(format="WEBP", lossless=True, exact=True)))
    save("lossy.webp", (rgb, dict(format="WEBP", quality=90)), tolerance=1)
    save("lossy_alpha.webp", (rgba, dict(format="WEBP", quality=90, exact=True)), tolerance=1)

    quarters = corner_picture()
    turn = Image.Transpose
    undo = {2: turn.FLIP_LEFT_RIGHT, 3: turn.ROTATE_180, 4: turn.FLIP_TOP_BOTTOM, 5: turn.TRANSPOSE,
            6: turn.ROTATE_270, 7: turn.TRANSVERSE, 8: turn.ROTATE_90}
    for o in range(1, 9):
        upright = quarters.transpose(undo[o]) if o in undo else quarters
        save(f"orientation{o}.png", (quarters, dict(format="PNG", exif=exif(o))), upright)
        save(f"orientation{o}.jpg", (quarters, dict(format="JPEG", quality=95, subsampling=0, exif=exif(o))), upright,
             tolerance=6)
        save(f"orientation{o}.webp", (quarters, dict(format="WEBP", lossless=True, exif=exif(o))), upright)

    # stable-diffusion-webui's ways to write its settings.
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", "a cat\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1")
    save("webui.png", (rgb, dict(format="PNG", pnginfo=info)))
    comment = b"UNICODE\0" + "a caf\u00e9 \U0001f408\nSteps: 20".encode("utf-16-be")
    e = Image.Exif()
    e[0x8769] = {0x9286: comment}
    save("webui.jpg", (rgb, dict(format="JPEG", quality=95, subsampling=0, exif=e.tobytes())), tolerance=2)
    save("webui.webp", (rgb, dict(format="WEBP", lossless=True, exif=e.tobytes())))

    # What must be refused, with the code.
    frames = [rgb, rgba.convert("RGB").transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    refused = {
        "animated.webp": ("unsupported_image", (frames[0], dict(format="WEBP", save_all=True, append_images=frames[1:],
                                                                duration=50))),
        "animated.png": ("unsupported_image", (frames[0], dict(format="PNG", save_all=True, append_images=frames[1:]))),
        "animated.gif": ("unsupported_image", (frames[0].quantize(16), dict(format="GIF"))),
        "picture.bmp": ("unsupported_image", (rgb.resize((3, 3)), dict(format="BMP"))),
    }
    manifest["refused"] = []
    for name, (code, (image, options)) in refused.items():
        buffer = io.BytesIO()
        image.save(buffer, **options)
        (out / name).write_bytes(buffer.getvalue())
        manifest["refused"].append({"file": name, "code": code})

    # Resampling and grey, exactly as Pillow. Sources are rgb/rgba/grey.png and a busy one.
    rng = np.random.default_rng(7)
    busy = {"busy_rgb": Image.fromarray(rng.integers(0, 256, (23, 31, 3), np.uint8)),
            "busy_rgba": Image.fromarray(rng.integers(0, 256, (23, 31, 4), np.uint8)),
            "busy_grey": Image.fromarray(rng.integers(0, 256, (23, 31), np.uint8))}
    manifest["resize"] = []
    for name, image in busy.items():
        image.save(out / f"{name}.png")
        for filter_name in ("nearest", "bilinear", "bicubic", "lanczos"):
            for w, h in ((16, 8), (31, 50), (64, 23), (7, 7), (1, 1), (97, 61)):
                if name != "busy_rgb" and (w, h) not in ((16, 8), (64, 23), (97, 61)):
                    continue
                resized = image.resize((w, h), Image.Resampling[filter_name.upper()])
                file = f"{name}_{filter_name}_{w}x{h}.png"
                resized.save(out / file, optimize=True)
                manifest["resize"].append({"source": f"{name}.png", "filter": filter_name, "width": w, "height": h,
                                           "expected": file})
    busy["busy_rgb"].convert("L").save(out / "busy_rgb_to_grey.png", optimize=True)
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
