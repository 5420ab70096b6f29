"""Pictures that a resize shows its faults on, without the noise that no photograph has."""

from __future__ import annotations

import numpy as np
from PIL import Image


def photograph(width: int, height: int) -> Image.Image:
    """A smooth picture, other in every corner."""
    rng = np.random.default_rng(width * height)
    coarse = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
