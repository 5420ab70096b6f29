"""Straight lines and great-circle arcs between two latents.

A straight line between two noises leaves the shell where noise is; an arc does not.
"""

from __future__ import annotations

import numpy as np

from indexers.errors import DimensionError, ParameterError, ZeroVectorError
from indexers.types import FloatArray
from latentdb.geometry.errors import CutLocusError
from latentdb.geometry.kinds import Array, as_float64, like, require_one_kind

# Sum of two unit vectors: shorter than this it is rounding of float32, not a direction.
_ANTIPODAL = 1e-6


def lerp(start: Array, end: Array, t: float) -> Array:
    """Point at fraction `t` of the straight line; halfway its norm is too small for noise.

    Parameters
    ----------
    start, end : (dim,)
        NumPy or torch, floating point. Not modified.
    t : float
        Fraction of the line, unitless, in [0, 1].

    Returns
    -------
    (dim,)
        Kind, dtype and device of `start`.

    Raises
    ------
    DimensionError, ParameterError
        The two are not vectors of one length, or `t` is out of its range.
    DtypeError, NonFiniteError
    """
    return like(line_points(*as_ends(start, end), _as_fraction(t))[0], start)


def slerp(start: Array, end: Array, t: float) -> Array:
    """Point at fraction `t` of the great-circle arc from `start` to `end`.

    Parameters
    ----------
    start, end : (dim,)
        Latents of any non-zero norm, NumPy or torch, floating point. Not modified.
    t : float
        Fraction of the arc, unitless, in [0, 1].

    Returns
    -------
    (dim,)
        Norm interpolated linearly; kind, dtype and device of `start`.

    Raises
    ------
    CutLocusError
        `start` and `end` are antipodal: every great circle through them is a geodesic.
    ZeroVectorError
        One of them has no direction.
    DimensionError, ParameterError
        The two are not vectors of one length, or `t` is out of its range.
    DtypeError, NonFiniteError

    References
    ----------
    Shoemake, "Animating rotation with quaternion curves", SIGGRAPH 1985.
    """
    return like(arc_points(*as_ends(start, end), _as_fraction(t))[0], start)


def as_ends(start: object, end: object) -> tuple[FloatArray, FloatArray]:
    """Both ends in float64, of one kind and one length.

    Raises
    ------
    DimensionError, DtypeError, NonFiniteError
    """
    require_one_kind(start, end)
    first, last = as_float64(start, what="start"), as_float64(end, what="end")
    if first.ndim != 1 or first.shape != last.shape or not first.size:
        raise DimensionError(
            f"expected two vectors of one length, got shapes {first.shape} and {last.shape}"
        )
    return first, last


def line_points(first: FloatArray, last: FloatArray, fractions: FloatArray) -> FloatArray:
    """Points (m, dim) at `fractions` (m,) of the straight line."""
    points: FloatArray = (1.0 - fractions)[:, None] * first + fractions[:, None] * last
    return points


def arc_points(first: FloatArray, last: FloatArray, fractions: FloatArray) -> FloatArray:
    """Points (m, dim) at `fractions` (m,) of the arc, norm interpolated linearly.

    Raises
    ------
    CutLocusError, ZeroVectorError
    """
    norms = np.array([np.linalg.norm(first), np.linalg.norm(last)])
    if not norms.all():
        raise ZeroVectorError("slerp needs two directions, and a vector of norm zero has none")
    u, v = first / norms[0], last / norms[1]
    angle_rad = angle_between(u, v)
    radii = (1.0 - fractions) * norms[0] + fractions * norms[1]
    return polar_points((u, v), angle_rad, radii, fractions * angle_rad)


def angle_between(u: FloatArray, v: FloatArray) -> float:
    """Angle of two unit vectors in radians, by Kahan's form.

    arccos of the product loses half the digits at small angles.
    """
    return 2.0 * float(np.arctan2(np.linalg.norm(u - v), np.linalg.norm(u + v)))


def polar_points(
    units: tuple[FloatArray, FloatArray], angle_rad: float, radii: FloatArray, angles: FloatArray
) -> FloatArray:
    """Points (m, dim) at polar coordinates in the plane of two unit vectors.

    Parameters
    ----------
    units : two (dim,)
        Unit vectors `angle_rad` apart; angles are counted from the first to the second.
    radii, angles : (m,)
        Angles in [0, angle_rad].

    Raises
    ------
    CutLocusError
        The unit vectors are antipodal, and a point lies between them.
    """
    u, v = units
    is_between = (angles > 0.0) & (angles < angle_rad)
    if is_between.any() and float(np.linalg.norm(u + v)) < _ANTIPODAL:
        raise CutLocusError(
            "start and end are antipodal: every great circle through them is equally short; go "
            "through a third point, or move one of them a little"
        )
    weights = np.column_stack([angles <= 0.0, angles > 0.0]).astype(np.float64)
    if is_between.any():
        inside = angles[is_between]
        weights[is_between] = np.sin(np.column_stack([angle_rad - inside, inside]))
        weights[is_between] /= np.sin(angle_rad)
    points: FloatArray = (radii[:, None] * weights) @ np.stack([u, v])
    return points


def _as_fraction(t: float) -> FloatArray:
    if not 0.0 <= t <= 1.0:
        raise ParameterError(f"t is a fraction in [0, 1], got {t}")
    return np.array([t], np.float64)
