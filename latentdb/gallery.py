"""Where pictures come from: stored items, and points of a noise space."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from PIL import Image

from latentdb.model import Vectors
from latentdb.space import Space
from latentdb.types import Item

_DECODED_AT_ONCE = 4


class Gallery(Protocol):
    """What sheets need of a database, whether its files are here or a server has them."""

    def items(self, ids: Sequence[int]) -> list[Item]:
        """Stored pictures in the order asked."""

    def picture(self, item_id: int) -> Image.Image:
        """The picture of an item."""

    def decode(self, vectors: Vectors, *, space: str | None = None) -> list[Image.Image]:
        """Pictures that a noise space makes of vectors (n, dim)."""


def decoded(
    gallery: Gallery,
    space: Space,
    vectors: Vectors,
    on_decoded: Callable[[int], None] | None = None,
) -> list[Image.Image]:
    """Pictures that a space makes of vectors (n, dim), a few at a time.

    Parameters
    ----------
    gallery : Gallery
    space : Space
        A noise space.
    vectors : (n, dim) float32
    on_decoded : callable or None
        Told how many pictures were made since it was last called.
    """
    made: list[Image.Image] = []
    for start in range(0, len(vectors), _DECODED_AT_ONCE):
        some = gallery.decode(vectors[start : start + _DECODED_AT_ONCE], space=space.name)
        made += some
        if on_decoded is not None:
            on_decoded(len(some))
    return made
