"""NAO lengths from norms and angles: the far field, the near field and the core, put together."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from indexers.errors import MetricError
from indexers.metric.clairaut import near_field
from indexers.metric.core import core_field
from indexers.metric.far_field import FarField, far_field_of
from indexers.metric.priors import AbstractPrior, AbstractRadialPrior
from indexers.metric.shell import NODES, WEIGHTS
from indexers.metric.solution import Family, Solution
from indexers.types import BoolArray, FloatArray

# Pairs handled at a time, so that the temporaries of R's quadrature stay near 50 MB.
_BATCH = 1 << 16
# An end this near the origin is the origin: the rest of the way is shorter than 1e-57.
_POINT = 1e-60


class _Ends(NamedTuple):
    """Radii and what depends on them alone, computed before they are broadcast to pairs."""

    r: FloatArray
    to_origin: FloatArray
    radial: FloatArray
    reach: FloatArray

    @classmethod
    def of(cls, prior: AbstractRadialPrior, far: FarField | None, r: FloatArray) -> _Ends:
        to_origin = prior.radial_cost(r)
        if far is None:
            return cls(r, to_origin, to_origin, to_origin)
        radial, reach = far.shell.radial_and_reach(np.maximum(r, far.shell.barrier))
        return cls(r, to_origin, radial, reach)

    def spread(self, shape: tuple[int, ...]) -> _Ends:
        return _Ends(*(np.broadcast_to(values, shape).reshape(-1) for values in self))

    def pick(self, chosen: slice | BoolArray) -> _Ends:
        return _Ends(*(values[chosen] for values in self))


def polar_length(
    prior: AbstractRadialPrior, r0: FloatArray, r1: FloatArray, angle: FloatArray
) -> FloatArray:
    """Exact lengths f(r0, r1, θ), broadcast; inputs valid."""
    shape = np.broadcast_shapes(np.shape(r0), np.shape(r1), np.shape(angle))
    far = far_field_or_none(prior)
    first = _Ends.of(prior, far, np.asarray(r0)).spread(shape)
    second = _Ends.of(prior, far, np.asarray(r1)).spread(shape)
    angles = np.broadcast_to(angle, shape).reshape(-1)
    result = np.empty(len(angles))
    for start in range(0, len(result), _BATCH):
        part = slice(start, start + _BATCH)
        result[part] = _lengths(prior, far, (first.pick(part), second.pick(part)), angles[part])
    return result.reshape(shape)


def polar_solution(
    prior: AbstractRadialPrior, r0: FloatArray, r1: FloatArray, angle: FloatArray
) -> Solution:
    """Shortest paths of n pairs, all (n,): what `polar_length` measures, and which way it is.

    Apart from it because three more arrays would slow the ranking of a corpus; both choose by
    the same solvers.
    """
    far = far_field_or_none(prior)
    first, second = _Ends.of(prior, far, r0), _Ends.of(prior, far, r1)
    result = Solution.of(Family.RADIAL, _along_ray(prior, first, second))
    inner, outer = np.minimum(r0, r1), np.maximum(r0, r1)
    bent = (angle > 0) & (inner > _POINT)
    if far is not None:
        outside = bent & (inner >= far.shell.safe_radius)
        bent &= ~outside
        length = far.shell.kappa * angle + (first.radial + second.radial)
        along = Solution.of(Family.ALONG, length, far.shell.kappa)
        result.put(outside, along.pick(outside))
        near = outside & ~far.holds((r0, r1), (first.reach, second.reach), angle)
        if near.any():
            result.put(near, near_field(far.shell, r0[near], r1[near], angle[near]))
    if bent.any():
        shell = None if far is None else far.shell
        result.put(bent, core_field(prior, shell, inner[bent], outer[bent], angle[bent]))
    return result


def polar_slopes(
    prior: AbstractRadialPrior, r0: FloatArray, r1: FloatArray, angle: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Lengths f, ∂f/∂r0 and ∂f/∂θ, all (n,), for r0 > 0.

    ∂f/∂θ = b and ∂f/∂r0 = ±√(w² − b²/r0²), positive where the path goes inward from r0. Where two
    paths are equally short, those of one of them; where the ends meet, the slopes are zero.
    """
    solution = polar_solution(prior, r0, r1, angle)
    family, b = solution.family, solution.invariant
    height = r0 * prior.cost(r0)
    rise, inward = height - b, np.sign(r0 - r1)
    far = far_field_or_none(prior)
    if far is not None:
        along = family == Family.ALONG
        # Near the shell h − κ is rounding unless it is computed as a rise.
        rise = np.where(along, far.shell.rise(far.shell.offset(r0)), rise)
        to_shell = along | (family == Family.DIP)
        inward = np.where(to_shell, np.sign(far.shell.offset(r0)), inward)
    inward = np.where((family == Family.ORIGIN) | (family == Family.AROUND), 1.0, inward)
    root = np.sqrt(np.maximum(rise * (height + b), 0.0)) / r0
    return solution.length, inward * root, b


def polar_parts(
    prior: AbstractPrior, distances: FloatArray, angles: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Angular part κ·θ and the rest of `distances`."""
    angular = angular_rate(prior) * angles
    return angular, distances - angular


def angular_rate(prior: AbstractPrior) -> float:
    """κ, the length of a radian along the shell; 1 without a prior, 0 without a shell."""
    if not isinstance(prior, AbstractRadialPrior):
        return 1.0
    far = far_field_or_none(prior)
    return 0.0 if far is None else far.shell.kappa


def _lengths(
    prior: AbstractRadialPrior,
    far: FarField | None,
    ends: tuple[_Ends, _Ends],
    angle: FloatArray,
) -> FloatArray:
    first, second = ends
    inner, outer = np.minimum(first.r, second.r), np.maximum(first.r, second.r)
    bent = (angle > 0) & (inner > _POINT)
    result = _along_ray(prior, first, second)
    if far is not None:
        outside = bent & (inner >= far.shell.safe_radius)
        result[outside] = _outside(far, (first.pick(outside), second.pick(outside)), angle[outside])
        bent &= ~outside
    if bent.any():
        shell = None if far is None else far.shell
        result[bent] = core_field(prior, shell, inner[bent], outer[bent], angle[bent]).length
    return result


def _along_ray(prior: AbstractRadialPrior, first: _Ends, second: _Ends) -> FloatArray:
    """∫ w between two radii: exact at θ = 0, and from the origin at any θ."""
    result: FloatArray = np.abs(first.to_origin - second.to_origin)
    inner, outer = np.minimum(first.r, second.r), np.maximum(first.r, second.r)
    # Between near radii the difference of two long lengths is rounding; there w is smooth.
    close = (outer - inner < prior.width) & (inner > prior.width)
    span = (outer - inner)[close]
    path = inner[close, None] + span[:, None] * NODES
    result[close] = span * (prior.cost(path) @ WEIGHTS)
    return result


def _outside(far: FarField, ends: tuple[_Ends, _Ends], angle: FloatArray) -> FloatArray:
    first, second = ends
    result: FloatArray = far.shell.kappa * angle + (first.radial + second.radial)
    near = ~far.holds((first.r, second.r), (first.reach, second.reach), angle)
    if near.any():
        result[near] = near_field(far.shell, first.r[near], second.r[near], angle[near]).length
    return result


@lru_cache(maxsize=64)
def far_field_or_none(prior: AbstractRadialPrior) -> FarField | None:
    """The far field of `prior`, None where it has no shell."""
    try:
        return far_field_of(prior)
    except MetricError:
        return None
