"""What is shown of an item that was imported as vectors alone: a tile that says so."""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

_SIDE = 128
_GROUND = (236, 236, 232)
_INK = (112, 116, 124)
_WORDS = "no picture"


def no_picture() -> Image.Image:
    """A tile (128, 128) in RGB, the caller's own."""
    tile = Image.new("RGB", (_SIDE, _SIDE), _GROUND)
    draw = ImageDraw.Draw(tile)
    draw.rectangle((6, 6, _SIDE - 7, _SIDE - 7), outline=_INK)
    draw.line((6, _SIDE - 7, _SIDE - 7, 6), fill=(214, 214, 208))
    middle = (_SIDE / 2, _SIDE / 2)
    draw.text(middle, _WORDS, _INK, ImageFont.load_default(size=17), anchor="mm")
    return tile


@lru_cache(maxsize=1)
def no_picture_png() -> bytes:
    """`no_picture` as PNG."""
    file = io.BytesIO()
    no_picture().save(file, "PNG")
    return file.getvalue()
