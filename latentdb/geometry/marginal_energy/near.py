"""Marginal energy from near neighbours alone, within an interval that certainly holds it.

What an index finds in one search is most of the sum; `latentdb.geometry.marginal_energy.rest` says
what the other rows can add to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp

from indexers.errors import DimensionError
from indexers.types import FloatArray
from latentdb.arrays import as_matrix
from latentdb.geometry.marginal_energy.corpus import EnergyCorpus
from latentdb.geometry.marginal_energy.exact import checked_own_rows
from latentdb.geometry.marginal_energy.mixture import MixtureSums, level_constants
from latentdb.geometry.marginal_energy.noise_prior import NoisePrior
from latentdb.geometry.marginal_energy.rest import CorpusMoments, KnownRows

# Coordinates of neighbours held at a time: 32 MB.
_ENTRIES: Final = 1 << 22
_FIELDS: Final = ("energy", "lower", "upper", "posterior")

Rows = NDArray[np.int64]


@final
@dataclass(frozen=True, eq=False)
class NearEnergies:
    """Energies of n queries, each within an interval.

    Parameters
    ----------
    energy : (n,) float64
        Estimate of E_marg in nats, within the interval.
    lower, upper : (n,) float64
        Certainly lower ≤ E_marg ≤ upper, as far as the radii are true.
    posterior : (n, n_levels) float64
        Estimate of p(t|u).
    """

    energy: FloatArray
    lower: FloatArray
    upper: FloatArray
    posterior: FloatArray

    @property
    def widths(self) -> FloatArray:
        """Nats between the bounds, (n,)."""
        return self.upper - self.lower

    def narrowed(self, queries: NDArray[np.intp], by: NearEnergies) -> NearEnergies:
        """These energies with those of some queries (m,) taken from `by` where it is narrower."""
        better = by.widths < self.widths[queries]
        parts = []
        for name in _FIELDS:
            values = getattr(self, name).copy()
            values[queries[better]] = getattr(by, name)[better]
            parts.append(values)
        return NearEnergies(*parts)


@final
class NearField:
    """Energies of queries whose nearest rows somebody else has found.

    Parameters
    ----------
    corpus : EnergyCorpus
        The stored vectors; rows are counted from 0.
    prior : NoisePrior
        Noise levels and their probabilities.
    """

    def __init__(self, corpus: EnergyCorpus, prior: NoisePrior) -> None:
        self._corpus = corpus
        self._prior = prior
        self._moments = CorpusMoments(corpus)

    def __len__(self) -> int:
        return len(self._corpus)

    @property
    def signals(self) -> FloatArray:
        """Share of the clean vector at each level, (n_levels,)."""
        return self._prior.signals

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._corpus.dim

    def energies(
        self,
        queries: ArrayLike,
        neighbours: Rows,
        radii: FloatArray,
        *,
        anchors: FloatArray | None = None,
        own_rows: ArrayLike | None = None,
    ) -> NearEnergies:
        """Energies from k known rows per query.

        Parameters
        ----------
        queries : (n, dim)
            Floating point. Not modified.
        neighbours : (n, k) int
            Distinct rows of the corpus, whichever a search found; −1 for none.
        radii : (n,)
            Plain Euclidean distance within which there is no other row: that of the k-th
            neighbour, less what the search rounds.
        anchors : (n,), optional
            Positive: the search was made at queries / anchors, from where the radii count; at the
            queries themselves where not given. The signal a of a query's likely level is best.
        own_rows : (n,) int, optional
            Row that each query is and that is left out, −1 for none. It may be among its
            neighbours or not.

        Raises
        ------
        DimensionError, DtypeError, NonFiniteError
            The arrays do not go together, or are not finite numbers.
        """
        asked = as_matrix(queries, name="queries of an energy", dim=self._corpus.dim)
        if neighbours.ndim != 2 or len(neighbours) != len(asked) or radii.shape != (len(asked),):
            raise DimensionError(
                f"expected neighbours (n, k) and radii (n,) of {len(asked)} queries, got shapes "
                f"{neighbours.shape} and {radii.shape}"
            )
        own = checked_own_rows(own_rows, n=len(asked), n_rows=len(self._corpus))
        # The own row is known to be there, and counts nothing.
        others = np.where(neighbours == own[:, None], -1, neighbours)
        rows = np.concatenate([others, own[:, None]], axis=1)
        search = np.stack([np.ones(len(asked)) if anchors is None else anchors, radii], axis=1)
        step = max(1, _ENTRIES // (rows.shape[1] * self._corpus.dim))
        starts = range(0, max(1, len(asked)), step)
        slices = [slice(start, start + step) for start in starts]
        return _joined(
            [self._block(asked[i].astype(np.float64), rows[i], search[i]) for i in slices]
        )

    def _block(self, queries: FloatArray, rows: Rows, search: FloatArray) -> NearEnergies:
        """Energies from known rows (n, k + 1), the last of which is left out."""
        known = KnownRows(
            dots=np.matmul(self._corpus.vectors[rows].astype(np.float64), queries[:, :, None])[
                :, :, 0
            ],
            squared_norms=self._corpus.squared_norms[rows],
            is_counted=rows >= 0,
            anchors=search[:, 0],
            radii=search[:, 1],
        )
        is_silent = ~known.is_counted
        is_silent[:, -1] = True
        sums = MixtureSums(
            prior=self._prior,
            constants=level_constants(self._prior, queries),
            dots=known.dots,
            squared_norms=known.squared_norms,
            left_out=np.where(is_silent, np.arange(rows.shape[1]), -1),
        )
        n_rows = len(self._corpus) - (rows[:, -1] >= 0.0)[:, None]
        constants = sums.constants - np.log(n_rows)
        of_known = sums.log_sums(np.full(len(rows), float(rows.shape[1])))
        rest = self._moments.log_rest(self._prior, queries, known)
        least, probable, most = (constants + np.logaddexp(of_known, one) for one in rest)
        energy = -logsumexp(probable, axis=1)
        return NearEnergies(
            energy=energy,
            lower=-logsumexp(most, axis=1),
            upper=-logsumexp(least, axis=1),
            posterior=np.exp(probable + energy[:, None]),
        )


def _joined(parts: list[NearEnergies]) -> NearEnergies:
    return NearEnergies(
        *(np.concatenate([getattr(one, name) for one in parts]) for name in _FIELDS)
    )
