"""The fake provider speaks its wire so that the real SDK understands it: else what is tested with it
says nothing."""

import json

import openai
import pytest
from fake_provider import (
    FakeProvider,
    close,
    completed,
    cut_json,
    half_body,
    partial,
    picture,
    sse,
    status,
)
from pictures import apple, decode, hole, to_bytes


@pytest.fixture
def provider():
    with FakeProvider() as fake:
        yield fake


def sdk(provider: FakeProvider, **options) -> openai.OpenAI:
    settings = {"api_key": "sk-fake", "max_retries": 0, "timeout": 5, **options}
    return openai.OpenAI(base_url=provider.url, **settings)


def test_a_generation(provider):
    answer = sdk(provider).images.generate(model="gpt-image-2", prompt="a red fox", n=2)
    assert [decode(image.b64_json).size for image in answer.data] == [(64, 64)] * 2
    assert answer.usage.total_tokens == 11 + 2 * 272
    (request,) = provider.requests
    assert (request.method, request.path) == ("POST", "/v1/images/generations")
    assert request.header("authorization") == "Bearer sk-fake"
    assert request.json() == {"model": "gpt-image-2", "prompt": "a red fox", "n": 2}


def test_an_edit_with_two_pictures_and_a_mask(provider):
    sdk(provider).images.edit(
        model="gpt-image-2",
        prompt="a hat",
        image=[to_bytes(apple()), to_bytes(apple(64))],
        mask=to_bytes(hole()),
    )
    (request,) = provider.requests
    assert request.fields() == {"model": "gpt-image-2", "prompt": "a hat"}
    files = {part.name: part.content for part in request.parts() if part.filename}
    assert files["mask"] == to_bytes(hole())
    assert [part.name for part in request.parts()].count("image[]") == 2


def test_a_stream(provider):
    events = list(
        sdk(provider).images.generate(
            model="gpt-image-2", prompt="a fox", stream=True, partial_images=2, n=2
        )
    )
    assert [event.type.split(".")[1] for event in events] == ["partial_image"] * 2 + [
        "completed"
    ] * 2


def test_a_stream_that_breaks_off(provider):
    provider.script(sse(partial(), then=close))
    stream = sdk(provider).images.generate(model="gpt-image-2", prompt="a fox", stream=True)
    with pytest.raises(openai.APIConnectionError):
        list(stream)


def test_several_line_ends(provider):
    provider.script(sse(partial(), completed(), line_end=b"\r\n"))
    stream = sdk(provider).images.generate(model="gpt-image-2", prompt="a fox", stream=True)
    assert len(list(stream)) == 2


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (404, openai.NotFoundError),
        (429, openai.RateLimitError),
        (503, openai.InternalServerError),
    ],
)
def test_errors_are_typed(provider, code, error):
    provider.script(status(code, "some_code", "some words"))
    with pytest.raises(error, match="some words") as caught:
        sdk(provider).images.generate(model="gpt-image-2", prompt="a fox")
    assert caught.value.code == "some_code"


def test_one_behaviour_a_request_and_the_last_for_ever(provider):
    provider.script(status(503), close, picture())
    client = sdk(provider)
    with pytest.raises(openai.InternalServerError):
        client.images.generate(prompt="a")
    with pytest.raises(openai.APIConnectionError):
        client.images.generate(prompt="b")
    for _ in range(2):
        client.images.generate(prompt="c")
    assert [request.json()["prompt"] for request in provider.requests] == ["a", "b", "c", "c"]


def test_a_reply_that_never_ends_is_the_clients_time_out(provider):
    provider.script(half_body)
    with pytest.raises(openai.APITimeoutError):
        sdk(provider, timeout=0.5).images.generate(prompt="a")


def test_json_that_is_cut(provider):
    provider.script(cut_json)
    with pytest.raises(json.JSONDecodeError):
        sdk(provider).images.generate(prompt="a")
