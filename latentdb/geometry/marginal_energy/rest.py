"""What the rows that a search did not return can add to a marginal energy, from two sides.

Of a row that is left out, only this is known: it lies at least `radius` from u/α, where the search
was made (α = 1 is the query itself), and it belongs to a corpus whose mean, covariance and norms
are known. Its exponent at a level,

    e_i = (a/b²)·z_i,  z_i = u·x_i − a·r_i²/2 with r_i = ‖x_i‖,

is bounded through ‖u/α − x_i‖² ≥ radius² and Cauchy–Schwarz:

    z_i ≤ min[(‖u‖²/α − α·radius²)/2 + (α − a)·r_i²/2, ‖u‖·r_i − a·r_i²/2],

which is taken for strata of the corpus by norm, each at its worst norm; the largest of those that
hold a row that is left out is the `cap`. At α = 1 the first is ‖u − a·x‖² = a‖u − x‖² +
(1 − a)‖u‖² − a(1 − a)‖x‖² in other words; at the level with a = α the norm drops out of it, since
‖u − a·x‖ = a‖u/a − x‖: a search at u divided by the signal of its likely level bounds best.

The mean μ and the variance v of the exponents over all left-out rows are exact: those of the corpus
less those of the rows that are known. So, with β = cap − μ in units of exponents:

- from below, Jensen: mean exp(e) ≥ exp(μ);
- from above, the sum of all strata at their bounds, or Bennett, whichever is less: no
  distribution of mean μ, variance v and largest value μ + β has a larger mean of exp(e) than the
  one on the two points μ + β and μ − v/β, which gives
  exp(μ)·[p·exp(β) + (1 − p)·exp(−v/β)] with p = v/(v + β²). Without a covariance, v is at most
  β·(μ − floor) (Bhatia and Davis), where z_i ≥ floor by Cauchy–Schwarz.

References
----------
Bennett, "Probability inequalities for the sum of independent random variables", JASA 1962.
Bhatia and Davis, "A better bound on the variance", American Mathematical Monthly 2000.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from indexers.types import FloatArray
from latentdb.geometry.marginal_energy.corpus import EnergyCorpus
from latentdb.geometry.marginal_energy.noise_prior import NoisePrior

# A covariance of so many dimensions takes 128 MB; beyond, the floor stands in for it.
_MOST_DIMENSIONS: Final = 4096
_STRATA: Final = 32
# Of float64 sums that cancel: what is added to a variance so that rounding cannot make it less.
_ROUNDING: Final = 1e-11


@final
@dataclass(frozen=True, eq=False)
class KnownRows:
    """The rows that a search returned for n queries, and what is left out.

    Parameters
    ----------
    dots, squared_norms : (n, k) float64
        u·x_i and ‖x_i‖² of the rows that are known; of a row that is not counted, anything.
    is_counted : (n, k) bool
        False for padding.
    anchors, radii : (n,) float64
        α and radius: every row that is not among the known ones lies at least as far from u/α.
    """

    dots: FloatArray
    squared_norms: FloatArray
    is_counted: NDArray[np.bool_]
    anchors: FloatArray
    radii: FloatArray


@final
class NormStrata:
    """Rows of a corpus grouped by their norms.

    Parameters
    ----------
    squared_norms : (n,)
        Of all rows.

    Attributes
    ----------
    lowest, highest : (n_strata,)
        Norms, rising; strata do not overlap.
    counts : (n_strata,) int
        Rows in each.
    """

    def __init__(self, squared_norms: FloatArray) -> None:
        norms = np.sort(squared_norms)
        ends = np.unique(norms[np.linspace(0, len(norms) - 1, _STRATA + 1).astype(np.intp)[1:]])
        last = np.searchsorted(norms, ends, side="right")
        self._ends = ends
        self.counts = np.diff(last, prepend=0)
        self.lowest = np.sqrt(norms[np.concatenate([[0], last[:-1]])])
        self.highest = np.sqrt(ends)

    def bounds(
        self, prior: NoisePrior, squared: FloatArray, known: KnownRows
    ) -> tuple[FloatArray, FloatArray]:
        """Of rows left out: the most that any z_i is, and the most that log Σ exp(e_i) is.

        Parameters
        ----------
        prior : NoisePrior
        squared : (n,)
            ‖u‖² of the queries.
        known : KnownRows

        Returns
        -------
        cap, log_most : (n, n_levels)
            −inf where no row is left out.
        """
        n_left = self._left_out(known)
        scale = prior.signals / prior.sigmas**2
        cap = np.full((len(squared), len(scale)), -np.inf)
        bounds = []
        for stratum in range(len(self.counts)):
            bounds.append(self._bound(stratum, prior.signals, squared, known))
            np.maximum(cap, bounds[-1], out=cap, where=n_left[:, stratum, None] > 0)
        total = np.zeros(cap.shape)
        shift = np.where(np.isfinite(cap), cap, 0.0)
        for stratum, bound in enumerate(bounds):
            # At most the cap wherever a row is left out at all.
            total += n_left[:, stratum, None] * np.exp(scale * np.minimum(bound - shift, 0.0))
        with np.errstate(divide="ignore"):
            return cap, np.log(total) + scale * shift

    def _bound(
        self, stratum: int, a: FloatArray, squared: FloatArray, known: KnownRows
    ) -> FloatArray:
        """The most that z can be for a norm within the stratum, (n, n_levels)."""
        low, high = self.lowest[stratum], self.highest[stratum]
        anchors = known.anchors[:, None]
        nearest = (squared[:, None] / anchors - anchors * known.radii[:, None] ** 2) / 2
        rising = anchors - a
        by_distance = nearest + rising / 2 * np.where(rising > 0, high, low) ** 2
        # By Cauchy–Schwarz it is largest where a·x could be u itself.
        norm = np.sqrt(squared)[:, None]
        with np.errstate(divide="ignore"):
            worst = np.clip(norm / a, low, high)
        bound: FloatArray = np.minimum(by_distance, norm * worst - a / 2 * worst**2)
        return bound

    def _left_out(self, known: KnownRows) -> NDArray[np.int64]:
        """Rows of each stratum that are not known, (n, n_strata)."""
        stratum = np.searchsorted(self._ends, known.squared_norms)
        n_left = np.tile(self.counts.astype(np.int64), (len(stratum), 1))
        query, column = np.nonzero(known.is_counted)
        np.subtract.at(n_left, (query, stratum[query, column]), 1)
        return n_left


@final
class CorpusMoments:
    """Mean, covariance and norms of a corpus: what bounds the rows that a search leaves out.

    One pass over the rows, and dim² float64 of memory up to 4,096 dimensions.

    Parameters
    ----------
    corpus : EnergyCorpus
    """

    def __init__(self, corpus: EnergyCorpus) -> None:
        self._n = len(corpus)
        self._norm_mean = float(corpus.squared_norms.mean())
        self._norm_variance = float(corpus.squared_norms.var())
        self._strata = NormStrata(corpus.squared_norms)
        self._mean = corpus.mean()
        has_covariance = corpus.dim <= _MOST_DIMENSIONS
        self._covariance = corpus.covariances(self._mean) if has_covariance else None

    def log_rest(
        self, prior: NoisePrior, queries: FloatArray, known: KnownRows
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Log Σ exp(e_i) over the rows left out, (n, n_levels): at least, probably, at most.

        −inf where no row is left out. What is probable is exp(μ)·(1 + v/2), within the bounds.
        """
        a, scale = prior.signals, prior.signals / prior.sigmas**2
        n_left = (self._n - known.is_counted.sum(axis=1))[:, None]
        squared = (queries * queries).sum(axis=1)
        mean, variance = self._left_out(queries, known, a)
        cap, log_strata = self._strata.bounds(prior, squared, known)
        above = np.maximum(cap - mean, 0.0)
        longest = self._strata.highest[-1]
        floor = -np.sqrt(squared)[:, None] * longest - a / 2 * longest**2
        variance = np.minimum(variance, above * np.maximum(mean - floor, 0.0))
        with np.errstate(divide="ignore"):
            least = np.log(n_left) + scale * mean
        most = np.minimum(least + _bennett(scale**2 * variance, scale * above), log_strata)
        return least, np.minimum(least + np.log1p(scale**2 * variance / 2), most), most

    def _left_out(
        self, queries: FloatArray, known: KnownRows, a: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Mean and variance of z over the rows left out, (n, n_levels); infinity if not known."""
        share = np.maximum(self._n - known.is_counted.sum(axis=1), 1)[:, None]
        centre = (queries @ self._mean)[:, None]
        dots = np.where(known.is_counted, known.dots - centre, 0.0)
        norms = np.where(known.is_counted, known.squared_norms - self._norm_mean, 0.0)
        # What the known rows have above the mean of all, the others have below it.
        shift = -(dots.sum(axis=1)[:, None] - a / 2 * norms.sum(axis=1)[:, None]) / share
        mean = centre - a / 2 * self._norm_mean + shift
        if self._covariance is None:
            return mean, np.full(mean.shape, np.inf)
        total = self._squares(queries, a)
        rest = np.maximum(total - _squares_of(dots, norms, a), 0.0) / share - shift**2
        rounding = _ROUNDING * (total / share + shift**2)
        return mean, np.maximum(rest + rounding, 0.0)

    def _squares(self, queries: FloatArray, a: FloatArray) -> FloatArray:
        """Σ (z_i − z̄)² over all rows of the corpus, (n, n_levels)."""
        assert self._covariance is not None
        own, with_norms = self._covariance
        quadratic = ((queries @ own) * queries).sum(axis=1)[:, None]
        linear = (queries @ with_norms)[:, None]
        total: FloatArray = self._n * (quadratic - a * linear + a**2 / 4 * self._norm_variance)
        return total


def _squares_of(dots: FloatArray, norms: FloatArray, a: FloatArray) -> FloatArray:
    """Σ (dot − a·norm/2)² over known rows (n, k), (n, n_levels)."""
    own = (dots * dots).sum(axis=1)[:, None]
    mixed = (dots * norms).sum(axis=1)[:, None]
    total: FloatArray = own - a * mixed + a**2 / 4 * (norms * norms).sum(axis=1)[:, None]
    return total


def _bennett(variance: FloatArray, beta: FloatArray) -> FloatArray:
    """Log of the largest mean of exp(e − μ) with that variance and e − μ ≤ beta."""
    safe = np.maximum(beta, 1e-100)  # whose square is still a number
    share = variance / (variance + safe**2)
    with np.errstate(divide="ignore"):
        log: FloatArray = np.logaddexp(np.log(share) + beta, np.log1p(-share) - variance / safe)
    return log
