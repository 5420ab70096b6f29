"""Lower bounds on NAO distances from an angle and a penalty: what certifies an index's answer."""

from __future__ import annotations

import math
from typing import final

import numpy as np
from scipy.optimize import brentq

from indexers.metric.clairaut import far_field_deficit
from indexers.metric.polar import far_field_or_none, polar_length
from indexers.metric.priors import AbstractPrior, AbstractRadialPrior
from indexers.types import BoolArray, FloatArray, IdArray

# Penalties are stored in float32.
_LARGEST_PENALTY = 1e30
# Bins of the angles at which a near pair's saving is bounded.
_BINS = 16


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

    def covers(self, radius: float) -> bool:
        """Whether the bounds hold for a query of this norm."""
        return radius >= self._safe_radius

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

    def least_of_pairs(self, radius: float, norms: FloatArray, angles: FloatArray) -> FloatArray:
        """A cheap lower bound of f for each row, from its norm and exact angle.

        κ·θ + |R(r0) − R(r1)| beyond the core (a near pair saves at most twice the lesser R), and
        the way along the radius anywhere.
        """
        if self._prior is None:
            return angles
        home = self._prior.radial_cost(np.array(radius))
        least: FloatArray = np.abs(self._prior.radial_cost(norms) - home) * (1 - 1e-9)
        if self._far is None or radius < self._safe_radius:
            return least
        shell = self._far.shell
        outside = norms >= self._safe_radius
        radial = shell.radial(norms[outside]) - shell.radial(np.array([radius]))
        beside = (shell.kappa * angles[outside] + np.abs(radial)) * (1 - 1e-9)
        least[outside] = np.maximum(least[outside], beside)
        return least

    def penalty(self, norms: FloatArray) -> FloatArray:
        """g(r) = R(r)/κ of rows; of rows in the core, that of the barrier."""
        if self._far is None:
            return np.zeros(len(norms))
        shell = self._far.shell
        penalties = shell.radial(np.maximum(norms, shell.barrier)) / shell.kappa
        return np.minimum(penalties, _LARGEST_PENALTY)

    def widest_angle(self, radius: float, limit: float) -> float:
        """Angle that no covered row within `limit` exceeds, for a covered query.

        Where the far field holds, κ·θ + R(r0) ≤ f; everywhere, κ·θ ≤ f.
        """
        if self._far is None:
            return limit
        shell = self._far.shell
        angle = (limit - float(shell.radial(np.array([radius]))[0])) / shell.kappa
        begins = self._far.begins(radius, self._farthest(radius, limit))
        return angle if angle >= begins else min(begins, limit / shell.kappa)

    def least_lengths(
        self, radius: float, angles: FloatArray, penalties: FloatArray, limit: float
    ) -> FloatArray:
        """Bound for each row from a lower bound of its angle and its penalty.

        A result of at least `limit` says that the row is no nearer than `limit`.
        """
        if self._far is None:
            return angles
        shell = self._far.shell
        result: FloatArray = shell.kappa * (angles + penalties)
        result += float(shell.radial(np.array([radius]))[0])
        farthest = self._farthest(radius, limit)
        begins = self._far.begins(radius, farthest)
        near = angles < begins
        if near.any():
            result[near] -= self._deficits((radius, farthest), angles[near], begins)
        return result

    def _deficits(
        self, radii: tuple[float, float], angles: FloatArray, begins: float
    ) -> FloatArray:
        """How far below the far field rows at these angles or more can be.

        It falls with the angle, so it is computed at the lower edges of a few bins.
        """
        assert self._far is not None
        shell = self._far.shell
        steps = np.minimum((angles * (_BINS / begins)).astype(int), _BINS - 1)
        bins, which = np.unique(steps, return_inverse=True)
        edges = bins * (begins / _BINS)
        lengths = polar_length(shell.prior, np.array(radii[0]), np.array(radii[1]), edges)
        deficits = np.array(
            [
                far_field_deficit(shell, *radii, float(edge), float(length))
                for edge, length in zip(edges, lengths, strict=True)
            ]
        )
        spread: FloatArray = deficits[which]
        return spread

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
                low if over(low) <= 0 else float(brentq(over, low, radius, rtol=1e-6)) * (1 - 1e-6)
            )
        high = radius + prior.width
        while over(high) < 0:
            high += high - shell.radius + prior.width
        return float(brentq(over, radius, high, rtol=1e-6)) * (1 + 1e-6)
