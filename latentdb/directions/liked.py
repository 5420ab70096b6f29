"""Directions of liked and disliked examples, and what all differences of means share."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from indexers.errors import ZeroVectorError
from latentdb.arrays import FloatArray, RealArray, as_ids, as_matrix
from latentdb.directions.draft import Draft, Midpoint
from latentdb.errors import NotEnoughDataError
from latentdb.space import Space


def from_ids(
    liked: ArrayLike,
    disliked: ArrayLike,
    *,
    corpus: ArrayLike,
    name: str,
    space: Space,
    ids: ArrayLike,
) -> Draft:
    """From the mean of disliked examples to that of liked ones.

    Parameters
    ----------
    liked : (n_liked, dim)
        Vectors of one or more items.
    disliked : (n_disliked, dim)
        Vectors of any number of items; where there are none, the mean of `corpus` stands in.
    corpus : (n, dim)
        Sample of the space.
    name : str
    space : Space
    ids : (n_liked + n_disliked,) int
        Items' ids, distinct.

    Raises
    ------
    DimensionError, DtypeError, NonFiniteError, DuplicateIdError
        Vectors and ids do not fit together, or an item is both liked and disliked.
    NotEnoughDataError
        Nothing is liked.
    ZeroVectorError
        Both means are the same.
    """
    sample = as_matrix(corpus, name="corpus", dim=space.dim)
    good = as_matrix(liked, name="liked", dim=space.dim)
    bad = as_matrix(disliked, name="disliked", dim=space.dim)
    items = as_ids(ids, n=len(good) + len(bad))
    if not len(good):
        raise NotEnoughDataError(f"direction {name!r} needs one liked item at least")
    away, towards = mean_of(bad if len(bad) else sample), mean_of(good)
    return Draft(
        name=name,
        space=space,
        vector=between(away, towards),
        method="ids",
        label=f"{len(good)} liked, {len(bad)} disliked",
        boundary=Midpoint(away, towards),
        ids=items,
    )


def mean_of(vectors: RealArray) -> FloatArray:
    """Mean (dim,) of vectors (n, dim), in float64."""
    mean: FloatArray = vectors.mean(axis=0, dtype=np.float64)
    return mean


def between(start: FloatArray, end: FloatArray) -> FloatArray:
    """End − start; ZeroVectorError where they are the same."""
    vector: FloatArray = end - start
    if not vector.any():
        raise ZeroVectorError("both sides have the same mean: no direction leads between them")
    return vector
