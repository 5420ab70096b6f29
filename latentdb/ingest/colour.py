"""Every colour mode of Pillow to RGB, without clipping, inverting or dropping transparency."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from latentdb.errors import PictureError

_WITH_ALPHA = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
_BAND_PIXELS = 1 << 20
_DEEP = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N", "F"})


def to_rgb(image: Image.Image) -> Image.Image:
    """RGB copy of a loaded picture; transparency is laid on white.

    Raises
    ------
    PictureError
        "corrupt": a floating-point picture with values that are not numbers.
    """
    if image.mode in _DEEP:
        return _from_deep(image)
    # A palette or a colour key can be transparent in modes that have no alpha.
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        return _in_bands(image, _on_white)
    if image.mode == "LAB":
        return _from_lab(image)
    return image.convert("RGB")


def _in_bands(image: Image.Image, turn: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """RGB picture made by `turn` a band of rows at a time: the copies it makes stay small."""
    made = Image.new("RGB", image.size)
    rows = max(1, _BAND_PIXELS // image.width)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        made.paste(turn(image.crop((0, top, image.width, bottom))), (0, top))
    return made


def _on_white(image: Image.Image) -> Image.Image:
    layer = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")


def _from_deep(image: Image.Image) -> Image.Image:
    """Grey of more than 8 bits, scaled from its own range: Pillow alone would clip at 255."""
    values = np.asarray(image)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise PictureError("corrupt", "a floating-point picture with values that are not numbers")
    low, high = _range_of(image.mode, values)

    def scaled(band: Image.Image) -> Image.Image:
        grey = np.rint((np.asarray(band).astype(np.float64) - low) * (255.0 / (high - low)))
        return Image.fromarray(grey.clip(0, 255).astype(np.uint8)).convert("RGB")

    return _in_bands(image, scaled)


def _range_of(mode: str, values: NDArray[Any]) -> tuple[float, float]:
    """Values of black and white.

    16 bits have a fixed range. 32-bit integers and floats carry none with them: the usual
    conventions are taken while the values fit them, and the extremes of the picture otherwise.
    """
    low, high = float(values.min()), float(values.max())
    conventions = {"F": (1.0, 255.0, 65535.0), "I": (65535.0,)}.get(mode, (65535.0,))
    for white in conventions:
        if low >= 0 and high <= white:
            return 0.0, white
    return low, high


def _from_lab(image: Image.Image) -> Image.Image:
    """CIE L*a*b* by way of the colour management that Pillow carries."""
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
    assert converted is not None  # it is only when asked to work in place
    return converted
