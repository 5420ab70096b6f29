"""What one text says and another does not, as a movement of pictures.

A text t stands for the pictures m + cΣ(t − t̄) (`latentdb.stitch.modality`). The difference of two
such sets is Σ(t₁ − t₂): the part that all texts share cancels, and so need not be known. Maps
carry it on as they do any movement. Without Σ the difference is a reading of the text space, and
through a map little more than chance is left of it.
"""

from __future__ import annotations

import numpy as np

from latentdb.arrays import FloatArray
from latentdb.catalog import Catalog
from latentdb.directions.carry import push
from latentdb.errors import NotEnoughDataError, QueryError
from latentdb.model import AbstractTextEncoder
from latentdb.space import Space
from latentdb.stitch.chain import find_chain
from latentdb.stitch.domain import MIN_ROWS
from latentdb.stitch.linear_map import LinearMap


def text_movement(
    catalog: Catalog, space: Space, towards: str, away: str
) -> tuple[FloatArray, tuple[LinearMap, ...]]:
    """Movement (dim,) of `space` from what one text says to what another does.

    Parameters
    ----------
    catalog : Catalog
    space : Space
        Where there is no text tower of its own, maps lead there from the first space with one.
    towards, away : str
        Such as "a smiling face" and "a face".

    Returns
    -------
    movement : (dim,) float64
        Of any norm.
    maps : tuple of LinearMap
        That it went through.

    Raises
    ------
    QueryError
        A text is empty, both are the same to the model, or there is no text tower.
    UnknownMapError, SpaceMismatchError
        See `find_chain`.
    NotEnoughDataError
        The text space holds too few pictures for their covariance.
    """
    if not towards.strip() or not away.strip():
        raise QueryError("a text pair is two texts: what it leads to, and what it leads away from")
    source = _text_space(catalog, space)
    model = catalog.models.get(source.name)
    if not isinstance(model, AbstractTextEncoder):
        raise QueryError(f"space {source.name!r} has no text tower: its model embeds no text")
    profile = catalog.profiles.get(source)
    if profile is None:
        raise NotEnoughDataError(
            f"what texts stand for is known from {MIN_ROWS} pictures on; space {source.name!r} "
            "holds fewer: ingest more"
        )
    first, second = model.encode_text([towards, away]).astype(np.float64)
    if np.array_equal(first, second):
        raise QueryError(f"{towards!r} and {away!r} are the same to space {source.name!r}")
    movement: FloatArray = profile.times_covariance((first - second)[None])[0]
    if source.name == space.name:
        return movement, ()
    chain = find_chain(catalog.maps.all(), source, space, spaces=catalog.spaces())
    return push(movement, chain), chain.maps


def _text_space(catalog: Catalog, space: Space) -> Space:
    """The space itself where it has a text tower, else the database's first that has one."""
    if space.has_text:
        return space
    for one in catalog.spaces().values():
        if one.has_text:
            return one
    raise QueryError(
        "a text pair needs a space with a text tower; this database has "
        f"{', '.join(catalog.spaces())}: add one, such as faces-clip"
    )
