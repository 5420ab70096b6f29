"""Descent to the nearest minimum of a function with a gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from indexers.types import FloatArray

_MOST_STEPS = 2000


class Minimum(NamedTuple):
    """Where a function is least, and its value there."""

    point: FloatArray
    value: float


def descend(
    function: Callable[[FloatArray], tuple[float, FloatArray]], start: FloatArray
) -> Minimum:
    """Local minimum reached from `start`, as near as rounding of the values lets it be told.

    Parameters
    ----------
    function : callable
        Value and gradient (k,) at a point (k,).
    start : (k,)
        Where the function is differentiable. Not modified.
    """
    result = minimize(
        function,
        start,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": _MOST_STEPS, "maxfun": 2 * _MOST_STEPS, "ftol": 0.0, "gtol": 0.0},
    )
    return Minimum(np.asarray(result.x, np.float64), float(result.fun))
