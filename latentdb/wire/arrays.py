"""Arrays on the wire: dtype, shape, and the bytes in base64; to the bit."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from latentdb.errors import WireError

DTYPES: Final = ("float32", "float64", "int64")


def array_to_wire(array: NDArray[Any]) -> dict[str, Any]:
    """An array as JSON: `{"dtype", "shape", "base64"}`, little-endian, rows one after the other."""
    name = array.dtype.name
    assert name in DTYPES
    exact = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return {
        "dtype": name,
        "shape": list(array.shape),
        "base64": base64.b64encode(exact.tobytes()).decode("ascii"),
    }


def array_from_wire(
    data: object, what: str, dtype: str, shape: tuple[int | None, ...]
) -> NDArray[Any]:
    """The array that `array_to_wire` wrote, as a copy of its own.

    Parameters
    ----------
    data : JSON value
    what : str
        What it is, for errors.
    dtype : "float32", "float64" or "int64"
    shape : tuple of int or None
        None for any length.

    Raises
    ------
    WireError
        It is none, of another dtype or shape, or its bytes are not as many as its shape says.
    """
    if not isinstance(data, Mapping) or set(data) != {"dtype", "shape", "base64"}:
        raise WireError(f"{what} is an array: an object of dtype, shape and base64, no others")
    found = data["shape"]
    if data["dtype"] != dtype or not _fits(found, shape):
        expected = ", ".join("any" if size is None else str(size) for size in shape)
        raise WireError(
            f"{what} is an array of {dtype} and shape ({expected}), got {data['dtype']!r} and "
            f"shape {str(found)[:60]}"
        )
    kind = np.dtype(dtype).newbyteorder("<")
    content = _bytes(data["base64"], what)
    if len(content) != math.prod(found) * kind.itemsize:
        raise WireError(
            f"{what} says shape {found} of {dtype}, which are "
            f"{math.prod(found) * kind.itemsize} bytes, and brings {len(content)}"
        )
    return np.frombuffer(content, kind).reshape(found).astype(dtype)


def _fits(found: object, shape: tuple[int | None, ...]) -> bool:
    if not isinstance(found, list) or len(found) != len(shape):
        return False
    return all(
        isinstance(size, int)
        and not isinstance(size, bool)
        and 0 <= size < 2**31
        and wanted in (None, size)
        for size, wanted in zip(found, shape, strict=True)
    )


def _bytes(text: object, what: str) -> bytes:
    if not isinstance(text, str):
        raise WireError(f"{what} brings its bytes as a string of base64")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise WireError(f"{what} is no base64: {error}") from error
