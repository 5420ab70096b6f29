"""Descent to the nearest minimum of a function with a gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from indexers.types import FloatArray

_MOST_STEPS = 2000
# A step that lowers the value by less than this share of it is the last.
_FLAT = 1e-14


class Minimum(NamedTuple):
    """Where a function is least, and its value there."""

    point: FloatArray
    value: float


def descend(
    function: Callable[[FloatArray], tuple[float, FloatArray]],
    start: FloatArray,
    *,
    scale: float,
    until: Callable[[FloatArray], bool] | None = None,
) -> Minimum:
    """Local minimum reached from `start`, as near as rounding of the values lets it be told.

    Parameters
    ----------
    function : callable
        Value and gradient (k,) at a point (k,).
    start : (k,)
        Where the function is differentiable. Not modified.
    scale : float
        Length of the first step that is tried.
    until : callable, optional
        Whether a point (k,) is far enough down: in the basin of a minimum that is known.

    Returns
    -------
    Minimum
        No higher than `start`.
    """

    def scaled(steps: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = function(start + scale * steps)
        # The first step is the gradient, or a unit of it where it is longer.
        return value / unit, gradient * (scale / unit)

    def stop(intermediate_result: OptimizeResult) -> None:
        if until is not None and until(start + scale * np.asarray(intermediate_result.x)):
            raise StopIteration

    value, gradient = function(start)
    unit = scale * float(np.linalg.norm(gradient))
    if unit == 0.0:
        return Minimum(start, value)
    result = minimize(
        scaled,
        np.zeros_like(start),
        jac=True,
        method="L-BFGS-B",
        callback=stop,
        options={
            "maxiter": _MOST_STEPS,
            "ftol": _FLAT * min(1.0, value / unit),
            "gtol": 0.0,
            "maxls": 15,
        },
    )
    reached = float(result.fun) * unit
    if reached >= value:
        return Minimum(start, value)
    return Minimum(start + scale * np.asarray(result.x, np.float64), reached)
