"""What every metric can do: distances between arrays of vectors, in float64."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from indexers.checks import check_real, row_blocks
from indexers.errors import DimensionError
from indexers.types import FloatArray, MetricName


class AbstractMetric(ABC):
    """A distance between vectors of one space; lower is nearer.

    Subclasses implement `_block`, the distances between two small float64 blocks; everything
    else (shapes, finiteness, blocking) is done here, once. A metric holds no vectors.
    """

    name: ClassVar[MetricName]

    def distance(self, x: npt.ArrayLike, y: npt.ArrayLike) -> np.float64:
        """Distance between two vectors.

        Parameters
        ----------
        x, y : (dim,)
            Any real dtype; computed in float64. Not modified.

        Raises
        ------
        DimensionError, NonFiniteError, ZeroVectorError
        """
        first, second = np.asarray(x), np.asarray(y)
        if first.ndim != 1 or first.shape != second.shape:
            raise DimensionError(
                f"expected two vectors of one shape (dim,), got {first.shape} and {second.shape}; "
                "use pairwise for arrays of vectors"
            )
        return np.float64(self.pairwise(first[None, :], second[None, :])[0, 0])

    def pairwise(self, X: npt.ArrayLike, Y: npt.ArrayLike) -> FloatArray:
        """Distances between every row of `X` and every row of `Y`.

        Memory beyond the answer is a few blocks of about 32 MB, whatever `n`, `m` and `dim`.

        Parameters
        ----------
        X : (n, dim)
        Y : (m, dim)
            Any real dtype; computed in float64. Not modified.

        Returns
        -------
        (n, m) float64

        Raises
        ------
        DimensionError, NonFiniteError, ZeroVectorError
        """
        left, right = np.asarray(X), np.asarray(Y)
        self._check_shapes(left, right)
        result = np.empty((len(left), len(right)))
        for columns in row_blocks(*right.shape):
            block = check_real(right[columns], what="Y")
            for rows in row_blocks(*left.shape):
                result[rows, columns] = self._block(check_real(left[rows], what="X"), block)
        return result

    def rows(self, query: npt.ArrayLike, vectors: npt.ArrayLike) -> FloatArray:
        """Distances between one query (dim,) and every row of `vectors` (n, dim), as (n,)."""
        single = np.asarray(query)
        if single.ndim != 1:
            raise DimensionError(f"expected one query of shape (dim,), got {single.shape}")
        distances: FloatArray = self.pairwise(single[None, :], vectors)[0]
        return distances

    def settings(self) -> dict[str, Any]:
        """What `metric_from_settings` needs to build this metric again, as JSON values."""
        return {"name": self.name}

    @abstractmethod
    def _block(self, left: FloatArray, right: FloatArray) -> FloatArray:
        """Distances (n, m) between two finite float64 blocks of the same width."""

    def _check_shapes(self, left: npt.NDArray[Any], right: npt.NDArray[Any]) -> None:
        if left.ndim != 2 or right.ndim != 2 or left.shape[1] != right.shape[1]:
            raise DimensionError(
                f"expected X (n, dim) and Y (m, dim), got shapes {left.shape} and {right.shape}"
            )
