"""Curves between two latents. A straight line leaves the shell; an arc does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from indexers.errors import DimensionError, ParameterError, ZeroVectorError
from latentdb.geometry.errors import CutLocusError

Real = TypeVar("Real", bound=np.floating[Any])
InterpolationMethod = Literal["slerp", "lerp"]

# Sum of two unit vectors: shorter than this it is rounding of float32, not a direction.
_ANTIPODAL = 1e-6


def lerp(start: NDArray[Real], end: NDArray[Real], t: float) -> NDArray[Real]:
    """Point at fraction `t` of the straight line; halfway its norm is too small for noise.

    Parameters
    ----------
    start, end : (dim,)
        Not modified.
    t : float
        Fraction of the line, unitless, in [0, 1].

    Returns
    -------
    (dim,)
        Dtype of `start`.

    Raises
    ------
    DimensionError, ParameterError
        The two are not vectors of one length, or `t` is out of its range.
    """
    first, last = _endpoints(start, end, t)
    point: NDArray[Real] = ((1.0 - t) * first + t * last).astype(start.dtype)
    return point


def slerp(start: NDArray[Real], end: NDArray[Real], t: float) -> NDArray[Real]:
    """Point at fraction `t` of the great-circle arc from `start` to `end`.

    Parameters
    ----------
    start, end : (dim,)
        Latents of any non-zero norm. Not modified.
    t : float
        Fraction of the arc, unitless, in [0, 1].

    Returns
    -------
    (dim,)
        Norm interpolated linearly, dtype of `start`.

    Raises
    ------
    CutLocusError
        `start` and `end` are antipodal: every great circle through them is a geodesic.
    ZeroVectorError
        One of them has no direction.
    DimensionError, ParameterError
        The two are not vectors of one length, or `t` is out of its range.

    References
    ----------
    Shoemake, "Animating rotation with quaternion curves", SIGGRAPH 1985.
    """
    first, last = _endpoints(start, end, t)
    first_norm, last_norm = float(np.linalg.norm(first)), float(np.linalg.norm(last))
    if first_norm == 0.0 or last_norm == 0.0:
        raise ZeroVectorError("slerp needs two directions, and a vector of norm zero has none")
    u, v = first / first_norm, last / last_norm
    apart, together = float(np.linalg.norm(u - v)), float(np.linalg.norm(u + v))
    if together < _ANTIPODAL:
        raise CutLocusError(
            "start and end are antipodal: every great circle through them is equally short; go "
            "through a third point"
        )
    # Kahan's form of the angle: arccos of the product loses half the digits at small angles.
    angle_rad = 2.0 * float(np.arctan2(apart, together))
    norm = (1.0 - t) * first_norm + t * last_norm
    if angle_rad == 0.0:
        return (norm * u).astype(start.dtype)
    weights = np.sin([(1.0 - t) * angle_rad, t * angle_rad]) / np.sin(angle_rad)
    point: NDArray[Real] = (norm * (weights[0] * u + weights[1] * v)).astype(start.dtype)
    return point


_METHODS: dict[InterpolationMethod, Callable[..., NDArray[Any]]] = {"slerp": slerp, "lerp": lerp}


def interpolate(
    start: NDArray[Real],
    end: NDArray[Real],
    *,
    steps: int,
    method: InterpolationMethod = "slerp",
) -> NDArray[Real]:
    """`steps` points from `start` to `end`, both included, at equal fractions.

    Returns
    -------
    (steps, dim)
        Dtype of `start`.

    Raises
    ------
    ParameterError
        Fewer than two steps, or an unknown method.
    CutLocusError, ZeroVectorError, DimensionError
        As the method does.
    """
    if method not in _METHODS:
        raise ParameterError(
            f"unknown interpolation {method!r}: one of {', '.join(get_args(InterpolationMethod))}"
        )
    if steps < 2:
        raise ParameterError(f"an interpolation has at least its two ends, got {steps} steps")
    curve = _METHODS[method]
    points: NDArray[Real] = np.stack([curve(start, end, t) for t in np.linspace(0.0, 1.0, steps)])
    return points


def _endpoints(
    start: NDArray[Real], end: NDArray[Real], t: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both ends in float64, of one length, and `t` in its range."""
    if start.ndim != 1 or start.shape != end.shape:
        raise DimensionError(
            f"expected two vectors of one length, got shapes {start.shape} and {end.shape}"
        )
    if not 0.0 <= t <= 1.0:
        raise ParameterError(f"t is a fraction in [0, 1], got {t}")
    return start.astype(np.float64), end.astype(np.float64)
