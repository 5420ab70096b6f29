"""Curves between two latents, by the name of the method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np

from indexers.checks import check_count
from indexers.errors import ParameterError
from indexers.metric.priors import AbstractPrior, ChiPrior
from indexers.types import FloatArray
from latentdb.geometry.geodesic import geodesic_points
from latentdb.geometry.kinds import Array, like
from latentdb.geometry.linear_combination import lol_points
from latentdb.geometry.lines import arc_points, as_ends, line_points

InterpolationMethod = Literal["nao", "lol", "slerp", "lerp"]


def interpolate(
    start: Array,
    end: Array,
    *,
    steps: int,
    method: InterpolationMethod = "nao",
    prior: AbstractPrior | None = None,
) -> Array:
    """`steps` points from `start` to `end`, both included.

    Parameters
    ----------
    start, end : (dim,)
        Latents, NumPy or torch, floating point. Not modified.
    steps : int
        Number of points, at least 2.
    method : "nao", "lol", "slerp" or "lerp"
        nao: the shortest path under the prior on norms, equally spaced in its length (see
        `geodesic`). lol: linear combination of weights 1 − t and t, made as likely as a fresh
        latent (see `linear_combination`). slerp: great-circle arc, norm linear. lerp: straight
        line, which leaves the norms of noise. All but nao at equal steps of t.
    prior : AbstractPrior, optional
        Of nao only; `ChiPrior(dim)` by default, which standard Gaussian noise has.

    Returns
    -------
    (steps, dim)
        Kind, dtype and device of `start`; computed in float64.

    Raises
    ------
    CutLocusError
        nao or slerp between antipodal ends: no single shortest path.
    ZeroVectorError
        slerp from or to a vector without a direction.
    ParameterError
        Fewer than two steps, an unknown method, or a prior for another than nao.
    DimensionError, DtypeError, NonFiniteError, MetricError
    """
    if method not in get_args(InterpolationMethod):
        raise ParameterError(
            f"unknown interpolation {method!r}: one of {', '.join(get_args(InterpolationMethod))}"
        )
    if prior is not None and method != "nao":
        raise ParameterError(f"expected no prior for {method}, got {prior!r}; only nao has one")
    first, last = as_ends(start, end)
    fractions = np.linspace(0.0, 1.0, check_count(steps, what="steps", minimum=2))
    if method == "nao":
        points = geodesic_points(first, last, fractions, prior or ChiPrior(first.size))
    else:
        points = _CURVES[method](first, last, fractions)
        points[0], points[-1] = first, last
    return like(points, start)


def _lol_curve(first: FloatArray, last: FloatArray, fractions: FloatArray) -> FloatArray:
    """LOL of weights (1 − t, t)."""
    return lol_points(np.stack([first, last]), np.column_stack([1.0 - fractions, fractions]))


_CURVES: dict[str, Callable[[FloatArray, FloatArray, FloatArray], FloatArray]] = {
    "lol": _lol_curve,
    "slerp": arc_points,
    "lerp": line_points,
}
