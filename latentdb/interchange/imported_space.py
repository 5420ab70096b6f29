"""The space that imported vectors are of, from what is said of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from latentdb.errors import SourceError, SpaceSpecError
from latentdb.interchange.discover import FoundFile
from latentdb.interchange.vector_file import AbstractVectorFile
from latentdb.space import IMPORTED, Setting, Space


def space_of(found: FoundFile, vectors: AbstractVectorFile, dataset: str) -> Space:
    """The space of a file of vectors.

    An exported file says its whole space: the imported one is the same, model included. Of others
    the fingerprint covers what a card states; without a card, the data set and the file's name, so
    that vectors of which nothing is known are compared with none but their own.

    Raises
    ------
    SourceError
        The file says one space and holds vectors of another length or dtype.
    SpaceMismatchError
        The record of an exported space was changed by hand.
    """
    record = vectors.record or found.entry.space
    if record is not None:
        return _recorded(found, vectors, record)
    settings: dict[str, Setting] = {"source": "imported"}
    if found.entry.settings is not None:
        settings |= found.entry.settings
    else:
        settings |= {"dataset": dataset, "file": found.path.stem}
    return Space(
        name=found.name,
        kind=found.entry.kind or "embedding",
        dim=vectors.dim,
        spec=f"{IMPORTED}{found.name}",
        settings=settings,
        dtype=vectors.dtype,
    )


def _recorded(found: FoundFile, vectors: AbstractVectorFile, record: Mapping[str, Any]) -> Space:
    try:
        space = Space.from_json(record)
    except (KeyError, TypeError) as error:
        raise SourceError(f"{found.path}: its space cannot be read: {error!r}") from error
    if (space.dim, space.dtype) != (vectors.dim, vectors.dtype):
        raise SourceError(
            f"{found.path} says that it holds vectors of dimension {space.dim} in {space.dtype}, "
            f"and holds some of dimension {vectors.dim} in {vectors.dtype}: it was changed since"
        )
    if set(space.quality) != set(vectors.quality):
        raise SourceError(
            f"{found.path} comes with the quality columns {sorted(vectors.quality)}, and its space "
            f"has {sorted(space.quality)}: keep the files of an export together"
        )
    return replace(space, name=found.name, spec=_spec(space, found.name))


def _spec(space: Space, name: str) -> str:
    """The spec under `name`, where it is of a model and not of a space without one."""
    from latentdb.spaces import parse_spec

    try:
        parsed = parse_spec(space.spec)
    except SpaceSpecError:
        return f"{IMPORTED}{name}"
    return str(replace(parsed, name=name))
