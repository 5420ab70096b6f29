"""What one picture has and another has not, of two stored items."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from indexers.errors import ParameterError, ZeroVectorError
from latentdb.arrays import FloatArray
from latentdb.catalog import Catalog
from latentdb.directions.pair_svd import require_trajectory, svd_pair_direction
from latentdb.space import Space

PairMethod = Literal["difference", "svd"]


def pair_direction(
    catalog: Catalog, space: Space, a_id: int, b_id: int, *, method: PairMethod = "difference"
) -> FloatArray:
    """Vector that leads from one item towards another.

    Parameters
    ----------
    catalog : Catalog
    space : Space
        Which the vector is of.
    a_id, b_id : int
        From the first to the second.
    method : "difference" or "svd"
        b − a; or what gives a the leading singular vectors of b midway between noise and
        picture, carried on to the noise. See `latentdb.directions.pair_svd`.

    Returns
    -------
    (dim,) float64
        Of any non-zero norm.

    Raises
    ------
    UnknownItemError
        An item is not stored, or has no vector in `space`.
    QueryError
        "svd" in a space that has no decoder.
    ZeroVectorError
        Both have the same vector.
    ParameterError
        No such method.
    """
    if method not in get_args(PairMethod):
        known = ", ".join(get_args(PairMethod))
        raise ParameterError(f"unknown method {method!r} of a pair: one of {known}")
    start, end = catalog.store.vectors(space.name, [a_id, b_id])
    difference: FloatArray = end.astype(np.float64) - start
    if not difference.any():
        raise ZeroVectorError(
            f"items {a_id} and {b_id} have the same vector in space {space.name!r}: no direction "
            "leads from one to the other"
        )
    if method == "svd":
        model = require_trajectory(catalog.models.get(space.name))
        difference = svd_pair_direction(model, start, end)
    return difference
