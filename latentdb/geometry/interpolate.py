"""Curves between two latents, by the name of the method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np

from indexers.checks import check_count
from indexers.errors import ParameterError
from indexers.metric.priors import AbstractPrior
from indexers.types import FloatArray
from latentdb.geometry.kinds import Array, like
from latentdb.geometry.linear_combination import lol_points
from latentdb.geometry.lines import arc_points, as_ends, line_points

InterpolationMethod = Literal["lol", "slerp", "lerp"]


def _lol_curve(first: FloatArray, last: FloatArray, fractions: FloatArray) -> FloatArray:
    """LOL of weights (1 − t, t)."""
    return lol_points(np.stack([first, last]), np.column_stack([1.0 - fractions, fractions]))


_CURVES: dict[str, Callable[[FloatArray, FloatArray, FloatArray], FloatArray]] = {
    "lol": _lol_curve,
    "slerp": arc_points,
    "lerp": line_points,
}


def interpolate(
    start: Array,
    end: Array,
    *,
    steps: int,
    method: InterpolationMethod = "slerp",
    prior: AbstractPrior | None = None,
) -> Array:
    """`steps` points from `start` to `end`, both included."""
    if method not in get_args(InterpolationMethod):
        raise ParameterError(
            f"unknown interpolation {method!r}: one of {', '.join(get_args(InterpolationMethod))}"
        )
    if prior is not None:
        raise ParameterError(f"expected no prior for {method}, got {prior!r}; only nao has one")
    first, last = as_ends(start, end)
    fractions = np.linspace(0.0, 1.0, check_count(steps, what="steps", minimum=2))
    points = _CURVES[method](first, last, fractions)
    points[0], points[-1] = first, last
    return like(points, start)
