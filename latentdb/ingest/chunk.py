"""What a decoding process does with a handful of candidates, and what it hands back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, final

import numpy as np
from numpy.typing import NDArray

from latentdb.errors import PictureError
from latentdb.ingest.decode import (
    content_hash,
    decode_picture,
    max_bytes_of,
    pixel_id,
    thumbnail_of,
)
from latentdb.ingest.recipes import AbstractRecipe
from latentdb.model import Pixels, Transform

# What is wanted of one picture: transforms by their place in `DecodeSettings.transforms`, or
# spaces by theirs where the models run beside the decoder.
Wanted = tuple[int, ...]


@final
@dataclass(frozen=True)
class DecodeSettings:
    """What is the same for every picture of a run."""

    transforms: tuple[Transform, ...]
    max_megapixels: float
    min_side: int


@final
@dataclass(frozen=True, eq=False)
class PictureVector:
    """What a model made of one picture: a vector (dim,) float32 with its quality, or why not."""

    vector: NDArray[np.float32] | None
    quality: Mapping[str, float] = field(default_factory=dict)
    failure: str = ""


@final
@dataclass(frozen=True)
class Decoded:
    """A picture that can be used: identity, size, thumbnail, and what was wanted of it.

    Pixels by transform where it was decoded for models of this process; vectors by space where
    the models ran beside the decoder.
    """

    id: int
    width: int
    height: int
    thumbnail: bytes
    pixels: dict[int, Pixels]
    vectors: dict[int, PictureVector] = field(default_factory=dict)


@final
@dataclass(frozen=True)
class Refused:
    """A picture that cannot be used, and why."""

    reason: str
    message: str


class Decoder(Protocol):
    """Reads a chunk, then decodes those of it that are wanted."""

    def read(self, recipes: Sequence[AbstractRecipe]) -> list[str | Refused]:
        """Content hash of each, or why it cannot be read. The bytes are kept for `decode`."""

    def decode(self, wanted: Sequence[Wanted | None]) -> list[Decoded | Refused | None]:
        """The chunk last read, decoded; None stays None."""


@final
class ChunkDecoder:
    """Reads and decodes in the process it lives in.

    Parameters
    ----------
    settings : DecodeSettings
        Transforms and limits.
    """

    def __init__(self, settings: DecodeSettings) -> None:
        self._settings = settings
        self._max_bytes = max_bytes_of(settings.max_megapixels)
        self._chunk: list[bytes] = []

    def read(self, recipes: Sequence[AbstractRecipe]) -> list[str | Refused]:
        """Content hash of each, or why it cannot be read."""
        self._chunk = []
        answers: list[str | Refused] = []
        for recipe in recipes:
            try:
                data = recipe.read(self._max_bytes)
            except PictureError as error:
                self._chunk.append(b"")
                answers.append(Refused(error.reason, error.message))
            else:
                self._chunk.append(data)
                answers.append(content_hash(data))
        return answers

    def decode(self, wanted: Sequence[Wanted | None]) -> list[Decoded | Refused | None]:
        """The chunk last read, decoded; None stays None."""
        chunk, self._chunk = self._chunk, []
        return [
            None if indexes is None else self._decode_one(data, indexes)
            for data, indexes in zip(chunk, wanted, strict=True)
        ]

    def _decode_one(self, data: bytes, wanted: Wanted) -> Decoded | Refused:
        settings = self._settings
        try:
            image = decode_picture(
                data, max_megapixels=settings.max_megapixels, min_side=settings.min_side
            )
        except PictureError as error:
            return Refused(error.reason, error.message)
        pixels = {index: settings.transforms[index].apply(image) for index in wanted}
        return Decoded(pixel_id(image), *image.size, thumbnail_of(image), pixels)
