"""Marginal energy of stored vectors: how unlikely a vector is when its noise level is not told.

E_marg(u) = −log ∫ p(u|t) p(t) dt with p(u|t) = (1/n) Σ_i N(u; a_t·x_i, b_t²·I) over n stored
vectors: the energy whose gradient a noise-blind model follows. It is low where u looks like a
stored vector with noise of some level, and −E_marg is a density estimate that takes every
bandwidth at once, each weighed by how well it explains u.

References
----------
"The Geometry of Noise", 2026, arXiv 2602.18428, section 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp

from indexers.errors import DimensionError, ParameterError
from indexers.types import FloatArray
from latentdb.affine import Level
from latentdb.arrays import as_matrix
from latentdb.geometry.marginal_energy.corpus import EnergyCorpus
from latentdb.geometry.marginal_energy.mixture import MixtureSums, level_constants
from latentdb.geometry.marginal_energy.noise_prior import NoisePrior

# Inner products held at a time: 64 MB of them, unless one query has more.
_ENTRIES: Final = 1 << 23
_MOST_QUERIES: Final = 512


@final
@dataclass(frozen=True, eq=False)
class Energies:
    """Energies of n queries.

    Parameters
    ----------
    energy : (n,) float64
        E_marg in nats. A density in dim coordinates: −∞ < E_marg < ∞.
    posterior : (n, n_levels) float64
        p(t|u): which noise level each query seems to be at.
    gradient : (n, dim) float64, optional
        ∇E_marg = E_{t|u}[(u − a·D_t(u))/b²], where it was asked for.
    """

    energy: FloatArray
    posterior: FloatArray
    gradient: FloatArray | None = None


def marginal_energy(
    queries: ArrayLike,
    corpus: EnergyCorpus,
    prior: NoisePrior,
    *,
    own_rows: ArrayLike | None = None,
    with_gradient: bool = False,
) -> Energies:
    """E_marg, p(t|u) and, when asked for, ∇E_marg of every query, exactly.

    One matrix product of n_queries × n × dim, and as much again for the gradient. Memory beyond
    the answer is bounded: 200 MB, or some float64 per stored row.

    Parameters
    ----------
    queries : (n, dim)
        Floating point. Not modified.
    corpus : EnergyCorpus
        The stored vectors.
    prior : NoisePrior
        Noise levels and their probabilities.
    own_rows : (n,) int, optional
        Row of the corpus that each query is, −1 for none: that row is left out (leave one out),
        or else every stored vector would be its own nearest neighbour.
    with_gradient : bool
        Whether to compute the gradient.

    Raises
    ------
    DimensionError, DtypeError, NonFiniteError
        `queries` is not (n, dim) of finite floating-point numbers.
    ParameterError
        `own_rows` names no row, or leaves none.
    """
    asked = as_matrix(queries, name="queries of an energy", dim=corpus.dim)
    own = checked_own_rows(own_rows, n=len(asked), n_rows=len(corpus))
    energy = np.empty(len(asked))
    posterior = np.empty((len(asked), len(prior.levels)))
    gradient = np.empty(asked.shape) if with_gradient else None
    for block in _blocks(len(asked), len(corpus)):
        exact = asked[block].astype(np.float64)
        sums = _sums_of(exact, corpus, prior, own[block])
        n_rows = len(corpus) - (own[block] >= 0).astype(np.float64)
        log_sums = sums.log_sums(n_rows)
        joint = sums.constants + log_sums - np.log(n_rows)[:, None]
        energy[block] = -logsumexp(joint, axis=1)
        posterior[block] = np.exp(joint + energy[block, None])
        if gradient is not None:
            pull = _pull(sums, log_sums, posterior[block])
            gradient[block] = exact * (posterior[block] / prior.sigmas**2).sum(axis=1)[:, None]
            gradient[block] -= corpus.weighted_sums(pull)
    return Energies(energy, posterior, gradient)


def denoised(
    queries: ArrayLike,
    corpus: EnergyCorpus,
    level: Level,
    *,
    own_rows: ArrayLike | None = None,
) -> FloatArray:
    """D_t(u) = E[x|u, t], (n, dim): the stored vectors averaged by how well each explains u.

    Parameters and errors are those of `marginal_energy`, at one level with noise.
    """
    asked = as_matrix(queries, name="queries of a denoiser", dim=corpus.dim)
    own = checked_own_rows(own_rows, n=len(asked), n_rows=len(corpus))
    prior = NoisePrior.of((level,))
    means = np.empty(asked.shape)
    for block in _blocks(len(asked), len(corpus)):
        sums = _sums_of(asked[block].astype(np.float64), corpus, prior, own[block])
        exponents = sums.exponents(0, np.arange(len(sums.dots)))
        exponents -= exponents.max(axis=1, keepdims=True)
        shares = np.exp(exponents)
        means[block] = corpus.weighted_sums(shares / shares.sum(axis=1, keepdims=True))
    return means


def checked_own_rows(own_rows: ArrayLike | None, *, n: int, n_rows: int) -> NDArray[np.intp]:
    """`own_rows` as indices (n,), −1 for none.

    Raises
    ------
    DimensionError
        Not one per query.
    ParameterError
        A row that is not there, or the only one.
    """
    if own_rows is None:
        return np.full(n, -1, dtype=np.intp)
    own = np.asarray(own_rows)
    if own.shape != (n,) or not np.issubdtype(own.dtype, np.integer):
        raise DimensionError(
            f"own_rows: expected one row number per query, ({n},), got {own.dtype} {own.shape}"
        )
    if n and (own.min() < -1 or own.max() >= n_rows):
        raise ParameterError(
            f"own_rows: expected rows 0 to {n_rows - 1}, or −1 for none, got {own.min()} to "
            f"{own.max()}"
        )
    if n_rows == 1 and (own >= 0).any():
        raise ParameterError("the only stored vector has no others to be compared with")
    return own.astype(np.intp)


def _blocks(n: int, n_rows: int) -> Iterator[slice]:
    step = min(_MOST_QUERIES, max(1, _ENTRIES // n_rows))
    yield from (slice(start, start + step) for start in range(0, n, step))


def _sums_of(
    queries: FloatArray, corpus: EnergyCorpus, prior: NoisePrior, own: NDArray[np.intp]
) -> MixtureSums:
    return MixtureSums(
        prior=prior,
        constants=level_constants(prior, queries),
        dots=corpus.dots(queries),
        squared_norms=corpus.squared_norms,
        left_out=own[:, None],
    )


def _pull(sums: MixtureSums, log_sums: FloatArray, posterior: FloatArray) -> FloatArray:
    """Σ_t p(t|u)·(a/b²)·p(x_i|u, t) of every row, (n, n_rows): one weight for all levels."""
    pull = np.zeros(sums.dots.shape)
    for level, rows in sums.parts(posterior > 0):
        a, b = sums.prior.levels[level].signal, sums.prior.levels[level].sigma
        if a > 0:
            weight = np.log(posterior[rows, level] * a / b**2) - log_sums[rows, level]
            exponents = sums.exponents(level, rows)
            exponents += weight[:, None]
            pull[rows] += np.exp(exponents, out=exponents)
    return pull
