"""Pictures that tests send and read."""

import base64
import io

from PIL import Image, ImageDraw


def decode(b64_json: str) -> Image.Image:
    """A whole, decodable picture, or an error."""
    image = Image.open(io.BytesIO(base64.b64decode(b64_json, validate=True)))
    image.load()
    return image


def to_bytes(image: Image.Image, image_format: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format)
    return buffer.getvalue()


def apple(side: int = 256) -> Image.Image:
    """A red disc on white: something to start from."""
    image = Image.new("RGB", (side, side), "white")
    edge = side // 6
    ImageDraw.Draw(image).ellipse((edge, edge, side - edge, side - edge), fill=(200, 30, 30))
    return image


def hole(side: int = 256) -> Image.Image:
    """A mask of the same size, transparent in its middle: that part is painted anew."""
    mask = Image.new("RGBA", (side, side), (0, 0, 0, 255))
    edge = side // 4
    mask.paste((0, 0, 0, 0), (edge, edge, side - edge, side - edge))
    return mask
