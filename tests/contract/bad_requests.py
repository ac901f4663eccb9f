"""Requests that must be refused, each with the status, `param` and `code` of its answer."""

import base64
import json
import struct
import zlib
from dataclasses import dataclass, field

from pictures import apple, hole, to_bytes
from PIL import Image

VALUE, TYPE, MISSING = "invalid_value", "invalid_type", "missing_required_parameter"
UNFIT = "unsupported_for_model"

# fmt: off
# Fields beside a good prompt: fields, param, code, and words that the message must hold.
FIELDS = [
    ({"n": 0}, "n", VALUE, ["0", "1", "10"]),
    ({"n": 11}, "n", VALUE, ["11", "10"]),
    ({"n": -1}, "n", VALUE, ["-1"]),
    ({"n": 10**15}, "n", VALUE, ["10"]),
    ({"n": "two"}, "n", TYPE, ["two"]),
    ({"n": "2"}, "n", TYPE, ["2"]),
    ({"n": 1.5}, "n", TYPE, ["1.5"]),
    ({"n": True}, "n", TYPE, ["true"]),
    ({"n": [1]}, "n", TYPE, ["array"]),
    ({"n": {}}, "n", TYPE, ["object"]),
    ({"num_images_per_prompt": 11}, "num_images_per_prompt", VALUE, ["11", "10"]),
    ({"n": 1, "num_images_per_prompt": 2}, "num_images_per_prompt", VALUE, ["n"]),
    ({"size": "banana"}, "size", VALUE, ["banana", "auto"]),
    ({"size": 256}, "size", TYPE, ["256"]),
    ({"size": ["256x256"]}, "size", TYPE, ["array"]),
    ({"size": "0x0"}, "size", VALUE, ["0x0"]),
    ({"size": "-256x256"}, "size", VALUE, ["-256x256"]),
    ({"size": "256"}, "size", VALUE, ["256"]),
    ({"size": "256x256x256"}, "size", VALUE, ["256x256x256"]),
    ({"size": "256 by 256"}, "size", VALUE, ["256 by 256"]),
    ({"size": "99999999999999999999x16"}, "size", VALUE, ["WIDTHxHEIGHT"]),
    ({"size": "256x256", "width": 288}, "size", VALUE, ["width"]),
    ({"size": "256x256", "aspect_ratio": "1:1"}, "aspect_ratio", VALUE, ["size"]),
    ({"aspect_ratio": "wide"}, "aspect_ratio", VALUE, ["WIDTH:HEIGHT"]),
    ({"aspect_ratio": "0:1"}, "aspect_ratio", VALUE, ["1 to 100"]),
    ({"width": 0}, "width", VALUE, ["0"]),
    ({"width": "256"}, "width", TYPE, ["256"]),
    ({"height": -16}, "height", VALUE, ["-16"]),
    ({"num_inference_steps": 0}, "num_inference_steps", VALUE, ["0", "1"]),
    ({"num_inference_steps": -5}, "num_inference_steps", VALUE, ["-5"]),
    ({"num_inference_steps": 1001}, "num_inference_steps", VALUE, ["1001", "1000"]),
    ({"num_inference_steps": "4"}, "num_inference_steps", TYPE, ["4"]),
    ({"num_inference_steps": 2.5}, "num_inference_steps", TYPE, ["2.5"]),
    ({"num_steps": 0}, "num_steps", VALUE, ["0", "1"]),
    ({"guidance_scale": "NaN"}, "guidance_scale", TYPE, ["NaN"]),
    ({"guidance_scale": -1}, "guidance_scale", VALUE, ["-1"]),
    ({"guidance_scale": 101}, "guidance_scale", VALUE, ["101", "100"]),
    ({"guidance_scale": True}, "guidance_scale", TYPE, ["true"]),
    ({"seed": -2}, "seed", VALUE, ["-2", "-1"]),
    ({"seed": "x"}, "seed", TYPE, ["x"]),
    ({"seed": 1.5}, "seed", TYPE, ["1.5"]),
    ({"seed": 2**64}, "seed", TYPE, ["2^64"]),
    ({"rng_seed": -2}, "rng_seed", VALUE, ["-2"]),
    ({"eta": 2}, "eta", VALUE, ["2"]),
    ({"clip_skip": -1}, "clip_skip", VALUE, ["-1"]),
    ({"max_sequence_length": 0}, "max_sequence_length", VALUE, ["0"]),
    ({"scheduler": "magic"}, "scheduler", VALUE, ["magic", "euler"]),
    ({"scheduler": 3}, "scheduler", TYPE, ["3"]),
    ({"quality": "best"}, "quality", VALUE, ["best", "high"]),
    ({"quality": 1}, "quality", TYPE, ["1"]),
    ({"style": "cubist"}, "style", VALUE, ["cubist", "vivid"]),
    ({"moderation": "high"}, "moderation", VALUE, ["high", "low"]),
    ({"output_format": "bmp"}, "output_format", VALUE, ["bmp", "webp"]),
    ({"output_format": "svg"}, "output_format", UNFIT, ["svg"]),
    ({"output_format": "gif"}, "output_format", UNFIT, ["gif"]),
    ({"frame_count": 4}, "frame_count", UNFIT, ["gif"]),
    ({"output_compression": 50}, "output_compression", VALUE, ["jpeg"]),
    ({"output_format": "jpeg", "output_compression": 101}, "output_compression", VALUE, ["101", "100"]),
    ({"output_format": "jpeg", "output_compression": -1}, "output_compression", VALUE, ["-1"]),
    ({"response_format": "link"}, "response_format", VALUE, ["link", "url"]),
    ({"background": "pink"}, "background", VALUE, ["pink"]),
    ({"background": "transparent", "output_format": "jpeg"}, "output_format", VALUE, ["png"]),
    ({"stream": "maybe"}, "stream", TYPE, ["maybe"]),
    ({"stream": 1}, "stream", TYPE, ["1"]),
    ({"stream": True, "partial_images": 4}, "partial_images", VALUE, ["4", "3"]),
    ({"stream": True, "partial_images": -1}, "partial_images", VALUE, ["-1"]),
    ({"prompt": ["a"]}, "prompt", TYPE, ["array"]),
    ({"prompt": {"text": "a"}}, "prompt", TYPE, ["object"]),
    ({"prompt": 7}, "prompt", TYPE, ["7"]),
    ({"prompt": ""}, "prompt", MISSING, ["required"]),
    ({"prompt": None}, "prompt", MISSING, ["required"]),
    ({"prompt": "a" * 40_000}, "prompt", VALUE, ["40000", "32000"]),
    ({"negative_prompt": 7}, "negative_prompt", TYPE, ["7"]),
    ({"negative_prompt": "a" * 40_000}, "negative_prompt", VALUE, ["40000", "32000"]),
    ({"user": "u" * 257}, "user", VALUE, ["257", "256"]),
    ({"user": 7}, "user", TYPE, ["7"]),
    ({"safety_identifier": "u" * 257}, "safety_identifier", VALUE, ["257", "256"]),
    ({"model": 5}, "model", TYPE, ["5"]),
    ({"model": "m" * 300}, "model", VALUE, ["300", "256"]),
    ({"fallbacks": 7}, "fallbacks", TYPE, ["7"]),
    ({"fallbacks": [7]}, "fallbacks", TYPE, ["7"]),
    ({"fallbacks": ["a"] * 6}, "fallbacks", VALUE, ["5"]),
    ({"lora_alphas": [1]}, "lora_alphas", TYPE, ["array"]),
    ({"lora_alphas": {"style": "much"}}, "lora_alphas", TYPE, ["much"]),
    ({"image": 7}, "image", TYPE, ["7"]),
    ({"image": "???"}, "image", "invalid_base64", ["base64"]),
    ({"image": "data:image/png,abc"}, "image", "invalid_image", ["data URL"]),
    ({"image": "http://127.0.0.1/a.png"}, "image", "remote_image_not_allowed", ["data URL"]),
    ({"images": [{"image_url": "file:///etc/passwd"}]}, "images", "invalid_base64", ["base64"]),
    ({"images": [{"file_id": "a", "image_url": "b"}]}, "images", VALUE, ["one of"]),
    ({"images": [{}]}, "images", TYPE, ["image_url"]),
    ({"images": ["QUJD"] * 17}, "image", VALUE, ["17", "16"]),
    ({"mask": "QUJD"}, "image", MISSING, ["mask"]),
    ({"type": "background_removal"}, "image", MISSING, ["type"]),
    ({"type": "inpainting"}, "image", MISSING, ["type"]),
]

# Elsewhere they are read in chunks, or cut.
LONG = [
    ({"prompt": "apple " * 80}, "prompt", "prompt_too_long", ["80", "75", "--truncate-prompts"]),
    ({"negative_prompt": "apple " * 80}, "negative_prompt", "prompt_too_long", ["80", "75"]),
]

# The same endpoint refuses a size by the model's own rules; Nebula's rounds it instead.
SIZES = [
    ({"size": "250x256"}, "size", VALUE, ["8", "248x256"]),
    ({"size": "4096x4096"}, "size", VALUE, ["4096x4096", "nearest"]),
    ({"size": "1x1"}, "size", VALUE, ["1x1", "nearest"]),
    ({"width": 250}, "width", VALUE, ["nearest"]),
    ({"height": 250}, "height", VALUE, ["nearest"]),
]

# Text parts of an edit beside a good picture and prompt.
FORM_FIELDS = [
    ({"n": "0"}, "n", VALUE), ({"n": "two"}, "n", TYPE), ({"n": "1.5"}, "n", TYPE),
    ({"n": "0x2"}, "n", TYPE), ({"n": "9999999999"}, "n", VALUE),
    ({"size": "banana"}, "size", VALUE), ({"size": "250x250"}, "size", VALUE),
    ({"strength": "1.5"}, "strength", VALUE), ({"strength": "-0.1"}, "strength", VALUE),
    ({"strength": "nan"}, "strength", VALUE), ({"strength": "much"}, "strength", TYPE),
    ({"quality": "best"}, "quality", VALUE), ({"background": "pink"}, "background", VALUE),
    ({"input_fidelity": "medium"}, "input_fidelity", VALUE),
    ({"type": "teleport"}, "type", VALUE), ({"type": "inpainting"}, "mask", MISSING),
    ({"type": "outpainting"}, "mask", MISSING),
    ({"type": "background_removal", "output_format": "jpeg"}, "output_format", VALUE),
    ({"stream": "maybe"}, "stream", TYPE), ({"partial_images": "9"}, "partial_images", VALUE),
    ({"stream": "true", "partial_images": "9"}, "partial_images", VALUE),
    ({"output_format": "bmp"}, "output_format", VALUE),
    ({"output_compression": "101", "output_format": "webp"}, "output_compression", VALUE),
    ({"response_format": "link"}, "response_format", VALUE),
    ({"seed": "-2"}, "seed", VALUE), ({"seed": "1e99"}, "seed", TYPE),
    ({"num_inference_steps": "0"}, "num_inference_steps", VALUE),
    ({"guidance_scale": "inf"}, "guidance_scale", VALUE),
    ({"scheduler": "magic"}, "scheduler", VALUE),
    ({"user": "u" * 257}, "user", VALUE), ({"prompt": ""}, "prompt", MISSING),
    ({"model": "no-such-model"}, "model", "model_not_found"),
]
# fmt: on


@dataclass
class BadRequest:
    name: str
    path: str
    body: bytes
    param: str | None
    code: str
    status: int = 400
    method: str = "POST"
    headers: dict = field(default_factory=lambda: {"Content-Type": "application/json"})


def png_of_size(width: int, height: int) -> bytes:
    """A file that says it is this large and has few pixels, as a decompression bomb does."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def form(parts: list[tuple[str, bytes]], files: list[tuple[str, bytes]] = ()) -> tuple[bytes, dict]:
    boundary = "limner-contract"
    body = b""
    for name, value in parts:
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
        body += value + b"\r\n"
    for name, value in files:
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; '.encode()
        body += b'filename="a.png"\r\nContent-Type: image/png\r\n\r\n' + value + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), form_headers(boundary)


def form_headers(boundary: str) -> dict:
    return {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def json_requests(path: str, table: list) -> list[BadRequest]:
    return [
        BadRequest(
            f"{path} {short(fields)}",
            path,
            json.dumps({"prompt": "a", "model": "emoji-256", **fields}).encode(),
            param,
            code,
        )
        for fields, param, code, _ in table
    ]


def form_requests() -> list[BadRequest]:
    requests = []
    path = "/v1/images/edits"
    for fields, param, code in FORM_FIELDS:
        texts = {"prompt": "a", **fields}
        parts = [(name, value.encode()) for name, value in texts.items()]
        body, headers = form(parts, [("image", to_bytes(apple()))])
        status = 404 if code == "model_not_found" else 400
        name = f"{path} form {short(fields)}"
        requests.append(BadRequest(name, path, body, param, code, status, headers=headers))
    return requests


def file_requests() -> list[BadRequest]:
    good, prompt = to_bytes(apple()), [("prompt", b"a")]
    black = to_bytes(Image.new("L", (256, 256), 0))
    # What the files are, which field and code the answer names, its status.
    table = [
        ("no file", [], "image", MISSING, 400),
        ("an empty file", [("image", b"")], "image", "invalid_image", 400),
        ("text", [("image", b"not a picture")], "image", "unsupported_image", 400),
        ("a GIF", [("image", b"GIF89a" + bytes(64))], "image", "unsupported_image", 400),
        ("half a PNG", [("image", good[: len(good) // 2])], "image", "invalid_image", 400),
        ("a PNG of noise", [("image", good[:60] + bytes(500))], "image", "invalid_image", 400),
        ("a huge PNG", [("image", png_of_size(60_000, 60_000))], "image", "image_too_large", 400),
        ("a long PNG", [("image", png_of_size(1, 2**31 - 1))], "image", "image_too_large", 400),
        ("two pictures", [("image", good)] * 2, "image", UNFIT, 422),
        ("pictures of both names", [("image", good), ("image[]", good)], "image", UNFIT, 422),
        ("17 pictures", [("image[]", good)] * 17, "image", VALUE, 400),
        ("a bad mask", [("image", good), ("mask", b"no")], "mask", "unsupported_image", 400),
        ("a small mask", [("image", good), ("mask", to_bytes(hole(64)))], "mask", VALUE, 400),
        ("a mask of nothing", [("image", good), ("mask", black)], "mask", "empty_mask", 400),
        ("two masks", [("image", good)] + [("mask", to_bytes(hole()))] * 2, "mask", VALUE, 400),
        ("a mask alone", [("mask", to_bytes(hole()))], "image", MISSING, 400),
        ("markup", [("image", good), ("markup", good)], "markup", UNFIT, 422),
        ("another file", [("image", good), ("notes", b"a")], "notes", "unknown_parameter", 400),
    ]
    requests = []
    for what, files, param, code, status in table:
        for path in ("/v1/images/edits", "/v1/images/variations"):
            body, headers = form(prompt, files)
            name = f"{path} with {what}"
            requests.append(BadRequest(name, path, body, param, code, status, headers=headers))
    return requests


def framing_requests() -> list[BadRequest]:
    """Multipart bodies that are none."""
    headers = form_headers("b")
    head = b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\n'
    many = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="f%d"\r\n\r\nx\r\n' % i for i in range(100)
    )
    # What is wrong, the body, the headers, the status.
    table = [
        ("an empty body", b"", headers, 400),
        ("no boundary", head + b"a\r\n--b--\r\n", {"Content-Type": "multipart/form-data"}, 400),
        ("another boundary", head + b"a\r\n--b--\r\n", form_headers("other"), 400),
        ("an endless boundary", head, form_headers("b" * 500), 400),
        ("no end", head + b"a", headers, 400),
        ("a part without a head", b"--b\r\nprompt\r\n--b--\r\n", headers, 400),
        (
            "a part without a name",
            b"--b\r\nContent-Disposition: form-data\r\n\r\na\r\n--b--\r\n",
            headers,
            400,
        ),
        (
            "a part with an endless head",
            b"--b\r\nX: " + b"a" * 20_000 + b"\r\n\r\na\r\n--b--\r\n",
            headers,
            400,
        ),
        ("a hundred parts", many + b"--b--\r\n", headers, 413),
    ]
    codes = {400: "invalid_multipart", 413: "request_too_large"}
    path = "/v1/images/edits"
    return [
        BadRequest(f"form with {what}", path, body, None, codes[status], status, headers=sent)
        for what, body, sent, status in table
    ]


def dialect_requests() -> list[BadRequest]:
    """What each prefix refuses in its own way, and a few that all refuse alike."""
    alike = [FIELDS[i] for i in range(0, len(FIELDS), 9)]
    requests = []
    for path in (
        "/openai/v1/images/generations",
        "/openai/images/generations",
        "/openai/deployments/emoji-256/images/generations",
        "/litellm/v1/images/generations",
        "/langchain/v1/images/generations",
        "/pydanticai/v1/images/generations",
        "/v3/images/generations",
        "/v3/emoji-256/images/generations",
        "/api/v1/images/generation",
    ):
        requests += json_requests(path, alike)
    strict = [
        ({"no_such_field": 1}, "no_such_field", "unknown_parameter", []),
        ({"strength": 0.5}, "strength", VALUE, []),
    ]
    requests += json_requests("/v3/images/generations", strict + SIZES + LONG)
    requests += json_requests("/openai/v1/images/generations", SIZES)
    return requests


def other_requests() -> list[BadRequest]:
    picture = base64.b64encode(to_bytes(apple())).decode()
    good = json.dumps({"prompt": "a"}).encode()
    path = "/v1/images/generations"
    json_type = {"Content-Type": "application/json"}
    return [
        BadRequest("streamed variations", "/v1/images/variations",
                   json.dumps({"image": picture, "stream": True}).encode(), "stream", VALUE),
        BadRequest("an unknown model", path, json.dumps({"prompt": "a", "model": "x"}).encode(),
                   "model", "model_not_found", 404),
        BadRequest("an unknown model in the path", "/v3/x/images/generations", good,
                   "model", "model_not_found", 404),
        BadRequest("a file that we never had", "/v1/images/edits",
                   json.dumps({"prompt": "a", "images": [{"file_id": "file-1"}]}).encode(),
                   "images", "file_not_found", 404),
        BadRequest("a long idempotency key", path, good, "Idempotency-Key", VALUE,
                   headers={**json_type, "Idempotency-Key": "k" * 256}),
        BadRequest("an unknown field, strictly", path,
                   json.dumps({"prompt": "a", "no_such_field": 1}).encode(),
                   "no_such_field", "unknown_parameter",
                   headers={**json_type, "x-bf-strict": "true"}),
        BadRequest("a picture that is gone", "/v1/images/files/" + "0" * 32 + ".png", b"", None,
                   "image_not_found", 404, "GET", {}),
        BadRequest("a picture outside", "/v1/images/files/..%2f..%2fetc%2fpasswd", b"", None,
                   "invalid_request_target", 400, "GET", {}),
        BadRequest("a request that never was", "/v1/images/requests/none", b"", None,
                   "request_not_found", 404, "GET", {}),
        BadRequest("cancelling what never was", "/v1/images/requests/none/cancel", b"", None,
                   "request_not_found", 404, "POST", {}),
        BadRequest("a page of no models", "/v1/models?page_size=0", b"", "page_size", VALUE,
                   400, "GET", {}),
        BadRequest("a page beyond the models", "/v1/models?page_token=999", b"", "page_token",
                   VALUE, 400, "GET", {}),
        BadRequest("Nebula by GET without a prompt", "/api/v1/images/generation?num_steps=2", b"",
                   "prompt", MISSING, 400, "GET", {"api-key": "any"}),
        BadRequest("Nebula by GET with no steps", "/api/v1/images/generation?prompt=a&num_steps=0",
                   b"", "num_steps", VALUE, 400, "GET", {"api-key": "any"}),
    ]  # fmt: skip


def bad_requests() -> list[BadRequest]:
    return (
        json_requests("/v1/images/generations", FIELDS + SIZES)
        + dialect_requests()
        + form_requests()
        + file_requests()
        + framing_requests()
        + other_requests()
    )
