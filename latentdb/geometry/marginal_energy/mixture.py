"""log Σ_i exp(…) at every noise level that matters, from one table of inner products.

With s_i = u·x_i and m_i = ‖x_i‖², ‖u − a·x_i‖² = ‖u‖² − 2a·s_i + a²·m_i: the exponents of all
levels are linear in two numbers per row, and no level costs another matrix product. And
f(a) = max_i (s_i − a·m_i/2) is convex in a, a largest of lines. Between two levels where it was
computed, f therefore lies below the chord and above the two lines that were largest there. That
tells from a few levels which of hundreds can weigh in at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from indexers.types import FloatArray
from latentdb.geometry.marginal_energy.noise_prior import NoisePrior

# Levels below e^−45 of the likeliest change nothing in float64.
_CUT: Final = 45.0
_KNOTS: Final = 17
_LEAST: Final = np.finfo(np.float64).min
# Of exponents at a time: 256 KB.
_ENTRIES: Final = 1 << 15


@final
@dataclass(frozen=True, eq=False)
class MixtureSums:
    """Sums over rows of some queries, at every level of a prior.

    Parameters
    ----------
    prior : NoisePrior
    constants : (n, n_levels)
        What a level's log likelihood has besides its sum; see `level_constants`.
    dots : (n, m)
        u·x_i.
    squared_norms : (m,) or (n, m)
        ‖x_i‖².
    left_out : (n, w)
        Columns that are left out of each query's sums; −1 for none.
    """

    prior: NoisePrior
    constants: FloatArray
    dots: FloatArray
    squared_norms: FloatArray
    left_out: NDArray[np.intp]

    def log_sums(self, n_rows: FloatArray) -> FloatArray:
        """Log Σ_i exp((a·s_i − a²m_i/2)/b²), (n, n_levels); −inf where a level cannot matter.

        Parameters
        ----------
        n_rows : (n,)
            How many rows each query's sum is over.
        """
        sums = np.full((len(self.dots), len(self.prior.levels)), -np.inf)
        is_active = self._active(n_rows)
        for level, rows in self.parts(is_active):
            exponents = self.exponents(level, rows)
            # Of a query with every row left out, the sum is 0.
            top = np.maximum(exponents.max(axis=1, keepdims=True), _LEAST)
            np.subtract(exponents, top, out=exponents)
            np.exp(exponents, out=exponents)
            with np.errstate(divide="ignore"):
                sums[rows, level] = np.log(exponents.sum(axis=1)) + top[:, 0]
        return sums

    def parts(self, is_wanted: NDArray[np.bool_]) -> Iterator[tuple[int, NDArray[np.intp]]]:
        """Levels with queries that want them, few enough at a time for the processor's cache.

        Parameters
        ----------
        is_wanted : (n, n_levels)
        """
        for rows in self._few_at_a_time():
            for level in np.flatnonzero(is_wanted[rows].any(axis=0)):
                yield int(level), rows[is_wanted[rows, level]]

    def _few_at_a_time(self) -> Iterator[NDArray[np.intp]]:
        step = max(1, _ENTRIES // self.dots.shape[1])
        every = np.arange(len(self.dots))
        yield from (every[start : start + step] for start in range(0, len(every), step))

    def exponents(self, level: int, rows: NDArray[np.intp]) -> FloatArray:
        """(a·s_i − a²m_i/2)/b² of some queries at a level; −inf for rows left out."""
        a, b = self.prior.levels[level].signal, self.prior.levels[level].sigma
        found = self.dots[rows]
        found *= a / b**2
        found -= self._norms_of(rows) * (a * a / (2 * b * b))
        self._leave_out(found, rows)
        return found

    def _leave_out(self, table: FloatArray, rows: NDArray[np.intp]) -> None:
        columns = self.left_out[rows]
        at, which = np.nonzero(columns >= 0)
        table[at, columns[at, which]] = -np.inf

    def _norms_of(self, rows: NDArray[np.intp]) -> FloatArray:
        return self.squared_norms if self.squared_norms.ndim == 1 else self.squared_norms[rows]

    def _active(self, n_rows: FloatArray) -> NDArray[np.bool_]:
        """Whether a level can hold more than e^−45 of a query's likelihood, (n, n_levels)."""
        a, b = self.prior.signals, self.prior.sigmas
        knots, offsets, slopes = self._knots()
        left = np.clip(np.searchsorted(knots, a, side="right") - 1, 0, max(0, len(knots) - 2))
        right = np.minimum(left + 1, len(knots) - 1)
        gap = np.where(right > left, knots[right] - knots[left], 1.0)
        share = (a - knots[left]) / gap
        height = offsets - knots * slopes
        chord = (1 - share) * height[:, left] + share * height[:, right]
        line = np.maximum(
            offsets[:, left] - a * slopes[:, left], offsets[:, right] - a * slopes[:, right]
        )
        # A mean of exponentials is at most the largest of them, and at least that over n.
        most = self.constants + a / b**2 * chord
        least = self.constants + a / b**2 * line - np.log(n_rows)[:, None]
        is_active: NDArray[np.bool_] = most >= least.max(axis=1, keepdims=True) - _CUT
        return is_active

    def _knots(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Signals (k,), rising, with the s_i and m_i/2 (n, k) of the row that is largest there."""
        signals = np.unique(self.prior.signals)
        places = np.unique(np.linspace(0, len(signals) - 1, _KNOTS).round().astype(np.intp))
        offsets, slopes = (np.empty((len(self.dots), len(places))) for _ in range(2))
        for rows in self._few_at_a_time():
            dots, norms = self.dots[rows], np.atleast_2d(self._norms_of(rows)) / 2
            for at, signal in enumerate(signals[places]):
                lines = dots - signal * norms
                self._leave_out(lines, rows)
                largest = lines.argmax(axis=1)[:, None]
                offsets[rows, at] = np.take_along_axis(dots, largest, axis=1)[:, 0]
                slopes[rows, at] = np.take_along_axis(
                    np.broadcast_to(norms, dots.shape), largest, axis=1
                )[:, 0]
        return signals[places], offsets, slopes


def level_constants(prior: NoisePrior, queries: FloatArray) -> FloatArray:
    """Log p(t) − ‖u‖²/(2b²) − (dim/2)·log(2πb²), (n, n_levels), of queries (n, dim)."""
    variances = prior.sigmas**2
    squared = (queries * queries).sum(axis=1, keepdims=True)
    volume = queries.shape[1] / 2 * np.log(2 * np.pi * variances)
    constants: FloatArray = np.log(prior.weights) - volume - squared / (2 * variances)
    return constants
