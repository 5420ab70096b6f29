"""The parts of many questions as vectors: what one model or one table gives is asked for once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar, final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from indexers.errors import DimensionError, NonFiniteError
from latentdb.catalog import Catalog
from latentdb.errors import LatentDBError, QueryError
from latentdb.model import AbstractTextEncoder, Vectors
from latentdb.part import Part
from latentdb.query import read_picture
from latentdb.space import Space

T = TypeVar("T")
# As many texts or pictures are embedded together: more is no faster, and takes memory.
_TOGETHER = 64

Failure: TypeAlias = LatentDBError


@final
class Wanted(NamedTuple):
    """A part, and the space in which it is born."""

    part: Part
    born: Space


def embed_all(catalog: Catalog, wanted: Sequence[Wanted]) -> list[Vectors | Failure]:
    """The vector (dim,) of each part in the space it is born in, or why there is none.

    Raises
    ------
    OSError, RuntimeError
        What a model raises that is no `LatentDBError`.
    """
    if len(wanted) == 1:
        return _embedded(catalog, wanted[0].part.kind, wanted[0].born, [wanted[0].part.value])
    groups: dict[tuple[str, str], list[int]] = {}
    for at, one in enumerate(wanted):
        groups.setdefault((one.part.kind, one.born.name), []).append(at)
    found: list[Vectors | Failure | None] = [None] * len(wanted)
    for (kind, _), places in groups.items():
        for start in range(0, len(places), _TOGETHER):
            some = places[start : start + _TOGETHER]
            born = wanted[some[0]].born
            values = [wanted[at].part.value for at in some]
            for at, vector in zip(some, _embedded(catalog, kind, born, values), strict=True):
                found[at] = vector
    return [vector for vector in found if vector is not None]


def each_or_error(
    ask: Callable[[list[T]], Sequence[Vectors]], values: list[T]
) -> list[Vectors | Failure]:
    """What is asked for all values at once; where that fails, for one after the other."""
    try:
        return list(ask(values))
    except LatentDBError as error:
        if len(values) == 1:
            return [error]
    return [each_or_error(ask, [value])[0] for value in values]


def _embedded(
    catalog: Catalog, kind: str, born: Space, values: list[Any]
) -> list[Vectors | Failure]:
    """Vectors of values of one kind in one space."""
    if kind == "vector":
        return each_or_error(lambda some: [_checked(one, born) for one in some], values)
    if kind == "id":
        return each_or_error(lambda some: list(catalog.store.vectors(born.name, some)), values)
    if kind == "text":
        return each_or_error(lambda some: _of_texts(catalog, born, some), values)
    return each_or_error(lambda some: _of_pictures(catalog, born, some), values)


def _of_texts(catalog: Catalog, born: Space, texts: list[str]) -> list[Vectors]:
    model = catalog.models.get(born.name)
    if not isinstance(model, AbstractTextEncoder):
        raise QueryError(
            f"space {born.name!r} has no text tower, so it cannot embed a text query: "
            "give the text space with --from and a map will carry it over"
        )
    distinct = list(dict.fromkeys(texts))
    vectors = dict(zip(distinct, model.encode_text(distinct), strict=True))
    return [vectors[text] for text in texts]


def _of_pictures(catalog: Catalog, born: Space, pictures: list[Image.Image | str]) -> list[Vectors]:
    model = catalog.models.get(born.name)
    pixels = [model.transform.apply(_picture(one)) for one in pictures]
    return list(model.embed(np.stack(pixels)).vectors)


def _picture(value: Image.Image | str) -> Image.Image:
    return value.convert("RGB") if isinstance(value, Image.Image) else read_picture(value)


def _checked(vector: NDArray[np.floating[Any]], space: Space) -> Vectors:
    """A caller's vector as float32 (dim,), refused when it cannot be one of `space`."""
    flat = np.asarray(vector, dtype=np.float32)
    flat = flat[0] if flat.ndim == 2 and len(flat) == 1 else flat
    if flat.shape != (space.dim,):
        raise DimensionError(
            f"space {space.name!r} holds vectors of dimension {space.dim}, got an array of shape "
            f"{np.shape(vector)}; pass a vector of that space, or name its own with --from"
        )
    if not np.isfinite(flat).all():
        raise NonFiniteError("the query vector holds NaN or infinity; expected finite numbers")
    return flat
