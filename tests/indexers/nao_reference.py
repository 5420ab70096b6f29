"""NAO lengths computed in two other ways, sharing nothing with the package or with each other.

`reference_length` minimises directly. A curve is a chain of logarithmic spirals (straight in
u = ln r and φ) at fixed, graded angles; its length is the integral of h(u) = r·w(r) over every
segment, by a Gauss rule of its own, so a segment cannot jump the radial wall unpaid. The radii are
moved by a damped Newton method with the exact tridiagonal Hessian. Every chain is a true curve: its
length is an upper bound that falls to the distance with the square of the spacing; two spacings are
extrapolated.

`quadrature_length` integrates Clairaut's relation, h(r)·sin ψ = b along a geodesic, with a
tanh-sinh rule, which takes the root at the turning point as it comes. The package substitutes the
root away and uses Gauss rules.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import pairwise
from typing import final

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.linalg import solveh_banded
from scipy.optimize import brentq, minimize_scalar
from scipy.special import expit

Array = npt.NDArray[np.float64]

_T, _WT = np.polynomial.legendre.leggauss(5)
_T, _WT = (_T + 1) / 2, _WT / 2

# Tanh-sinh nodes on (0, 1): x = expit(π·sinh t), t in steps of 1/24.
_STEP = 1 / 24
_GRID = np.arange(-3.9, 3.9 + _STEP / 2, _STEP)
_NODES = expit(np.pi * np.sinh(_GRID))
_NODE_WEIGHTS = _STEP * np.pi * np.cosh(_GRID) * _NODES * expit(-np.pi * np.sinh(_GRID))


class AbstractLaw(ABC):
    """A law of the norm, as the references need it: w(r) = −log p(r)."""

    likeliest: float

    @abstractmethod
    def cost(self, r: Array) -> Array:
        """w(r)."""

    @abstractmethod
    def slopes(self, r: Array) -> tuple[Array, Array]:
        """w'(r) and w''(r)."""

    def profile(self, u: Array) -> tuple[Array, Array, Array]:
        """h = r·w and its first two derivatives by u = ln r."""
        r = np.exp(u)
        (first, second), h = self.slopes(r), r * self.cost(r)
        return h, h + r**2 * first, h + 3 * r**2 * first + r**3 * second

    def rise(self, r: float) -> float:
        """h'(r)."""
        at = np.array(r)
        return float(self.cost(at) + at * self.slopes(at)[0])


@final
@dataclass(frozen=True)
class ChiLaw(AbstractLaw):
    """SciPy's chi density of `dim` degrees of freedom."""

    dim: int

    @property
    def likeliest(self) -> float:  # type: ignore[override]
        return math.sqrt(self.dim - 1)

    def cost(self, r: Array) -> Array:
        return -np.asarray(stats.chi.logpdf(r, self.dim))

    def slopes(self, r: Array) -> tuple[Array, Array]:
        return r - (self.dim - 1) / r, 1 + (self.dim - 1) / r**2


@final
@dataclass(frozen=True)
class GaussLaw(AbstractLaw):
    """Normal norms, shifted to the floor ½·ln π that the fitted prior has."""

    mean: float
    std: float

    @property
    def likeliest(self) -> float:  # type: ignore[override]
        return self.mean

    def cost(self, r: Array) -> Array:
        density = np.asarray(stats.norm.logpdf(r, self.mean, self.std))
        return math.log(math.pi) / 2 - density - math.log(self.std * math.sqrt(2 * math.pi))

    def slopes(self, r: Array) -> tuple[Array, Array]:
        return (r - self.mean) / self.std**2, np.full_like(r, 1 / self.std**2)


# Direct minimisation


def _chain_length(law: AbstractLaw, u: Array, steps: Array) -> float:
    rise = np.diff(u)
    h = law.profile(u[:-1, None] + rise[:, None] * _T)[0]
    return float(np.hypot(rise, steps) @ (h @ _WT))


def _derivatives(law: AbstractLaw, u: Array, steps: Array) -> tuple[Array, Array, Array]:
    """Gradient and tridiagonal Hessian of the length by the inner points."""
    rise = np.diff(u)
    h, h1, h2 = law.profile(u[:-1, None] + rise[:, None] * _T)
    size = np.hypot(rise, steps)
    mean, lean, curve = h @ _WT, rise / size, steps**2 / size**3
    low, high = h1 @ (_WT * (1 - _T)), h1 @ (_WT * _T)
    gradient_low = -lean * mean + size * low
    gradient_high = lean * mean + size * high
    hess_low = curve * mean - 2 * lean * low + size * (h2 @ (_WT * (1 - _T) ** 2))
    hess_high = curve * mean + 2 * lean * high + size * (h2 @ (_WT * _T**2))
    hess_both = -curve * mean + lean * (low - high) + size * (h2 @ (_WT * _T * (1 - _T)))
    gradient = gradient_high[:-1] + gradient_low[1:]
    return gradient, hess_high[:-1] + hess_low[1:], hess_both[1:-1]


def _minimise(law: AbstractLaw, u: Array, steps: Array) -> float:
    length, damping = _chain_length(law, u, steps), 1e-3
    for _ in range(400):
        gradient, diagonal, beside = _derivatives(law, u, steps)
        banded = np.zeros((2, len(diagonal)))
        banded[0, 1:], scale = beside, np.abs(diagonal) + 1e-12
        try:
            banded[1] = diagonal + damping * scale
            move = -solveh_banded(banded, gradient)
            trial = u.copy()
            trial[1:-1] += np.clip(move, -0.1, 0.1)
            reached = _chain_length(law, trial, steps)
        except np.linalg.LinAlgError:
            reached = np.inf
        if reached < length:
            is_done = length - reached < 1e-13 * length
            u, length, damping = trial, reached, max(damping / 5, 1e-14)
            if is_done:
                break
        else:
            damping *= 8
            if damping > 1e12:
                break
    return length


def _starts(law: AbstractLaw, ends: tuple[float, float], angles: Array) -> list[Array]:
    """Chains to start from: straight, or to the likeliest norm and along it."""
    straight = np.asarray(np.interp(angles, [0, angles[-1]], np.log(ends)))
    t = angles / angles[-1]
    chains = [straight]
    for share in (0.003, 0.05, 0.3):
        shelf = np.minimum(np.minimum(t, 1 - t) / share, 1.0)
        chains.append(straight + shelf * (np.log(law.likeliest) - straight))
    return chains


def reference_length(
    law: AbstractLaw | int, r0: float, r1: float, angle: float, points: int = 300
) -> float:
    """Shortest chain found from several starts, extrapolated from two spacings.

    `law` may be the dimension of a chi law.
    """
    whole = ChiLaw(law) if isinstance(law, int) else law
    lengths = []
    for count in (points, 2 * points):
        half = np.sinh(np.linspace(0, 12, count + 1)) / np.sinh(12)
        t = np.concatenate([half / 2, 1 - half[-2::-1] / 2])
        angles = angle * t
        chains = _starts(whole, (r0, r1), angles)
        lengths.append(min(_minimise(whole, u, np.diff(angles)) for u in chains))
    return lengths[1] + (lengths[1] - lengths[0]) / 3


# Quadrature of Clairaut's relation


def _leg(law: AbstractLaw, b: Array, start: Array, end: float) -> tuple[Array, Array]:
    """Angle swept and W = ∫√(w² − b²/r²)|dr| between radii `start` (n,) and `end`, per b (n,)."""
    r = start[:, None] + (end - start)[:, None] * _NODES
    w, pull = law.cost(r), b[:, None] / r
    root = np.sqrt(np.maximum((w - pull) * (w + pull), np.finfo(float).tiny))
    size = np.abs(end - start)
    # Where rounding leaves nothing under the root the node is the turning point itself.
    swept = np.where(w > pull, pull / (r * root), 0.0)
    return size * (swept @ _NODE_WEIGHTS), size * (root @ _NODE_WEIGHTS)


def _ray(law: AbstractLaw, start: float, end: float) -> float:
    """∫w along a ray."""
    return (end - start) * float(law.cost(start + (end - start) * _NODES) @ _NODE_WEIGHTS)


def _monotone(law: AbstractLaw, angle: float, radii: list[float], largest: float) -> float:
    """Greatest b·θ + W(b), b < `largest`, over paths along which r rises through `radii`."""

    def shortfall(p: float) -> float:
        b = np.array([-largest * np.expm1(-p)])
        legs = [_leg(law, b, np.array([low]), high) for low, high in pairwise(radii)]
        work = sum(float(leg[1][0]) for leg in legs)
        return -(float(b[0]) * angle + work)

    best = minimize_scalar(shortfall, bounds=(0.0, 45.0), method="bounded", options={"xatol": 1e-9})
    return max(-float(best.fun), -shortfall(45.0))


def _dips(
    law: AbstractLaw, angle: float, deepest: float, highest: float, ends: tuple[float, float]
) -> float:
    """Least length of paths that turn between the radii `deepest` and `highest`."""

    def whole(q: Array) -> tuple[Array, Array]:
        span = highest - deepest
        turn = np.where(q < 0, deepest + span * expit(q), highest - span * expit(-q))
        b = turn * law.cost(turn)
        (swept0, work0), (swept1, work1) = (_leg(law, b, turn, end) for end in ends)
        return swept0 + swept1 - angle, b * angle + work0 + work1

    q = np.linspace(-36, 36, 145)
    miss, lengths = whole(q)
    # The rest of the angle is walked around at the deepest radius, which costs b·Δθ.
    found = [float(lengths[0])] if miss[0] <= 0 else []
    for i in np.flatnonzero(np.diff(np.sign(miss))):
        at = brentq(lambda x: float(whole(np.array([x]))[0][0]), q[i], q[i + 1], xtol=1e-10)
        found.append(float(whole(np.array([at]))[1][0]))
    return min(found, default=math.inf)


def _through_core(
    law: AbstractLaw, angle: float, barrier: float, least: float, ends: tuple[float, float]
) -> float:
    """Least length of paths that turn inside the barrier, or go through the origin.

    `least` is the least h on the way from the barrier to the ends.
    """
    straight = sum(_ray(law, 0.0, r) for r in ends)
    smallest = 1e-9 * barrier
    mouth = float(brentq(lambda r: r * float(law.cost(np.array(r))) - least, smallest, barrier))
    return min(straight, _dips(law, angle, smallest, mouth, ends))


def quadrature_length(law: AbstractLaw | int, r0: float, r1: float, angle: float) -> float:
    """Shortest of all geodesics that Clairaut's relation allows between ends beyond the barrier.

    h(r) rises from 0 to the barrier, falls to the shell and rises from there.

    Raises
    ------
    ValueError
        An end is inside the barrier.
    """
    whole = ChiLaw(law) if isinstance(law, int) else law
    trough = minimize_scalar(
        whole.rise, bounds=(0.2 * whole.likeliest, whole.likeliest), method="bounded"
    )
    shell = float(brentq(whole.rise, float(trough.x), whole.likeliest * 1.1, xtol=1e-13))
    barrier = float(brentq(whole.rise, 1e-3 * whole.likeliest, float(trough.x)))
    ends, low, high = (r0, r1), min(r0, r1), max(r0, r1)
    if low <= barrier:
        raise ValueError(f"expected norms beyond the barrier {barrier:g}, got {low:g}")
    lowest = min(max(shell, low), high)
    least = lowest * float(whole.cost(np.array(lowest)))
    if low < shell < high:
        length = _monotone(whole, angle, [low, shell, high], least)
    else:
        length = _dips(whole, angle, shell, lowest, ends)
        if high > low:
            length = min(length, _monotone(whole, angle, [low, high], least))
    if length > sum(_ray(whole, barrier, r) for r in ends):
        least = min(shell, high) * float(whole.cost(np.array(min(shell, high))))
        length = min(length, _through_core(whole, angle, barrier, least, ends))
    return length
