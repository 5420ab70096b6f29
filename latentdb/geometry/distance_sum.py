"""The weighted sum of NAO distances to some seeds, with its gradient: what a median minimises."""

from __future__ import annotations

from typing import NamedTuple, final

import numpy as np

from indexers.metric.angles import angle_matrix, unit_rows
from indexers.metric.polar import polar_length, polar_slopes
from indexers.metric.priors import AbstractPrior, AbstractRadialPrior
from indexers.types import BoolArray, FloatArray, IdArray

# Nearer than this in direction a seed's pull has none.
_SAME_DIRECTION = 1e-14


class _Terms(NamedTuple):
    """Distances to the seeds, and their slopes by the point's norm and by the angle, all (n,)."""

    length: FloatArray
    by_radius: FloatArray
    by_angle: FloatArray


@final
class DistanceSum:
    """F(c) = Σ wᵢ·f(c, xᵢ), and −log p(‖c‖) with it if wanted.

    The gradient is exact: ∂f/∂θ is Clairaut's invariant b, and ∂f/∂r = ±√(w² − b²/r²).

    Parameters
    ----------
    prior : AbstractPrior
        Without a density (`NoPrior`) f is the angle, and F does not depend on ‖c‖.
    seeds : (n, k)
        In any orthonormal coordinates. Not modified.
    weights : (n,)
        Positive.
    with_likelihood : bool
        Add −log p(‖c‖), for a prior with a density.
    """

    def __init__(
        self,
        prior: AbstractPrior,
        seeds: FloatArray,
        weights: FloatArray,
        *,
        with_likelihood: bool = False,
    ) -> None:
        self.seeds = seeds
        self.weights = weights
        self._prior = prior if isinstance(prior, AbstractRadialPrior) else None
        self._with_likelihood = with_likelihood and self._prior is not None
        self.units, self.norms = unit_rows(seeds, what="vectors", allow_zero=True)

    def __call__(self, point: FloatArray) -> tuple[float, FloatArray]:
        """F and its gradient (k,) at a point (k,) other than a seed."""
        value, gradient, _ = self._at(point, np.ones(len(self.weights), np.bool_))
        return value, gradient

    def at_seeds(self, numbers: IdArray) -> FloatArray:
        """F at the seeds of these numbers (m,)."""
        angles = angle_matrix(self.units[numbers], self.units)
        angles[:, self.norms == 0] = angles[self.norms[numbers] == 0] = 0.0
        if self._prior is None:
            return angles @ self.weights
        here = self.norms[numbers]
        sums = polar_length(self._prior, here[:, None], self.norms, angles) @ self.weights
        return sums + self._prior.cost(here) if self._with_likelihood else sums

    def holds_at_seed(self, number: int) -> tuple[bool, FloatArray]:
        """Whether F has a local minimum at a seed, and the other seeds' gradient there (k,).

        A seed pulls towards itself with its weight times the cost of a unit of length, whatever
        the direction: F has a local minimum there just if the others together pull no harder
        (Vardi and Zhang's condition; it needs no flat space, for the metric is conformal).
        """
        point = self.seeds[number]
        angles = self._angles(point / max(self.norms[number], np.finfo(float).tiny))
        is_other = (angles > 0.0) | (self.norms != self.norms[number])
        _, gradient, cost = self._at(point, is_other)
        own_pull = float(self.weights[~is_other].sum()) * cost
        return bool(np.linalg.norm(gradient) <= own_pull), gradient

    def _at(self, point: FloatArray, chosen: BoolArray) -> tuple[float, FloatArray, float]:
        """F and its gradient over the chosen seeds, and the cost of a unit of length here."""
        radius = max(float(np.linalg.norm(point)), np.finfo(float).tiny)
        here = point / radius
        weights, units = self.weights[chosen], self.units[chosen]
        angles = self._angles(here)[chosen]
        terms = self._terms(radius, self.norms[chosen], angles)
        value, outward = float(weights @ terms.length), float(weights @ terms.by_radius)
        cost = 1.0 / radius
        if self._prior is not None:
            at = np.array(radius)
            cost = float(self._prior.cost(at))
            if self._with_likelihood:
                value, outward = value + cost, outward + float(self._prior.slope(at))
        sines = np.sin(angles)
        has_side = sines > _SAME_DIRECTION
        pull = weights * np.where(has_side, terms.by_angle / np.where(has_side, sines, 1.0), 0.0)
        # ∂θᵢ/∂c = −tᵢ/r, tᵢ the unit tangent from c towards the seed.
        sideways = pull @ units
        sideways -= (sideways @ here) * here
        return value, outward * here - sideways / radius, cost

    def _angles(self, here: FloatArray) -> FloatArray:
        angles: FloatArray = angle_matrix(here[None, :], self.units)[0]
        return np.where(self.norms > 0, angles, 0.0)

    def _terms(self, radius: float, norms: FloatArray, angles: FloatArray) -> _Terms:
        if self._prior is None:
            return _Terms(angles, np.zeros_like(angles), np.ones_like(angles))
        return _Terms(*polar_slopes(self._prior, np.full_like(norms, radius), norms, angles))
