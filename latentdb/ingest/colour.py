"""Every colour mode of Pillow to RGB, without clipping, inverting or dropping transparency."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from latentdb.errors import PictureError

_WITH_ALPHA = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
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
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    if image.mode == "LAB":
        return _from_lab(image)
    return image.convert("RGB")


def _from_deep(image: Image.Image) -> Image.Image:
    """Grey of more than 8 bits, scaled from its own range: Pillow alone would clip at 255."""
    values = np.asarray(image).astype(np.float64)
    if not np.isfinite(values).all():
        raise PictureError("corrupt", "a floating-point picture with values that are not numbers")
    low, high = _range_of(image.mode, values)
    grey = np.rint((values - low) * (255.0 / (high - low)))
    return Image.fromarray(grey.clip(0, 255).astype(np.uint8)).convert("RGB")


def _range_of(mode: str, values: NDArray[np.float64]) -> tuple[float, float]:
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
