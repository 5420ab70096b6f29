"""NAO, the norm-aware metric: geodesic length where a step at norm r costs −log p(r)."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple, final

import numpy as np
import numpy.typing as npt

from indexers.checks import check_real
from indexers.errors import DimensionError, MetricError, ParameterError, ZeroVectorError
from indexers.metric.abstract import AbstractMetric
from indexers.metric.angles import angle_matrix, unit_rows
from indexers.metric.polar import polar_length, polar_parts
from indexers.metric.priors import AbstractPrior, AbstractRadialPrior, ChiPrior, NoPrior
from indexers.types import FloatArray, MetricName

# Lengths grow as r³; beyond this they would leave float64. Any float32 vector is below.
LARGEST_NORM = 1e45


class NaoParts(NamedTuple):
    """The two parts of a NAO distance; their sum is the distance.

    `angular` is κ·θ, what the turn costs on the shell. `radial` is the rest: what being off the
    shell costs, R(r0) + R(r1) in the far field. It is negative where a near pair takes a shorter
    way than down to the shell.
    """

    angular: FloatArray
    radial: FloatArray


@final
class NaoMetric(AbstractMetric):
    """Length of the shortest path between two vectors, a unit of length at norm r costing w(r).

    f(x, y) = inf over paths γ of ∫ w(‖γ‖) ds, w = −log p, p a prior on the norm. Exact, in closed
    form where the path runs along the shell of likely norms, by Clairaut's invariant elsewhere
    (`indexers.metric.clairaut`); no path is discretised or optimised.

    Parameters
    ----------
    prior : ChiPrior, FittedPrior or NoPrior
        With `NoPrior` the distance is the angle in radians, and a zero vector raises
        `ZeroVectorError`. With the others a zero vector is an end like any other.

    Notes
    -----
    f(x, x) = 0, f(x, y) = f(y, x), f(x, z) ≤ f(x, y) + f(y, z); f depends on both norms and the
    angle between the vectors alone. At θ = 0 it is |∫ w dr| between the norms.

    References
    ----------
    Samuel et al., "Norm-guided latent space exploration for text-to-image generation", NeurIPS
    2023, arXiv 2306.08687 (the metric; its authors optimise a path of 50 points).

    Examples
    --------
    >>> metric = NaoMetric(ChiPrior(16384))
    >>> mode = metric.prior.mode
    >>> round(float(metric.from_polar(mode, mode, 1.5)), 6)
    109.888784
    """

    name: ClassVar[MetricName] = "nao"

    def __init__(self, prior: AbstractPrior) -> None:
        if not isinstance(prior, AbstractPrior):
            raise MetricError(
                f"expected ChiPrior, FittedPrior or NoPrior as the prior of NAO, got {prior!r}"
            )
        self.prior = prior

    def from_polar(
        self, r0: npt.ArrayLike, r1: npt.ArrayLike, angle_rad: npt.ArrayLike
    ) -> FloatArray:
        """Distance from two norms and the angle between.

        Parameters
        ----------
        r0, r1 : array_like
            Norms, ≥ 0. Not modified.
        angle_rad : array_like
            Angles in [0, π]. All three broadcast against each other.

        Returns
        -------
        float64 array of the broadcast shape (a scalar for three scalars)

        Raises
        ------
        NonFiniteError
            NaN or infinity in an input.
        ParameterError
            A negative norm, an angle outside [0, π].
        ZeroVectorError
            A norm of 0 without a prior.
        """
        norms0, norms1, angles = np.broadcast_arrays(
            check_real(r0, what="r0"),
            check_real(r1, what="r1"),
            check_real(angle_rad, what="angle_rad"),
        )
        largest = max(norms0.max(initial=0.0), norms1.max(initial=0.0))
        if min(norms0.min(initial=0.0), norms1.min(initial=0.0)) < 0 or largest > LARGEST_NORM:
            raise ParameterError(
                f"expected norms from 0 to {LARGEST_NORM:g}, got one outside; scale the vectors"
            )
        # π as float32 or a sum of angles may exceed float64's π by a rounding.
        if (angles < 0).any() or (angles > np.pi * (1 + 1e-7)).any():
            raise ParameterError("expected angles in radians in [0, pi], got one outside")
        self._refuse_zero(norms0, "r0")
        self._refuse_zero(norms1, "r1")
        lengths = self._length(norms0, norms1, np.minimum(angles, np.pi))
        scalar_or_array: FloatArray = lengths[()]
        return scalar_or_array

    def parts(self, x: npt.ArrayLike, Y: npt.ArrayLike) -> NaoParts:
        """Angular and radial part of the distances from one vector to every row of `Y`.

        Parameters
        ----------
        x : (dim,)
        Y : (n, dim)

        Returns
        -------
        NaoParts
            Two arrays (n,).
        """
        query = np.asarray(x)
        if query.ndim != 1:
            raise DimensionError(f"expected one vector of shape (dim,), got {query.shape}")
        distances = self.rows(query, Y)
        angles = _AngleMetric().rows(query, Y)
        return NaoParts(*polar_parts(self.prior, distances, angles))

    def settings(self) -> dict[str, Any]:
        """Name and prior."""
        return {"name": self.name, "prior": self.prior.settings()}

    def _block(self, left: FloatArray, right: FloatArray) -> FloatArray:
        if isinstance(self.prior, ChiPrior) and left.shape[1] != self.prior.dim:
            raise DimensionError(
                f"expected vectors of dimension {self.prior.dim}, the chi prior's, got "
                f"{left.shape[1]}; make a ChiPrior({left.shape[1]})"
            )
        allow_zero = isinstance(self.prior, AbstractRadialPrior)
        left_units, left_norms = unit_rows(left, what="X", allow_zero=allow_zero)
        right_units, right_norms = unit_rows(right, what="Y", allow_zero=allow_zero)
        if max(left_norms.max(initial=0.0), right_norms.max(initial=0.0)) > LARGEST_NORM:
            raise ParameterError(
                f"expected norms up to {LARGEST_NORM:g}, got a larger one; scale the vectors"
            )
        angles = angle_matrix(left_units, right_units)
        return self._length(left_norms[:, None], right_norms[None, :], angles)

    def _length(self, r0: FloatArray, r1: FloatArray, angles: FloatArray) -> FloatArray:
        if isinstance(self.prior, AbstractRadialPrior):
            return polar_length(self.prior, r0, r1, angles)
        return np.asarray(angles, np.float64).copy()

    def _refuse_zero(self, norms: FloatArray, what: str) -> None:
        if isinstance(self.prior, NoPrior) and (norms == 0).any():
            raise ZeroVectorError(
                f"expected {what} above 0, got 0: a zero vector has no angle; leave it out, "
                "or use a chi or fitted prior"
            )


@final
class _AngleMetric(AbstractMetric):
    """The angle, for the parts; a zero vector is at angle 0 from everything."""

    name: ClassVar[MetricName] = "nao"

    def _block(self, left: FloatArray, right: FloatArray) -> FloatArray:
        left_units, left_norms = unit_rows(left, what="X", allow_zero=True)
        right_units, right_norms = unit_rows(right, what="Y", allow_zero=True)
        angles = angle_matrix(left_units, right_units)
        is_direction = (left_norms > 0)[:, None] & (right_norms > 0)[None, :]
        return np.where(is_direction, angles, 0.0)
