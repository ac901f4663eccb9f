"""Edits as browsers, shells and other servers' clients send them."""

import base64

import pytest
from bad_requests import form_headers
from pictures import apple, decode, hole, to_bytes

PATH = "/v1/images/edits"
QUICK = {"prompt": "a red apple", "num_inference_steps": "2", "seed": "7", "strength": "0.6"}
APPLE = to_bytes(apple())
BASE64 = base64.b64encode(APPLE).decode()


def part(head: bytes, content: bytes) -> bytes:
    return b"--b\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + content + b"\r\n"


def edit(server, *parts: bytes, **fields: str):
    """The picture that comes back, as pixels, and the answer."""
    texts = {**QUICK, "response_format": "b64_json", **fields}
    body = b"".join(parts)
    body += b"".join(part(b'name="%s"' % k.encode(), v.encode()) for k, v in texts.items())
    reply = server.request("POST", PATH, body + b"--b--\r\n", form_headers("b"))
    assert reply.status == 200, reply.text()
    return decode(reply.json()["data"][0]["b64_json"]).tobytes(), reply


def file(content: bytes, name: bytes = b"image", filename: bytes = b"a.png") -> bytes:
    return part(b'name="%s"; filename="%s"\r\nContent-Type: image/png' % (name, filename), content)


@pytest.fixture(scope="module")
def expected(server) -> bytes:
    return edit(server, file(APPLE))[0]


def test_a_browsers_form_with_an_empty_file_input(server, expected):
    assert edit(server, file(APPLE), file(b"", b"mask", b""))[0] == expected


@pytest.mark.parametrize("filename", [b"\xcd\xbc\xc6\xac.png", b"\x95\\", b"na\xefve.png"])
def test_a_filename_in_any_encoding(server, expected, filename):
    assert edit(server, file(APPLE, filename=filename))[0] == expected


@pytest.mark.parametrize("name", [b"image[]", b"image[0]", b"images", b"input_image", b"url", b"url[]"])
def test_a_picture_under_another_name(server, expected, name):
    assert edit(server, file(APPLE, name))[0] == expected


@pytest.mark.parametrize(
    "text",
    [BASE64, f"data:image/png;base64,{BASE64}", f"  DATA:image/png;BASE64,{BASE64}\n"],
    ids=["base64", "a data URL", "capitals and blanks"],
)
@pytest.mark.parametrize("name", [b"image", b"images[]"])
def test_a_picture_as_text(server, expected, name, text):
    assert edit(server, part(b'name="%s"' % name, text.encode()))[0] == expected


def test_a_mask_as_text_and_under_its_other_name(server):
    mask = to_bytes(hole())
    masked = edit(server, file(APPLE), file(mask, b"mask"))[0]
    assert edit(server, file(APPLE), file(mask, b"mask_image"))[0] == masked
    text = b"data:image/png;base64," + base64.b64encode(mask)
    assert edit(server, file(APPLE), part(b'name="mask"', text))[0] == masked


def test_a_byte_order_mark_in_front_of_a_text(server, expected):
    assert edit(server, file(APPLE), prompt="\ufeffa red apple")[0] == expected


def test_colours_under_transparent_pixels_are_not_used(server):
    def holed(colour) -> bytes:
        picture = apple().convert("RGBA")
        picture.paste((*colour, 0), (20, 20, 120, 120))
        return to_bytes(picture)

    assert edit(server, file(holed((0, 0, 0))))[0] == edit(server, file(holed((255, 0, 255))))[0]


def test_only_dall_e_2_repaints_a_hole_by_itself(server):
    picture = apple().convert("RGBA")
    picture.putalpha(hole().getchannel("A"))
    holed = file(to_bytes(picture))
    inpainted = edit(server, holed, type="inpainting")[0]
    assert edit(server, holed, model="dall-e-2")[0] == inpainted
    assert edit(server, holed, model="gpt-image-1")[0] != inpainted


@pytest.mark.parametrize("size", ["288X256", "288*256", "288\u00d7256", " 288 x 256 "])
def test_a_size_in_another_spelling(server, size):
    assert edit(server, file(APPLE), size=size)[1].json()["size"] == "288x256"
