"""Between the arrays that callers have, NumPy's or torch's, and the float64 of the formulas.

torch is never imported here: whoever passes a tensor has done so.
"""

from __future__ import annotations

import sys
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from indexers.errors import DtypeError, NonFiniteError
from indexers.types import FloatArray

#: A NumPy array or a torch tensor of floating-point numbers; what comes in is what goes out.
Array = TypeVar("Array")


def as_float64(values: object, *, what: str) -> FloatArray:
    """The values of an array or tensor, in float64 and in main memory.

    Parameters
    ----------
    values : numpy.ndarray or torch.Tensor
        Floating point, any shape. Not modified; a tensor's gradient is not followed.
    what : str
        Name of the argument, for the messages.

    Raises
    ------
    DtypeError
        Neither an array nor a tensor, or one that does not hold floating-point numbers.
    NonFiniteError
        NaN or infinity among the values.
    """
    tensor = _tensor(values)
    if tensor is not None and tensor.is_floating_point():
        exact: FloatArray = tensor.detach().cpu().double().numpy()
    elif isinstance(values, np.ndarray) and np.issubdtype(values.dtype, np.floating):
        exact = values.astype(np.float64, copy=False)
    else:
        raise DtypeError(
            f"expected {what} as a NumPy array or a torch tensor of floating-point numbers, got "
            f"{_description(values)}; stack lists, and convert whole numbers"
        )
    if not np.isfinite(exact).all():
        raise NonFiniteError(
            f"expected finite {what}, got NaN or infinity; leave the broken values out"
        )
    return exact


def in_memory(values: ArrayLike) -> ArrayLike:
    """`values`, out of a tensor if it is one: for weights and norms, whose kind does not matter."""
    tensor = _tensor(values)
    if tensor is None:
        return values
    plain: FloatArray = tensor.detach().cpu().double().numpy()
    return plain


def like(result: FloatArray, model: Array) -> Array:
    """`result` as a new array of the kind, dtype and device of `model`."""
    tensor = _tensor(model)
    if tensor is None:
        array: Any = result.astype(model.dtype)  # type: ignore[attr-defined]
        return array  # type: ignore[no-any-return]
    torch = sys.modules["torch"]
    # On the processor first: some devices cannot hold float64.
    copied: Any = torch.tensor(result).to(dtype=tensor.dtype).to(device=tensor.device)
    return copied  # type: ignore[no-any-return]


def require_one_kind(first: object, second: object) -> None:
    """Refuse an array beside a tensor.

    Raises
    ------
    DtypeError
    """
    if (_tensor(first) is None) != (_tensor(second) is None):
        raise DtypeError(
            f"expected two arrays of one kind, got {_description(first)} and "
            f"{_description(second)}; convert one of them"
        )


def _tensor(values: object) -> Any:
    """`values` if it is a torch tensor, else None."""
    torch = sys.modules.get("torch")
    return values if torch is not None and isinstance(values, torch.Tensor) else None


def _description(values: object) -> str:
    dtype = getattr(values, "dtype", None)
    name = type(values).__name__
    return name if dtype is None else f"{name} of {dtype}"
