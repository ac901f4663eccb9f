"""`images.generate` and `models` of the real openai package."""

import re
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest

from model_folders import TOY
from pictures import decode

QUICK = {"num_inference_steps": 2, "seed": 7}


def generate(client: openai.OpenAI, extra: dict | None = None, **fields):
    fields = {
        "model": "emoji-256",
        "prompt": "a red apple",
        "response_format": "b64_json",
        **fields,
    }
    return client.images.generate(**fields, extra_body={**QUICK, **(extra or {})})


def test_a_prompt_becomes_a_picture(client):
    reply = generate(client)
    assert decode(reply.data[0].b64_json).size == (256, 256)
    assert reply.data[0].url is None
    assert reply.created > 1_700_000_000
    assert (reply.size, reply.output_format, reply.background) == ("256x256", "png", "opaque")
    assert reply.quality == "medium"


def test_the_same_seed_paints_the_same_picture(client):
    first, again = generate(client), generate(client)
    other = generate(client, {"seed": 8})
    assert decode(first.data[0].b64_json).tobytes() == decode(again.data[0].b64_json).tobytes()
    assert decode(first.data[0].b64_json).tobytes() != decode(other.data[0].b64_json).tobytes()


def test_picture_i_of_n_has_the_bytes_of_seed_plus_i(client):
    three = generate(client, n=3)
    assert [image.model_extra["seed"] for image in three.data] == [7, 8, 9]
    alone = generate(client, {"seed": 8})
    assert three.data[1].b64_json == alone.data[0].b64_json


def test_a_picture_has_the_same_bytes_beside_others(client):
    alone = generate(client, {"seed": 8, "num_inference_steps": 20})
    with ThreadPoolExecutor(4) as pool:
        company = [
            pool.submit(generate, client, {"seed": seed, "num_inference_steps": 20}, n=n)
            for seed, n in [(1, 2), (8, 1), (3, 1), (5, 3)]
        ]
        replies = [reply.result(300) for reply in company]
    assert replies[1].data[0].b64_json == alone.data[0].b64_json


def test_seeds_that_differ_only_above_32_bits_paint_differently(client):
    low, high = generate(client), generate(client, {"seed": 7 + 2**32})
    assert decode(low.data[0].b64_json).tobytes() != decode(high.data[0].b64_json).tobytes()
    assert high.data[0].model_extra["seed"] == 7 + 2**32


def test_the_last_seed_of_n_does_not_wrap(client):
    largest = 2**64 - 1
    assert generate(client, {"seed": largest}).data[0].model_extra["seed"] == largest
    with pytest.raises(openai.BadRequestError, match=str(largest - 1)) as refused:
        generate(client, {"seed": largest}, n=2)
    assert refused.value.param == "seed"


def test_a_random_seed_is_told_and_paints_the_same_again(client):
    random = client.images.generate(
        prompt="a red apple", response_format="b64_json", extra_body={"num_inference_steps": 2}
    )
    again = generate(client, {"seed": random.data[0].model_extra["seed"]})
    assert decode(random.data[0].b64_json).tobytes() == decode(again.data[0].b64_json).tobytes()


@pytest.mark.parametrize("size, painted", [("auto", (256, 256)), ("256x288", (256, 288))])
def test_any_size_that_the_model_takes(client, size, painted):
    reply = generate(client, size=size)
    assert decode(reply.data[0].b64_json).size == painted
    assert reply.size == f"{painted[0]}x{painted[1]}"


def test_width_and_height_are_another_spelling_of_size(client):
    reply = generate(client, {"width": 256, "height": 288})
    assert decode(reply.data[0].b64_json).size == (256, 288)


@pytest.mark.parametrize("name, kind", [("png", "PNG"), ("jpeg", "JPEG"), ("webp", "WEBP")])
def test_every_output_format(client, name, kind):
    reply = generate(client, output_format=name)
    assert decode(reply.data[0].b64_json).format == kind
    assert reply.output_format == name


def test_compression_makes_a_smaller_file(client):
    good = generate(client, output_format="jpeg", output_compression=95)
    small = generate(client, output_format="jpeg", output_compression=10)
    assert len(small.data[0].b64_json) < len(good.data[0].b64_json)


def test_a_url_leads_to_the_picture(client):
    both = client.images.generate(prompt="a red apple", extra_body=QUICK)
    only = generate(client, response_format="url")
    assert both.data[0].b64_json and both.data[0].url
    assert only.data[0].b64_json is None
    with urllib.request.urlopen(only.data[0].url, timeout=30) as reply:
        assert reply.headers["Content-Type"] == "image/png"
        file = reply.read()
    assert file.startswith(b"\x89PNG")
    assert decode(both.data[0].b64_json).size == (256, 256)


def test_every_field_at_once(client):
    reply = client.images.generate(
        model="emoji-256",
        prompt="a red apple",
        n=1,
        size="256x256",
        quality="high",
        style="vivid",
        response_format="b64_json",
        background="opaque",
        moderation="low",
        output_format="webp",
        output_compression=80,
        user="somebody",
        extra_body={
            "seed": 3,
            "num_inference_steps": 3,
            "guidance_scale": 5,
            "negative_prompt": "green",
            "scheduler": "euler",
            "fallbacks": [],
        },
    )
    assert decode(reply.data[0].b64_json).format == "WEBP"
    assert reply.quality == "high"


@pytest.mark.parametrize(
    "name",
    ["gpt-image-2.6-flare", "gpt-image-2-2026-04-21", "chatgpt-image-latest", "openai/gpt-image-1",
     "azure/dall-e-3", "openai/emoji-256", "local/gpt-image-1"],
)  # fmt: skip
def test_todays_names_and_those_with_a_provider_are_the_default_model(server, name):
    reply = server.post_json("/v1/images/estimate", {"model": name, "prompt": "a"})
    assert (reply.status, reply.json()["model"]) == (200, "emoji-256")
    assert server.get(f"/v1/models/{name}").json()["root" if "emoji" not in name else "name"] == "emoji-256"


def test_a_provider_may_stand_in_paths_and_fallbacks_too(server):
    body = {"prompt": "a", "response_format": "b64_json", **QUICK}
    path = "/openai/openai/deployments/openai/gpt-image-1/images/generations"
    assert server.post_json(path, body).headers["x-limner-model"] == "emoji-256"
    for fallback in ("openai/gpt-image-1", {"provider": "openai", "model": "gpt-image-1"}):
        body = {**body, "model": "nobody", "fallbacks": [fallback]}
        reply = server.post_json("/v1/images/generations", body)
        assert reply.headers["x-limner-model"] == "emoji-256"


def test_fields_change_the_picture(start_server):
    """Asked of a model that listens to guidance; the embedded one does not."""
    own = start_server("--model", f"toy={TOY}")
    fields = {"prompt": "a red apple", "response_format": "b64_json", "num_inference_steps": 3, "seed": 7}
    changes = [{}, {"guidance_scale": 1.5}, {"negative_prompt": "an apple"}, {"scheduler": "heun"}]
    replies = [own.post_json("/v1/images/generations", {**fields, **change}) for change in changes]
    # Pixels, since the file's own text differs anyway.
    assert len({decode(r.json()["data"][0]["b64_json"]).tobytes() for r in replies}) == len(changes)


def test_the_embedded_model_cannot_be_spoilt_by_guidance(client):
    plain = generate(client)
    other = generate(client, {"guidance_scale": 12, "negative_prompt": "an apple"})
    assert decode(plain.data[0].b64_json).tobytes() == decode(other.data[0].b64_json).tobytes()


def test_the_embedded_model_paints_other_sizes_by_scaling(client):
    reply = generate(client, {"prompt": "a panda on a blue background"}, size="1024x512")
    picture = decode(reply.data[0].b64_json).convert("RGB")
    assert picture.size == (1024, 512)
    for corner in ((4, 4), (1019, 507)):
        red, _, blue = picture.getpixel(corner)
        assert blue > red + 60


def test_null_is_absent(client):
    nothing = {
        "n": None,
        "size": None,
        "user": None,
        "negative_prompt": None,
        "guidance_scale": None,
    }
    plain, with_nulls = generate(client), generate(client, nothing)
    assert decode(plain.data[0].b64_json).tobytes() == decode(with_nulls.data[0].b64_json).tobytes()


def test_an_unknown_field_is_ignored_unless_strict(client):
    assert generate(client, {"no_such_field": 1}).data
    with pytest.raises(openai.BadRequestError) as refused:
        client.images.generate(
            prompt="a red apple",
            extra_body={**QUICK, "no_such_field": 1},
            extra_headers={"x-bf-strict": "true"},
        )
    assert (refused.value.param, refused.value.code) == ("no_such_field", "unknown_parameter")


def test_usage_adds_up(client):
    usage = generate(client, n=2).usage
    side = 256 // 32  # medium quality
    assert usage.output_tokens == 2 * side * (side + 1)
    assert usage.input_tokens_details.text_tokens == 3
    assert usage.input_tokens_details.image_tokens == 0
    assert usage.input_tokens == 3
    assert usage.total_tokens == usage.input_tokens + usage.output_tokens


def test_the_settings_are_in_the_file(client):
    text = decode(generate(client).data[0].b64_json).text["parameters"]
    assert text.startswith("a red apple\n")
    assert re.search(r"\bSteps: 2\b", text) and re.search(r"\bSeed: 7\b", text)


def test_headers_that_clients_log(client):
    raw = client.images.with_raw_response.generate(
        model="gpt-image-1",
        prompt="a red apple",
        extra_body=QUICK,
        extra_headers={"x-request-id": "mine-1"},
    )
    assert raw.headers["x-request-id"] == "mine-1"
    assert int(raw.headers["openai-processing-ms"]) > 0
    assert raw.headers["x-limner-model"] == "emoji-256"
    assert raw.parse().data


def test_the_models_are_listed(client):
    models = {model.id: model for model in client.models.list()}
    assert {"emoji-256", "gpt-image-1", "dall-e-2", "dall-e-3"} <= models.keys()
    assert all(model.object == "model" for model in models.values())
    assert client.models.retrieve("emoji-256").id == "emoji-256"
    assert client.models.retrieve("gpt-image-1").id == "gpt-image-1"


def test_an_unknown_model_is_not_found(client):
    with pytest.raises(openai.NotFoundError) as listed:
        client.models.retrieve("no-such-model")
    with pytest.raises(openai.NotFoundError) as painted:
        generate(client, model="no-such-model")
    for refused in (listed.value, painted.value):
        assert (refused.code, refused.param) == ("model_not_found", "model")
        assert "no-such-model" in refused.message
