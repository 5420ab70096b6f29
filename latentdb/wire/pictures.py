"""Pictures on the wire: PNG in base64, so that every pixel comes as it was made."""

from __future__ import annotations

import base64
import binascii
import io

from PIL import Image

from latentdb.errors import PictureError, WireError
from latentdb.ingest.decode import decode_picture


def picture_to_wire(picture: Image.Image) -> str:
    """A picture as base64 PNG."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode("ascii")


def picture_from_wire(data: object, what: str) -> Image.Image:
    """The picture that `picture_to_wire` wrote, as RGB.

    Raises
    ------
    WireError
        It is none; `what` says which.
    """
    if not isinstance(data, str):
        raise WireError(f"{what} is a picture: a string of base64 PNG")
    try:
        return decode_picture(base64.b64decode(data, validate=True))
    except (binascii.Error, ValueError, PictureError) as error:
        raise WireError(f"{what} is a picture, and cannot be read: {error}") from error
