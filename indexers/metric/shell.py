"""The shell of a radial prior: the radius r* that geodesics hug, and the far field around it.

Symbols (the metric's length element is w(r)·|dx|): h(r) = r·w(r); r* the local minimiser of h
near the mode; κ = h(r*); λ the rate at which neighbouring geodesics leave the shell, per radian.
Inside the shell h has a maximum, the *barrier*, and falls to 0 at the origin.

Length of the geodesic between (r0, 0) and (r1, θ) for θ beyond some 10/λ:
f = κ·θ + R(r0) + R(r1), R(r) = |∫_{r*}^{r} √(w² − (κ/s)²) ds|.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import final

import numpy as np
from scipy.optimize import brentq

from indexers.errors import MetricError
from indexers.metric.priors import AbstractRadialPrior
from indexers.types import FloatArray

NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)
NODES = 0.5 * (NODES + 1.0)  # on [0, 1]
WEIGHTS = 0.5 * WEIGHTS

# Dyadic panels of R, from the shell outward: the last ends at width·2¹⁶⁰ ≈ 1e48·width.
_PANELS = 160


@final
class Shell:
    """r*, κ, λ and R of a prior; made once per prior by `shell_of`.

    Attributes
    ----------
    radius, kappa, decay : float
        r*, κ, λ (1/rad).
    barrier : float
        Radius of h's maximum inside the shell.
    safe_radius : float
        Between points at least this far out, no shortest path goes inside the barrier.
    """

    def __init__(self, prior: AbstractRadialPrior) -> None:
        self.prior = prior
        inflection = prior.steepest_radius
        if self._rise(inflection) >= 0:
            raise MetricError(
                f"{prior} has no shell: lengths grow with the radius everywhere, so there is no "
                "norm that paths keep to; use the none prior, or a chi prior of more dimensions"
            )
        outer = inflection + prior.width
        while self._rise(outer) <= 0:
            outer += prior.width
        inner = inflection / 2
        while self._rise(inner) <= 0:
            inner /= 2
        self.radius = float(brentq(self._rise, inflection, outer, xtol=1e-14 * outer, rtol=1e-15))
        self.barrier = float(brentq(self._rise, inner, inflection, xtol=1e-14 * outer))
        # w'(r*) = −w*/r* by definition of r*; used as an identity below, never computed.
        self._centre = np.array(self.radius)
        self.cost = float(prior.cost(self._centre))
        self.kappa = self.radius * self.cost
        self.curvature = -2.0 * self.cost / self.radius + self.radius * prior.bend(self.radius)
        self.decay = self.radius * math.sqrt(self.curvature / self.kappa)
        self._edges = prior.width * np.concatenate([[0.0], np.exp2(np.arange(_PANELS))])
        self._sums = {side: self._panel_sums(side) for side in (-1.0, 1.0)}
        self.safe_radius = self._find_safe_radius()

    def offset(self, r: FloatArray) -> FloatArray:
        """X = r − r*."""
        return r - self.radius

    def rise(self, x: FloatArray) -> FloatArray:
        """h(r* + x) − κ = r·E − w*·x²/r*, E = w − w* − w'*·x, without cancellation."""
        r = self.radius + x
        value: FloatArray = r * self.prior.excess(self._centre, x) - self.cost * x * x / self.radius
        return value

    def rise_from(self, turn: FloatArray, step: FloatArray) -> FloatArray:
        """h(r* + turn + step) − h(r* + turn), without cancellation for small steps."""
        prior, centre = self.prior, self._centre
        r = self.radius + turn
        gap = prior.slope_change(centre, turn)
        slope = gap - self.cost / self.radius
        # h'(r) = w + r·w', where w* + r*·w'* = 0 has been taken out.
        h_slope = -2.0 * self.cost * turn / self.radius + prior.excess(centre, turn) + r * gap
        value: FloatArray = (
            step * h_slope + (r + step) * prior.excess(r, step) + step * step * slope
        )
        return value

    def radial(self, r: FloatArray) -> FloatArray:
        """R(r), for r ≥ the barrier."""
        return self.radial_and_reach(r)[0]

    def reach(self, r: FloatArray) -> FloatArray:
        """Angle that the geodesic at b = κ sweeps between one width off the shell and r.

        The far field begins some 10/λ beyond `reach(r0) + reach(r1)`: that much angle goes by
        before the path has come down to the shell. 0 within one width.
        """
        return self.radial_and_reach(r)[1]

    def radial_and_reach(self, r: FloatArray) -> tuple[FloatArray, FloatArray]:
        """R and the reach, for r ≥ the barrier."""
        x = self.offset(np.asarray(r, np.float64))
        flat = x.ravel()
        size = np.abs(flat)
        with np.errstate(divide="ignore"):
            panel = np.floor(np.log2(size / self.prior.width)).clip(-1, _PANELS - 1).astype(int) + 1
        start = self._edges[panel]
        ends = self._panel(np.copysign(start, flat), size - start)
        sums = [
            np.where(flat < 0, low[panel], high[panel]) + end
            for low, high, end in zip(self._sums[-1.0], self._sums[1.0], ends, strict=True)
        ]
        return sums[0].reshape(x.shape), np.where(panel > 0, sums[1], 0.0).reshape(x.shape)

    def _panel(self, start: FloatArray, length: FloatArray) -> tuple[FloatArray, FloatArray]:
        """∫ √(h² − κ²)/s ds and ∫ κ/(s·√(h² − κ²)) ds, `length` outward from offset `start`."""
        x = start[:, None] + np.copysign(length, start)[:, None] * NODES
        rise = self.rise(x)
        root = np.sqrt(np.maximum(rise * (rise + 2.0 * self.kappa), np.finfo(float).tiny))
        r = self.radius + x
        return length * ((root / r) @ WEIGHTS), length * ((self.kappa / (root * r)) @ WEIGHTS)

    def _panel_sums(self, side: float) -> tuple[FloatArray, FloatArray]:
        edges = self._edges
        if side < 0:
            # Asked for outside the barrier only: later panels stay unused.
            edges = np.minimum(edges, self.radius - self.barrier)
        radial, reach = self._panel(np.copysign(edges[:-1], side), np.diff(edges))
        reach[0] = 0.0
        return np.concatenate([[0.0], np.cumsum(radial)]), np.concatenate([[0.0], np.cumsum(reach)])

    def _find_safe_radius(self) -> float:
        """Least r with ∫_barrier^r w ≥ R(r) + κ·π/2, up to r*; `inf` when there is none.

        A path from r inside the barrier and out again costs at least twice the left side; the
        one along the shell at most twice the right side. Beyond r* both grow alike.
        """

        def margin(r: float) -> float:
            ends = self.prior.radial_cost(np.array([self.barrier, r]))
            around = float(self.radial(np.array([r]))[0]) + self.kappa * math.pi / 2
            return float(ends[1] - ends[0]) - around

        if margin(self.radius) < 0:
            return math.inf
        return float(brentq(margin, self.barrier, self.radius))

    def _rise(self, r: float) -> float:
        """h'(r)."""
        at = np.array(r)
        return float(self.prior.cost(at) + at * self.prior.slope(at))


@lru_cache(maxsize=64)
def shell_of(prior: AbstractRadialPrior) -> Shell:
    """The shell of `prior`, computed once.

    Raises
    ------
    MetricError
        The prior has none: a chi prior of 2 dimensions, a fitted one as wide as its mean.
    """
    return Shell(prior)
