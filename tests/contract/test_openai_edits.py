"""`images.edit` and `images.create_variation` of the real openai package, multipart as it sends it."""

import base64
import io

import openai
import pytest
from pictures import apple, decode, hole, to_bytes
from PIL import Image

# Two steps are painted at strength 0.5 of four.
QUICK = {"num_inference_steps": 4, "seed": 7}
PROMPT = "a green apple"


def edit(client: openai.OpenAI, extra: dict | None = None, **fields):
    fields = {"image": to_bytes(apple()), "prompt": PROMPT, "response_format": "b64_json", **fields}
    return client.images.edit(**fields, extra_body={**QUICK, **(extra or {})})


def pixels(reply) -> Image.Image:
    return decode(reply.data[0].b64_json).convert("RGB")


def distance(a: Image.Image, b: Image.Image) -> float:
    """Mean difference of a channel, 0 to 255."""
    left, right = a.convert("RGB").tobytes(), b.convert("RGB").tobytes()
    return sum(abs(x - y) for x, y in zip(left, right, strict=True)) / len(left)


def test_a_picture_is_changed_by_its_strength(client):
    little = pixels(edit(client, {"strength": 0.25}))
    much = pixels(edit(client, {"strength": 1.0}))
    assert little.size == (256, 256)
    assert distance(little, apple()) < distance(much, apple())


def test_the_same_seed_edits_the_same(client):
    assert pixels(edit(client)).tobytes() == pixels(edit(client)).tobytes()


def test_only_what_the_mask_shows_is_repainted(client):
    """The mask is a hole in the middle; what the decoder does to the rest is little."""
    edited = pixels(edit(client, {"strength": 1.0}, mask=to_bytes(hole())))
    frame, middle = (0, 0, 256, 40), (80, 80, 176, 176)
    assert distance(edited.crop(frame), apple().crop(frame)) < 12
    assert distance(edited.crop(middle), apple().crop(middle)) > 12


def test_a_white_mask_means_the_same_as_a_transparent_one(client):
    white = Image.new("L", (256, 256), 0)
    white.paste(255, (64, 64, 192, 192))
    by_alpha = pixels(edit(client, mask=to_bytes(hole())))
    by_white = pixels(edit(client, mask=to_bytes(white)))
    assert by_alpha.tobytes() == by_white.tobytes()


def test_several_pictures_are_refused_by_a_model_that_edits_one(client):
    with pytest.raises(openai.UnprocessableEntityError) as refused:
        edit(client, image=[to_bytes(apple()), to_bytes(apple())])
    assert (refused.value.param, refused.value.code) == ("image", "unsupported_for_model")
    assert edit(client, image=[to_bytes(apple())]).data


def test_seventeen_pictures_are_too_many(client):
    with pytest.raises(openai.BadRequestError) as refused:
        edit(client, image=[to_bytes(apple(16))] * 17)
    assert refused.value.param == "image"
    assert "16" in refused.value.message


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_every_input_format_whatever_it_is_called(client, kind):
    file = ("picture.txt", to_bytes(apple(), kind), "text/plain")
    assert pixels(edit(client, image=file)).size == (256, 256)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "1", "I;16"])
def test_every_kind_of_pixels(client, mode):
    if mode == "I;16":
        image = Image.frombytes("I;16", (256, 256), b"\x00\x80" * 256 * 256)
    else:
        image = apple().convert(mode)
    assert pixels(edit(client, image=to_bytes(image))).size == (256, 256)


def test_a_file_object_and_n_pictures(client):
    reply = edit(client, image=io.BytesIO(to_bytes(apple())), n=2)
    assert [image.model_extra["index"] for image in reply.data] == [0, 1]
    assert reply.data[0].b64_json != reply.data[1].b64_json


def test_size_follows_the_picture_when_it_is_auto(client):
    reply = edit(client, image=to_bytes(apple(300)), size="auto")
    assert reply.size == "304x304"


def test_fields_as_text(client):
    reply = edit(
        client,
        {"guidance_scale": 4.5, "negative_prompt": "red", "scheduler": "euler"},
        n=1,
        size="256x256",
        quality="low",
        background="opaque",
        output_format="jpeg",
        output_compression=80,
        input_fidelity="high",
        user="somebody",
    )
    assert decode(reply.data[0].b64_json).format == "JPEG"
    assert reply.quality == "low"
    assert reply.usage.input_tokens_details.image_tokens > 0


def test_the_background_is_cut_out(client):
    reply = client.images.edit(
        image=to_bytes(apple()),
        prompt="",
        response_format="b64_json",
        extra_body={"type": "background_removal"},
    )
    cut = decode(reply.data[0].b64_json)
    assert (cut.mode, cut.size) == ("RGBA", (256, 256))
    assert cut.getpixel((2, 2))[3] == 0
    assert cut.getpixel((128, 128))[3] == 255
    assert reply.background == "transparent"


def test_the_method_of_cutting_out_is_named_and_can_be_chosen(server, start_server):
    fields = {"type": "background_removal", "images": [data_url(apple())], "response_format": "b64_json"}
    assert server.post_json("/v1/images/edits", fields).headers["x-limner-model"] == "matting-network"
    own = start_server("--matting", "classical")
    reply = own.post_json("/v1/images/edits", fields)
    assert reply.headers["x-limner-model"] == "classical-border-cut"
    cut = decode(reply.json()["data"][0]["b64_json"])
    assert (cut.getpixel((2, 2))[3], cut.getpixel((128, 128))[3]) == (0, 255)


def test_a_transparent_background_on_request(client):
    reply = edit(client, background="transparent")
    assert decode(reply.data[0].b64_json).mode == "RGBA"


def test_outpainting_draws_beyond_the_border(client):
    reply = edit(client, {"type": "outpainting"}, image=to_bytes(apple(128)), size="256x256")
    assert pixels(reply).size == (256, 256)


def data_url(picture):
    return "data:image/png;base64," + base64.b64encode(to_bytes(picture)).decode()


def test_edits_as_json(server):
    """The second shape of OpenAI, and a data URL."""
    url = data_url(apple())
    for images in ([{"image_url": url}], [url], [url.partition(",")[2]]):
        fields = {"prompt": PROMPT, "images": images, "response_format": "b64_json", **QUICK}
        reply = server.post_json("/v1/images/edits", fields)
        assert reply.status == 200, reply.text()
        assert decode(reply.json()["data"][0]["b64_json"]).size == (256, 256)


@pytest.mark.parametrize("count", [1, 2])
def test_variations(client, count):
    with pytest.warns(DeprecationWarning):
        reply = client.images.create_variation(
            image=to_bytes(apple()), n=count, response_format="b64_json", extra_body=QUICK
        )
    assert len(reply.data) == count
    assert 0 < distance(pixels(reply), apple()) < 128


@pytest.mark.parametrize(
    "fields, param, code",
    [
        ({"image": b"not a picture"}, "image", "unsupported_image"),
        ({"image": b""}, "image", "invalid_image"),
        ({"image": to_bytes(apple())[:200]}, "image", "invalid_image"),
        ({"image": b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"}, "image", "unsupported_image"),
        ({"mask": b"not a picture"}, "mask", "unsupported_image"),
        ({"mask": to_bytes(hole(128))}, "mask", "invalid_value"),
        ({"mask": to_bytes(Image.new("L", (256, 256), 0))}, "mask", "empty_mask"),
        ({"prompt": ""}, "prompt", "missing_required_parameter"),
        ({"size": "banana"}, "size", "invalid_value"),
        ({"n": 0}, "n", "invalid_value"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_is_named(client, fields, param, code):
    with pytest.raises(openai.BadRequestError) as refused:
        edit(client, **fields)
    assert (refused.value.param, refused.value.code) == (param, code)


def test_an_edit_without_a_picture(server):
    reply = server.post_json("/v1/images/edits", {"prompt": PROMPT})
    assert (reply.status, reply.error()["param"]) == (400, "image")


@pytest.mark.parametrize("value", ["1.5", "-0.1", "nan", "inf", "much"])
def test_a_strength_outside_its_range(client, value):
    with pytest.raises(openai.BadRequestError) as refused:
        edit(client, {"strength": value})
    assert refused.value.param == "strength"
