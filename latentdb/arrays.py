"""Checks of arrays that callers hand in; none of them changes a value."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from indexers.errors import DimensionError, DtypeError, DuplicateIdError, NonFiniteError

FloatArray = NDArray[np.float64]
RealArray = NDArray[np.floating[Any]]
BoolArray = NDArray[np.bool_]
IdArray = NDArray[np.int64]


def as_matrix(vectors: ArrayLike, *, name: str, dim: int | None = None) -> RealArray:
    """`vectors` as a finite floating-point matrix (n, dim), dtype kept, not copied if it is one.

    Raises
    ------
    DimensionError
        It is not a matrix, or its rows are not of length `dim`.
    DtypeError
        It does not hold floating-point numbers.
    NonFiniteError
        It holds NaN or infinity.
    """
    array = np.asarray(vectors)
    if array.ndim != 2 or (dim is not None and array.shape[1] != dim):
        expected = "(n, dim)" if dim is None else f"(n, {dim})"
        raise DimensionError(
            f"{name}: expected an array of shape {expected}, got {array.shape}; pass one vector "
            "as vector[None], and vectors of the space this was made for"
        )
    if not np.issubdtype(array.dtype, np.floating):
        raise DtypeError(f"{name}: expected floating-point numbers, got dtype {array.dtype}")
    if not np.isfinite(array).all():
        rows = np.flatnonzero(~np.isfinite(array).all(axis=1))
        raise NonFiniteError(
            f"{name}: {len(rows)} of {len(array)} rows hold NaN or infinity, the first is row "
            f"{rows[0]}; leave them out"
        )
    return array


def as_labels(is_positive: ArrayLike, *, n: int, name: str) -> BoolArray:
    """`is_positive` as a boolean vector (n,).

    Raises
    ------
    DimensionError
        It is not one value per row.
    DtypeError
        It is not boolean: 0/1 and text say nothing certain about which side is positive.
    """
    array = np.asarray(is_positive)
    if array.shape != (n,):
        raise DimensionError(f"{name}: expected one label per row, ({n},), got {array.shape}")
    if array.dtype != np.bool_:
        raise DtypeError(f"{name}: expected booleans, got dtype {array.dtype}; compare first")
    return array


def as_ids(ids: ArrayLike, *, n: int) -> IdArray:
    """`ids` as distinct int64 (n,).

    Raises
    ------
    DimensionError
        It is not one id per row.
    DtypeError
        They are not integers.
    DuplicateIdError
        An id comes twice, so that one item could stand on both sides of a split.
    """
    array = np.asarray(ids)
    if array.shape != (n,):
        raise DimensionError(f"ids: expected one id per row, ({n},), got shape {array.shape}")
    if not np.issubdtype(array.dtype, np.integer):
        raise DtypeError(f"ids: expected integers, got dtype {array.dtype}")
    kinds, counts = np.unique(array, return_counts=True)
    if len(kinds) != n:
        raise DuplicateIdError(f"ids: id {kinds[counts.argmax()]} is given {counts.max()} times")
    return array.astype(np.int64, copy=False)


def is_among(ids: IdArray, there: IdArray) -> BoolArray:
    """Whether each of `ids` is one of `there`, which are sorted.

    Of a million ids it takes a tenth of the time of `numpy.isin`, which cannot know of the order.
    """
    if not len(there):
        return np.zeros(len(ids), np.bool_)
    at = np.minimum(np.searchsorted(there, ids), len(there) - 1)
    found: BoolArray = there[at] == ids
    return found
