"""Everything wrong that the real openai package can send, and the exception it becomes."""

import math

import openai
import pytest
from bad_requests import FIELDS, SIZES, short
from test_openai_generations import QUICK


@pytest.mark.parametrize(
    "wrong", FIELDS + SIZES, ids=lambda wrong: short(wrong[0]) if isinstance(wrong, tuple) else ""
)
def test_a_wrong_field_is_named(client, wrong):
    fields, param, code, words = wrong
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.generate(prompt="a red apple", extra_body=fields)
    error = caught.value
    assert (error.param, error.code, error.type) == (param, code, "invalid_request_error")
    for word in words:
        assert word in error.message
    assert error.request_id


def test_a_prompt_as_long_as_the_encoder_reads(client):
    """77 places, two of them for begin and end; one word more is refused where one is strict."""
    strict = {"extra_body": QUICK, "extra_headers": {"x-bf-strict": "true"}}
    assert client.images.generate(prompt="apple " * 75, **strict).data
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.generate(prompt="apple " * 76, **strict)
    assert caught.value.param == "prompt"
    assert "76" in caught.value.message and "75" in caught.value.message


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_number_is_no_json(client, value):
    """Python's json would write NaN; the package refuses to, as the JSON standard has none."""
    with pytest.raises(ValueError):
        client.images.generate(prompt="a", extra_body={"guidance_scale": value})
