"""What ingest and search ask of a model: its space, its preprocessing, its vectors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latentdb.space import Space

Pixels = NDArray[np.uint8]
Vectors = NDArray[np.float32]


@final
@dataclass(frozen=True)
class Transform:
    """Resize the short side, cut a square of `size` out of the middle: one model's preprocessing.

    Small and picklable, because it runs in the decoding processes. Two spaces with equal
    transforms share one result.

    Parameters
    ----------
    size : int
        Side of the square, in pixels.
    resample : "bicubic", "bilinear" or "lanczos"
        Filter of the resize.
    short_side : int, optional
        What the short side is resized to, at least `size`; None for `size`, where the square is
        as large as it can be.
    """

    size: int
    resample: str = "bicubic"
    short_side: int | None = None

    def apply(self, image: Image.Image) -> Pixels:
        """Pixels (size, size, 3) uint8 of an RGB picture; the picture is not modified."""
        if self.short_side is not None or image.size != (self.size, self.size):
            image = image.resize(
                (self.size, self.size),
                resample=Image.Resampling[self.resample.upper()],
                box=self._box(*image.size),
                reducing_gap=3.0,
            )
        return np.asarray(image, dtype=np.uint8)

    def _box(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of what is kept, in pixels of the original.

        A resize of this box is the crop of the whole picture's resize, since the filter reads
        beyond the box; it only leaves out what would be cut off.
        """
        short = min(width, height)
        if self.short_side is None:
            left, top = (width - short) / 2, (height - short) / 2
            return left, top, left + short, top + short
        # Whole pixels of the resized picture, as torchvision's Resize and CenterCrop have them.
        wide, high = (self.short_side * side // short for side in (width, height))
        left, top = round((wide - self.size) / 2), round((high - self.size) / 2)
        across, down = width / wide, height / high
        return left * across, top * down, (left + self.size) * across, (top + self.size) * down


@final
@dataclass(frozen=True)
class Embedded:
    """Vectors of one batch, with a quality value per row and column.

    Parameters
    ----------
    vectors : (n, dim) float32
    quality : mapping of column name to (n,) float32
        Exactly the columns that the model's `space.quality` names.
    """

    vectors: Vectors
    quality: dict[str, NDArray[np.float32]] = field(default_factory=dict)


class AbstractSpaceModel(ABC):
    """A model that puts pictures into one space."""

    @property
    @abstractmethod
    def space(self) -> Space:
        """The space, with every setting that moves a vector."""

    @property
    @abstractmethod
    def transform(self) -> Transform:
        """Preprocessing that `embed` expects to have been applied."""

    @abstractmethod
    def embed(self, pixels: Pixels) -> Embedded:
        """Vectors of a batch of pictures (n, size, size, 3) uint8."""


class AbstractEncoder(AbstractSpaceModel):
    """A model whose vectors describe a picture."""


class AbstractTextEncoder(AbstractEncoder):
    """An encoder that also puts text into its space."""

    @abstractmethod
    def encode_text(self, texts: Sequence[str]) -> Vectors:
        """Vectors (n, dim) float32 of `texts`, comparable with those of `embed`."""


class AbstractInverter(AbstractSpaceModel):
    """A generator run backwards: its vectors are the noise that regenerates a picture."""

    @abstractmethod
    def decode(self, noise: Vectors) -> Pixels:
        """Pictures (n, size, size, 3) uint8 generated from `noise` (n, dim), not modified."""
