"""The stored vectors that a marginal energy is a mixture over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, final

import numpy as np
from numpy.typing import ArrayLike

from indexers.errors import ParameterError
from indexers.types import FloatArray
from latentdb.arrays import RealArray, as_matrix

# Rows that are turned into float64 at a time: 32 MB of them at 1,024 dimensions.
_ROWS: Final = 4096


@final
class EnergyCorpus:
    """Vectors x_i, kept as they came, with their squared norms in float64.

    Parameters
    ----------
    vectors : (n, dim)
        Floating point, at least one row. Not modified, and not copied.

    Raises
    ------
    DimensionError, DtypeError, NonFiniteError
        Not a finite floating-point matrix.
    ParameterError
        No row.
    """

    def __init__(self, vectors: ArrayLike) -> None:
        self.vectors: RealArray = as_matrix(vectors, name="vectors of an energy")
        if not len(self.vectors):
            raise ParameterError("an energy is over at least one stored vector; got none")
        self.squared_norms: FloatArray = np.concatenate(
            [(rows * rows).sum(axis=1) for rows in self._blocks()]
        )

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self.vectors.shape[1])

    def dots(self, queries: FloatArray) -> FloatArray:
        """u·x_i of every query and row, (n_queries, n)."""
        found = np.empty((len(queries), len(self)))
        start = 0
        for rows in self._blocks():
            np.matmul(queries, rows.T, out=found[:, start : start + len(rows)])
            start += len(rows)
        return found

    def weighted_sums(self, weights: FloatArray) -> FloatArray:
        """Σ_i w_i·x_i of every row of weights (n_queries, n), as (n_queries, dim)."""
        sums = np.zeros((len(weights), self.dim))
        start = 0
        for rows in self._blocks():
            sums += weights[:, start : start + len(rows)] @ rows
            start += len(rows)
        return sums

    def mean(self) -> FloatArray:
        """Mean vector, (dim,)."""
        total: FloatArray = sum((rows.sum(axis=0) for rows in self._blocks()), np.zeros(self.dim))
        return total / len(self)

    def covariances(self, mean: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Covariance of the vectors, (dim, dim), and theirs with the squared norms, (dim,)."""
        norms = self.squared_norms - self.squared_norms.mean()
        own, with_norms = np.zeros((self.dim, self.dim)), np.zeros(self.dim)
        start = 0
        for rows in self._blocks():
            centred = rows - mean
            own += centred.T @ centred
            with_norms += norms[start : start + len(rows)] @ centred
            start += len(rows)
        return own / len(self), with_norms / len(self)

    def _blocks(self) -> Iterator[FloatArray]:
        """Some rows at a time, in float64."""
        for start in range(0, len(self), _ROWS):
            yield self.vectors[start : start + _ROWS].astype(np.float64, copy=False)
