"""Vectors to be averaged, and their weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from indexers.checks import check_real
from indexers.errors import DimensionError, ParameterError
from indexers.types import FloatArray
from latentdb.geometry.kinds import as_float64, in_memory


def as_rows(vectors: object) -> FloatArray:
    """`vectors` (n, dim), n and dim at least 1, in float64.

    Raises
    ------
    DimensionError, DtypeError, NonFiniteError
    """
    rows = as_float64(vectors, what="vectors")
    if rows.ndim != 2 or 0 in rows.shape:
        raise DimensionError(
            f"expected vectors of shape (n, dim), at least one, got an array of shape {rows.shape}"
            "; pass a single vector as vector[None]"
        )
    return rows


def as_weights(weights: ArrayLike | None, n: int) -> FloatArray:
    """`weights` (n,) in float64, 1 each if there are none; not scaled to a sum.

    Raises
    ------
    DimensionError
        Not one weight for each vector.
    NonFiniteError
        NaN or infinity.
    ParameterError
        A negative weight, or all of them zero.
    """
    if weights is None:
        return np.ones(n)
    values = check_real(in_memory(weights), what="weights")
    if values.shape != (n,):
        raise DimensionError(f"expected one weight for each vector, ({n},), got {values.shape}")
    if (values < 0).any() or not values.any():
        raise ParameterError(
            f"expected weights of at least 0, and one above it, got {values.min():g} to "
            f"{values.max():g}; leave out what does not count"
        )
    return values
