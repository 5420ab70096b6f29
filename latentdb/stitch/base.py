"""What every way of fitting a map has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

from numpy.typing import ArrayLike

from latentdb.arrays import FloatArray, as_matrix


class AbstractStitcher(ABC):
    """An estimator of y ≈ ȳ + W(x − x̄) in scikit-learn's grammar.

    Attributes
    ----------
    coef_ : (target_dim, source_dim) float64
        W.
    source_mean_ : (source_dim,) float64
        x̄, over the rows fitted on.
    target_mean_ : (target_dim,) float64
        ȳ.
    regularisation_ : float
        Strength chosen in `fit`, in the method's own unit; 0 where it has none.
    """

    coef_: FloatArray
    source_mean_: FloatArray
    target_mean_: FloatArray
    regularisation_: float

    @abstractmethod
    def fit(self, X: ArrayLike, Y: ArrayLike) -> Self:
        """Learn the map from rows X (n, source_dim) to their partners Y (n, target_dim)."""

    @abstractmethod
    def refit(self, Y: ArrayLike) -> Self:
        """A new estimator for the same sources and strength, and other targets Y.

        The permuted-pairs null asks for this several times: a method does here only what
        depends on the targets. The estimator itself is not changed.
        """

    def predict(self, X: ArrayLike) -> FloatArray:
        """Targets (n, target_dim) float64 predicted for rows X (n, source_dim)."""
        rows = as_matrix(X, name="X", dim=len(self.source_mean_))
        predicted: FloatArray = (rows - self.source_mean_) @ self.coef_.T + self.target_mean_
        return predicted
