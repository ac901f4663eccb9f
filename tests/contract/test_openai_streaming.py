"""Streams of both kinds as the real openai package reads them."""

import json

import openai
import pytest
from pictures import apple, decode, to_bytes
from test_openai_generations import generate

STEPS = {"num_inference_steps": 4, "seed": 7}


def stream(client: openai.OpenAI, kind: str, **fields) -> list:
    fields = {"prompt": "a red apple", "stream": True, "extra_body": STEPS, **fields}
    if kind == "image_edit":
        return list(client.images.edit(image=to_bytes(apple()), **fields))
    return list(client.images.generate(**fields))


@pytest.mark.parametrize("kind", ["image_generation", "image_edit"])
def test_previews_then_the_picture(client, kind):
    events = stream(client, kind, partial_images=2)
    assert [event.type for event in events] == [f"{kind}.partial_image"] * 2 + [f"{kind}.completed"]
    assert [event.partial_image_index for event in events[:2]] == [0, 1]
    assert [event.model_extra["sequence_number"] for event in events] == [0, 1, 2]
    for event in events:
        assert decode(event.b64_json).size == (256, 256)
        assert event.created_at > 1_700_000_000
        assert (event.size, event.background, event.output_format) == ("256x256", "opaque", "png")
    usage = events[-1].usage
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens > 0


def test_without_previews_only_the_picture_comes(client):
    events = stream(client, "image_generation")
    assert [event.type for event in events] == ["image_generation.completed"]


def test_the_streamed_picture_is_the_plain_one(client):
    streamed = stream(client, "image_generation", partial_images=1)[-1]
    plain = generate(client, STEPS).data[0]
    assert decode(streamed.b64_json).tobytes() == decode(plain.b64_json).tobytes()


def test_n_pictures_complete_one_by_one_and_share_the_usage(client):
    events = stream(client, "image_generation", n=2, partial_images=1)
    completed = [event for event in events if event.type.endswith("completed")]
    partial = [event for event in events if event.type.endswith("partial_image")]
    assert sorted(event.model_extra["index"] for event in completed) == [0, 1]
    assert sorted(event.model_extra["index"] for event in partial) == [0, 1]
    assert {event.partial_image_index for event in partial} == {0}
    plain = generate(client, STEPS, n=2).usage
    assert sum(event.usage.total_tokens for event in completed) == plain.total_tokens


def test_previews_come_in_the_format_that_was_asked_for(client):
    events = stream(client, "image_generation", partial_images=1, output_format="webp")
    assert [decode(event.b64_json).format for event in events] == ["WEBP", "WEBP"]


def test_what_can_be_checked_is_refused_before_the_stream_begins(client):
    with pytest.raises(openai.BadRequestError) as refused:
        stream(client, "image_generation", size="banana")
    assert refused.value.param == "size"
    with pytest.raises(openai.BadRequestError) as refused:
        stream(client, "image_generation", prompt="")
    assert refused.value.param == "prompt"


def test_the_bytes_of_a_stream(server):
    """An event line that repeats the type, one data line, a blank line; no [DONE]."""
    fields = {"prompt": "a red apple", "stream": True, "partial_images": 1, **STEPS}
    reply = server.post_json("/v1/images/generations", fields)
    assert reply.headers["Content-Type"].startswith("text/event-stream")
    assert reply.headers["Cache-Control"] == "no-cache"
    blocks = reply.text().removesuffix("\n\n").split("\n\n")
    assert len(blocks) == 2
    for block in blocks:
        event, data = block.split("\n")
        assert event == "event: " + json.loads(data.removeprefix("data: "))["type"]


def test_progress_only_on_request(server):
    fields = {"prompt": "a red apple", "stream": True, **STEPS}
    body = json.dumps(fields).encode()
    headers = {"Content-Type": "application/json", "x-limner-events": "progress"}
    reply = server.request("POST", "/v1/images/generations", body, headers)
    types = [line for line in reply.text().splitlines() if line.startswith("event: ")]
    assert types.count("event: image_generation.progress") >= 1
    assert types[-1] == "event: image_generation.completed"


def test_variations_are_not_streamed(server):
    body = {"image": "x", "stream": True}
    reply = server.post_json("/v1/images/variations", body)
    assert (reply.status, reply.error()["param"]) == (400, "stream")
