"""Lower bounds on NAO distances from an angle and a penalty: what certifies an index's answer."""

from __future__ import annotations

import math
from typing import final

import numpy as np
from scipy.optimize import brentq

from indexers.metric.clairaut import far_field_deficit
from indexers.metric.polar import far_field_or_none, polar_length
from indexers.metric.priors import AbstractPrior, AbstractRadialPrior
from indexers.metric.shell import Shell
from indexers.types import BoolArray, FloatArray, IdArray

# Penalties are stored in float32.
_LARGEST_PENALTY = 1e30
# Bins of the angles at which a near pair's saving is bounded.
_BINS = 16
# So few rows are sooner measured than bounded.
_MANY = 64


@final
class NaoBound:
    """f ≥ κ·θ + R(r0) + R(r1) − D, for radii beyond the core.

    Attributes
    ----------
    has_prior : bool
        False for `NoPrior`: the distance is the angle, and all bounds are equalities.
    kappa : float
        Length of a radian along the shell; 1 without a prior, 0 without a shell.
    """

    def __init__(self, prior: AbstractPrior) -> None:
        self._prior = prior if isinstance(prior, AbstractRadialPrior) else None
        self._far = None if self._prior is None else far_field_or_none(self._prior)
        self.has_prior = self._prior is not None
        self.kappa = 1.0 if self._prior is None else 0.0
        self._safe_radius = math.inf if self.has_prior else 0.0
        if self._far is not None:
            self.kappa = self._far.shell.kappa
            self._safe_radius = self._far.shell.safe_radius

    def covers(self, radii: FloatArray) -> BoolArray:
        """Whether the bounds hold for ends of these norms."""
        covered: BoolArray = radii >= self._safe_radius
        return covered

    def special_positions(self, norms: FloatArray, mask: BoolArray | None) -> IdArray:
        """Rows that no bound covers, among the selected."""
        uncovered = norms < self._safe_radius
        return np.flatnonzero(uncovered if mask is None else uncovered & mask)

    def in_radial_reach(self, radius: float, norms: FloatArray, limit: float) -> BoolArray:
        """Rows that are within `limit` along the radius; no others can be within it at all."""
        if self._prior is None:
            return np.ones(len(norms), np.bool_)
        home = self._prior.radial_cost(np.array(radius))
        within: BoolArray = np.abs(self._prior.radial_cost(norms) - home) <= limit * (1 + 1e-9)
        return within

    def penalty(self, norms: FloatArray) -> FloatArray:
        """g(r) = R(r)/κ of rows; of rows in the core, that of the barrier."""
        if self._far is None:
            return np.zeros(len(norms))
        shell = self._far.shell
        penalties = shell.radial(np.maximum(norms, shell.barrier)) / shell.kappa
        return np.minimum(penalties, _LARGEST_PENALTY)

    def least_of_pairs(self, home: float, penalties: FloatArray, angles: FloatArray) -> FloatArray:
        """A cheap lower bound of f for covered pairs, from both penalties and the exact angle.

        κ·(θ + |g(r0) − g(r1)|): a near pair saves at most twice the lesser R.
        """
        least: FloatArray = self.kappa * (angles + np.abs(penalties - home)) * (1.0 - 1e-9)
        return least

    def ball(self, radius: float, limit: float) -> NaoBall:
        """What is within `limit` of a covered query of this norm."""
        if self._far is None:
            return NaoBall(self, None, (radius, radius), (limit, 0.0))
        shell = self._far.shell
        farthest = self._farthest(radius, limit)
        begins = self._far.begins(radius, farthest)
        home = float(shell.radial(np.array([radius]))[0])
        angle = (limit - home) / shell.kappa
        # Where the far field holds, κ·θ + R(r0) ≤ f; everywhere, κ·θ ≤ f.
        widest = angle if angle >= begins else min(begins, limit / shell.kappa)
        return NaoBall(self, shell, (radius, farthest), (widest, begins), home)

    def _farthest(self, radius: float, limit: float) -> float:
        """The norm farthest from the shell, on the query's side, that `limit` can reach.

        Even straight along a ray the way there costs ∫ w between the norms.
        """
        assert self._far is not None
        shell, prior = self._far.shell, self._far.shell.prior
        home = float(prior.radial_cost(np.array(radius)))

        def over(r: float) -> float:
            return abs(float(prior.radial_cost(np.array(r))) - home) - limit

        if radius < shell.radius:
            low = shell.safe_radius
            return (
                low if over(low) <= 0 else float(brentq(over, low, radius, rtol=1e-3)) * (1 - 1e-3)
            )
        high = radius + prior.width
        while over(high) < 0:
            high += high - shell.radius + prior.width
        return float(brentq(over, radius, high, rtol=1e-3)) * (1 + 1e-3)


@final
class NaoBall:
    """All that is within some limit of a query of norm `radii[0]`; see `NaoBound.ball`.

    Attributes
    ----------
    widest_angle : float
        No covered row within the limit is at a greater angle.
    """

    def __init__(
        self,
        bound: NaoBound,
        shell: Shell | None,
        radii: tuple[float, float],
        angles: tuple[float, float],
        home: float = 0.0,
    ) -> None:
        self.widest_angle, self._begins = angles
        self._kappa = bound.kappa
        self._shell, self._radii, self._home = shell, radii, home

    def least_lengths(self, angles: FloatArray, penalties: FloatArray) -> FloatArray:
        """Bound of f for each row, from a lower bound of its angle and its penalty.

        One of at least the limit says that the row is no nearer than the limit.
        """
        result: FloatArray = self._kappa * (angles + penalties) + self._home
        near = angles < self._begins
        if near.any():
            result[near] -= self._deficits(angles[near], penalties[near])
        return result

    def _deficits(self, angles: FloatArray, penalties: FloatArray) -> FloatArray:
        """How far below the far field rows at these angles or more can be.

        It is at most twice the lesser R, whatever the angle. And it falls with the angle, so
        where rows are many it is computed at the lower edges of a few bins.
        """
        assert self._shell is not None
        most: FloatArray = 2.0 * np.minimum(self._home, self._kappa * penalties)
        if len(angles) < _MANY:
            return most
        steps = np.minimum((angles * (_BINS / self._begins)).astype(int), _BINS - 1)
        bins, which = np.unique(steps, return_inverse=True)
        edges = bins * (self._begins / _BINS)
        near, far = self._radii
        lengths = polar_length(self._shell.prior, np.array(near), np.array(far), edges)
        deficits = [
            far_field_deficit(self._shell, near, far, float(edge), float(length))
            for edge, length in zip(edges, lengths, strict=True)
        ]
        least: FloatArray = np.minimum(most, np.array(deficits)[which])
        return least
