"""Validation of what callers pass in; every check raises with expected / got / what to do."""

from __future__ import annotations

import math
from operator import index as as_index
from typing import Any

import numpy as np
import numpy.typing as npt

from indexers.errors import (
    DimensionError,
    DtypeError,
    DuplicateIdError,
    IdError,
    NonFiniteError,
    ParameterError,
)
from indexers.types import Float32Array, FloatArray, IdArray

# Rows checked or converted at a time, so that a check never holds a second copy of a corpus.
BLOCK_VALUES = 1 << 22
# As many are checked value by value sooner than they are summed.
_FEW_VALUES = 1 << 14
_FLOATS = (np.dtype(np.float32), np.dtype(np.float16))


def row_blocks(n: int, dim: int) -> list[slice]:
    """Split `n` rows of `dim` values into blocks of about four million values."""
    step = max(1, BLOCK_VALUES // max(dim, 1))
    return [slice(start, min(start + step, n)) for start in range(0, n, step)]


def check_vectors(vectors: npt.NDArray[Any], dim: int | None, *, what: str) -> Float32Array:
    """Float32, C-contiguous, finite rows of `vectors`, copied only where they are not so already.

    Parameters
    ----------
    vectors : (n, dim) float32 or float16
        Not modified. Float64 is refused, because an index would lose its precision.
    dim : int or None
        Expected width; None accepts any width of at least 1.
    what : str
        Name of the argument, for the messages.

    Raises
    ------
    DimensionError, DtypeError, NonFiniteError
    """
    array = np.asarray(vectors)
    if array.ndim != 2 or array.shape[1] == 0 or (dim is not None and array.shape[1] != dim):
        expected = "(n, dim)" if dim is None else f"(n, {dim})"
        raise DimensionError(
            f"expected {what} of shape {expected}, got an array of shape {array.shape}; "
            "a single vector is passed as vector[None, :]"
        )
    if array.dtype not in _FLOATS:
        raise DtypeError(
            f"expected {what} in float32 or float16, got {array.dtype}; "
            "convert with .astype(numpy.float32) where the loss is meant"
        )
    rows = np.ascontiguousarray(array, dtype=np.float32)
    if rows.size <= _FEW_VALUES and np.isfinite(rows).all():
        return rows
    for block in row_blocks(*rows.shape):
        # One pass: the sum is finite unless a value is not, or the sum itself overflows.
        with np.errstate(over="ignore", invalid="ignore"):
            total = float(rows[block].sum(dtype=np.float64))
        if not math.isfinite(total):
            bad = int(np.flatnonzero(~np.isfinite(rows[block]).all(axis=1))[0]) + block.start
            raise NonFiniteError(
                f"expected finite {what}, got NaN or infinity in row {bad}; "
                "leave that row out or compute it again"
            )
    return rows


def check_real(values: npt.ArrayLike, *, what: str) -> FloatArray:
    """Return `values` as float64, finite.

    Raises
    ------
    NonFiniteError
    """
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise NonFiniteError(
            f"expected finite {what}, got NaN or infinity; leave the broken values out"
        )
    return array


def check_ids(ids: npt.ArrayLike, count: int | None, *, what: str = "ids") -> IdArray:
    """Non-negative, distinct int64 ids, `count` of them.

    Raises
    ------
    DimensionError, DtypeError, IdError, DuplicateIdError
    """
    array = np.asarray(ids)
    if array.size == 0:
        array = array.astype(np.int64)
    if array.ndim != 1 or (count is not None and len(array) != count):
        expected = "one dimension" if count is None else f"shape ({count},), one id per vector"
        raise DimensionError(f"expected {what} of {expected}, got an array of shape {array.shape}")
    if array.dtype.kind not in "iu":
        raise DtypeError(f"expected {what} as 64-bit integers, got {array.dtype}")
    if array.size and (int(array.min()) < 0 or int(array.max()) > np.iinfo(np.int64).max):
        raise IdError(f"expected {what} from 0 to 2**63 - 1, got {array.min()} to {array.max()}")
    result = array.astype(np.int64)
    ordered = np.sort(result)
    repeated = ordered[1:][ordered[1:] == ordered[:-1]]
    if repeated.size:
        raise DuplicateIdError(
            f"expected distinct {what}, got {repeated[0]} more than once "
            f"({repeated.size} repeats); pass every id once"
        )
    return result


def check_count(value: int, *, what: str, minimum: int = 1) -> int:
    """Return `value` as a plain int of at least `minimum`.

    Raises
    ------
    ParameterError
    """
    try:
        number = as_index(value)
    except TypeError as error:
        raise ParameterError(f"expected {what} as a whole number, got {value!r}") from error
    if isinstance(value, bool) or number < minimum:
        raise ParameterError(f"expected {what} of at least {minimum}, got {value!r}")
    return number
