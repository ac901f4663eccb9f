"""Everything wrong that the real openai package can send, and the exception it becomes."""

import math

import openai
import pytest

from test_openai_generations import QUICK

BAD = openai.BadRequestError

# Fields beside a good prompt → exception, param, code, and words that the message must hold.
WRONG = {
    "n is zero": ({"n": 0}, BAD, "n", "invalid_value", ["0", "1", "10"]),
    "n is eleven": ({"n": 11}, BAD, "n", "invalid_value", ["11", "10"]),
    "n is text": ({"n": "two"}, BAD, "n", "invalid_type", ["two"]),
    "n is half": ({"n": 1.5}, BAD, "n", "invalid_type", ["1.5"]),
    "size is a word": ({"size": "banana"}, BAD, "size", "invalid_value", ["banana", "auto"]),
    "size is a number": ({"size": 256}, BAD, "size", "invalid_type", ["256"]),
    "size is no multiple": ({"size": "250x256"}, BAD, "size", "invalid_value", ["16", "256x256"]),
    "size is too large": (
        {"size": "4096x4096"},
        BAD,
        "size",
        "invalid_value",
        ["4096x4096", "nearest"],
    ),
    "size is zero": ({"size": "0x0"}, BAD, "size", "invalid_value", ["0x0"]),
    "size and width differ": (
        {"size": "256x256", "width": 288},
        BAD,
        "size",
        "invalid_value",
        ["width"],
    ),
    "no steps": (
        {"num_inference_steps": 0},
        BAD,
        "num_inference_steps",
        "invalid_value",
        ["0", "1"],
    ),
    "too many steps": (
        {"num_inference_steps": 1001},
        BAD,
        "num_inference_steps",
        "invalid_value",
        ["1001", "1000"],
    ),
    "steps are text": (
        {"num_inference_steps": "4"},
        BAD,
        "num_inference_steps",
        "invalid_type",
        ["4"],
    ),
    "guidance is text": ({"guidance_scale": "NaN"}, BAD, "guidance_scale", "invalid_type", ["NaN"]),
    "guidance is negative": (
        {"guidance_scale": -1},
        BAD,
        "guidance_scale",
        "invalid_value",
        ["-1"],
    ),
    "seed is negative": ({"seed": -2}, BAD, "seed", "invalid_value", ["-2", "-1"]),
    "seed is text": ({"seed": "x"}, BAD, "seed", "invalid_type", ["x"]),
    "scheduler is unknown": (
        {"scheduler": "magic"},
        BAD,
        "scheduler",
        "invalid_value",
        ["magic", "euler"],
    ),
    "quality is unknown": ({"quality": "best"}, BAD, "quality", "invalid_value", ["best", "high"]),
    "style is unknown": ({"style": "cubist"}, BAD, "style", "invalid_value", ["cubist", "vivid"]),
    "format is unknown": (
        {"output_format": "bmp"},
        BAD,
        "output_format",
        "invalid_value",
        ["bmp", "webp"],
    ),
    "format is svg": (
        {"output_format": "svg"},
        BAD,
        "output_format",
        "unsupported_for_model",
        ["svg"],
    ),
    "compression of png": (
        {"output_compression": 50},
        BAD,
        "output_compression",
        "invalid_value",
        ["jpeg"],
    ),
    "compression is 101": (
        {"output_format": "jpeg", "output_compression": 101},
        BAD,
        "output_compression",
        "invalid_value",
        ["101", "100"],
    ),
    "answer as a link": (
        {"response_format": "link"},
        BAD,
        "response_format",
        "invalid_value",
        ["link", "url"],
    ),
    "background is pink": ({"background": "pink"}, BAD, "background", "invalid_value", ["pink"]),
    "transparent jpeg": (
        {"background": "transparent", "output_format": "jpeg"},
        BAD,
        "output_format",
        "invalid_value",
        ["png"],
    ),
    "stream is a word": ({"stream": "maybe"}, BAD, "stream", "invalid_type", ["maybe"]),
    "previews without a stream": (
        {"partial_images": 1},
        BAD,
        "partial_images",
        "invalid_value",
        ["stream"],
    ),
    "four previews": (
        {"stream": True, "partial_images": 4},
        BAD,
        "partial_images",
        "invalid_value",
        ["4", "3"],
    ),
    "prompt is a list": ({"prompt": ["a"]}, BAD, "prompt", "invalid_type", ["array"]),
    "prompt is empty": ({"prompt": ""}, BAD, "prompt", "missing_required_parameter", ["required"]),
    "prompt is null": ({"prompt": None}, BAD, "prompt", "missing_required_parameter", ["required"]),
    "prompt has 40000 characters": (
        {"prompt": "a" * 40_000},
        BAD,
        "prompt",
        "invalid_value",
        ["40000", "32000"],
    ),
    "user is long": ({"user": "u" * 257}, BAD, "user", "invalid_value", ["257", "256"]),
    "model is a number": ({"model": 5}, BAD, "model", "invalid_type", ["5"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_field_is_named(client, case):
    fields, kind, param, code, words = WRONG[case]
    with pytest.raises(kind) as caught:
        client.images.generate(prompt="a red apple", extra_body={**QUICK, **fields})
    error = caught.value
    assert (error.param, error.code, error.type) == (param, code, "invalid_request_error")
    for word in words:
        assert word in error.message
    assert error.request_id


def test_a_long_prompt_is_refused_with_how_much_it_is_too_long(client):
    """77 places of the text encoder, two of them for begin and end."""
    assert client.images.generate(prompt="apple " * 75, extra_body=QUICK).data
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.generate(prompt="apple " * 80, extra_body=QUICK)
    assert caught.value.param == "prompt"
    assert "80" in caught.value.message and "75" in caught.value.message


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_number_is_no_json(server, value):
    """Python's json writes NaN and Infinity; the JSON standard has neither."""
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="unused", max_retries=0)
    with pytest.raises(ValueError):
        client.images.generate(prompt="a", extra_body={"guidance_scale": value})
