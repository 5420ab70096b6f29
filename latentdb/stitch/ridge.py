"""Ridge regression between two spaces, its whole λ path from one eigendecomposition.

================  =====================================================================
code              symbol
================  =====================================================================
``X``, ``Y``      centred rows, (n, source_dim) and (n, target_dim)
``eigenvalues``   s², those of XᵀX (primal, source_dim ≤ n) or of XXᵀ (dual)
``right``         V: XᵀX = V diag(s²) Vᵀ (primal) or V·diag(s) = XᵀU with XXᵀ = U diag(s²) Uᵀ
``alphas``        λ of  min ‖Y − XWᵀ‖² + λ‖W‖²,  so  Wᵀ = V diag(1/(s² + λ)) Vᵀ XᵀY
================  =====================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self, final

import numpy as np
from numpy.typing import ArrayLike

from indexers.errors import DimensionError, ParameterError
from latentdb.arrays import FloatArray, as_matrix
from latentdb.errors import NotEnoughDataError
from latentdb.held_out import split_by_item
from latentdb.stitch.base import AbstractStitcher
from latentdb.stitch.evaluate import (
    match_probability,
    restore_spread,
    typical_spread,
    unit_rows,
)

Selection = Literal["retrieval", "r2"]

# In units of the mean eigenvalue of XᵀX, so that the grid fits vectors of any scale.
_RELATIVE_GRID = np.logspace(-5.0, 3.0, 17)
_MIN_ROWS = 10


@final
@dataclass(frozen=True, eq=False)
class RidgeFactor:
    """Centred sources, decomposed once; every λ and every target follows by products.

    Parameters
    ----------
    mean : (source_dim,)
        x̄.
    left : (n, rank)
        X V in the primal form, U diag(s) in the dual one: the same thing.
    right : (source_dim, rank)
        V.
    eigenvalues : (rank,)
        s², the numerically zero ones left out.
    is_dual : bool
        Whether XXᵀ was decomposed, because n < source_dim.
    """

    mean: FloatArray
    left: FloatArray
    right: FloatArray
    eigenvalues: FloatArray
    is_dual: bool

    @classmethod
    def of(cls, X: ArrayLike) -> RidgeFactor:
        """Decompose X (n, source_dim), accumulating in float64.

        Raises
        ------
        NotEnoughDataError
            All rows are the same.
        """
        rows = np.array(X, dtype=np.float64)
        largest = float(np.abs(rows).max())
        mean = rows.mean(axis=0)
        rows -= mean
        n, dim = rows.shape
        is_dual = n < dim
        gram = rows @ rows.T if is_dual else rows.T @ rows
        eigenvalues, vectors = np.linalg.eigh(gram)
        # Centring leaves rounding of the first size, squaring into the Gram matrix of the second,
        # where s² is zero.
        eps = float(np.finfo(np.float64).eps)
        rounding = max(n * dim * (2.0 * eps * largest) ** 2, eigenvalues[-1] * max(n, dim) * eps)
        keep = eigenvalues > rounding
        if not keep.any():
            raise NotEnoughDataError("all source vectors are the same: there is nothing to map")
        eigenvalues, vectors = eigenvalues[keep], vectors[:, keep]
        if is_dual:
            s = np.sqrt(eigenvalues)
            return cls(mean, vectors * s, rows.T @ (vectors / s), eigenvalues, is_dual)
        return cls(mean, rows @ vectors, vectors, eigenvalues, is_dual)

    @property
    def scale(self) -> float:
        """Mean eigenvalue of XᵀX over all source dimensions: the unit of the λ grid."""
        return float(self.eigenvalues.sum()) / len(self.mean)

    def project(self, Y: FloatArray) -> FloatArray:
        """Vᵀ XᵀY (rank, target_dim): all that the path needs of the centred targets Y."""
        projected: FloatArray = self.left.T @ Y
        return projected

    def coef(self, projected: FloatArray, alpha: float) -> FloatArray:
        """W (target_dim, source_dim) at λ = `alpha`."""
        weight: FloatArray = (projected.T / (self.eigenvalues + alpha)) @ self.right.T
        return weight


@final
class RidgeStitcher(AbstractStitcher):
    """Ridge regression; λ is chosen on a validation part of the rows, then all are refitted.

    Parameters
    ----------
    alphas : sequence of float, optional
        Candidates for λ, positive. By default 17 from 1e-5 to 1e3 times the mean eigenvalue of
        XᵀX. A single one is taken without validation.
    selection : "retrieval" or "r2"
        What λ is chosen by. "retrieval" (the default, because that is what a map is for) is
        recall@10 of cosine search among the validation rows; of the candidates within one
        standard error of the best, which the rows cannot tell apart, the best R². "r2" is R²
        alone, for maps whose values matter more than their neighbours.
    validation : float
        Share of the rows that λ is chosen on.
    seed : int
        Of the validation split.

    Attributes
    ----------
    alphas_ : (n_alphas,)
        Candidates, ascending.
    validation_recall_, validation_r2_ : (n_alphas,)
        Scores of each; empty when there was one candidate.
    n_validation_ : int
        Rows they were measured on; absent when there was one candidate.
    is_dual_ : bool
        Whether the n × n form was solved.

    Notes
    -----
    Cost: one eigendecomposition of the smaller side for the path, one for the refit, each
    O(n·dim·min(n, dim)); every λ adds a product with the validation rows only.

    References
    ----------
    Hoerl and Kennard, "Ridge regression", Technometrics 1970. Saunders, Gammerman and Vovk,
    "Ridge regression learning algorithm in dual variables", ICML 1998.
    """

    def __init__(
        self,
        alphas: Sequence[float] | None = None,
        *,
        selection: Selection = "retrieval",
        validation: float = 0.2,
        seed: int = 0,
    ) -> None:
        if alphas is not None and (len(alphas) == 0 or min(alphas) <= 0):
            raise ParameterError(f"alphas are one or more positive numbers, got {list(alphas)}")
        if selection not in ("retrieval", "r2"):
            raise ParameterError(f'selection is "retrieval" or "r2", got {selection!r}')
        self.alphas = alphas
        self.selection = selection
        self.validation = validation
        self.seed = seed

    def fit(self, X: ArrayLike, Y: ArrayLike) -> Self:
        """Choose λ and learn the map from rows X (n, source_dim) to Y (n, target_dim).

        Raises
        ------
        DimensionError, DtypeError, NonFiniteError
            X and Y are not two finite matrices with one row per pair.
        NotEnoughDataError
            Fewer than 10 rows, or sources or targets that are all the same.
        """
        sources, targets = as_matrix(X, name="X"), as_matrix(Y, name="Y")
        if len(sources) != len(targets):
            raise DimensionError(f"X has {len(sources)} rows and Y {len(targets)}: pair them")
        if len(sources) < _MIN_ROWS:
            raise NotEnoughDataError(
                f"a map is fitted on at least {_MIN_ROWS} pairs, got {len(sources)}: ingest more"
            )
        if (targets == targets[0]).all():
            raise NotEnoughDataError("all target vectors are the same: there is nothing to learn")
        self.alphas_, self.validation_recall_, self.validation_r2_ = self._path(sources, targets)
        self.regularisation_ = float(self.alphas_[self._best()])
        self._factor = RidgeFactor.of(sources)
        self.is_dual_ = self._factor.is_dual
        self.source_mean_ = self._factor.mean
        self._solve(targets)
        return self

    def refit(self, Y: ArrayLike) -> Self:
        """The same sources and λ with other targets Y (n, target_dim), in one product."""
        targets = as_matrix(Y, name="Y")
        if len(targets) != len(self._factor.left):
            raise DimensionError(
                f"the sources have {len(self._factor.left)} rows and Y {len(targets)}: pair them"
            )
        other = type(self)(
            self.alphas, selection=self.selection, validation=self.validation, seed=self.seed
        )
        other.__dict__.update(self.__dict__)
        other._solve(targets)
        return other

    def _solve(self, targets: ArrayLike) -> None:
        """Set the targets' mean and W at the chosen λ."""
        exact = np.asarray(targets, dtype=np.float64)
        self.target_mean_ = exact.mean(axis=0)
        projected = self._factor.project(exact - self.target_mean_)
        self.coef_ = self._factor.coef(projected, self.regularisation_)

    def _path(self, X: ArrayLike, Y: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Candidates, and the recall@10 and R² of each on the validation rows."""
        X, Y = np.asarray(X), np.asarray(Y)
        if self.alphas is not None and len(self.alphas) == 1:
            return np.asarray(self.alphas, dtype=np.float64), np.empty(0), np.empty(0)
        is_validation = split_by_item(np.arange(len(X)), seed=self.seed, fraction=self.validation)
        self.n_validation_ = int(is_validation.sum())
        factor = RidgeFactor.of(X[~is_validation])
        if self.alphas is None:
            alphas = factor.scale * _RELATIVE_GRID
        else:
            alphas = np.sort(np.asarray(self.alphas, dtype=np.float64))
        fitted = Y[~is_validation].astype(np.float64)
        mean = fitted.mean(axis=0)
        spread = typical_spread(fitted, mean)
        projected = factor.project(fitted - mean)
        rotated = (X[is_validation] - factor.mean) @ factor.right
        actual = Y[is_validation].astype(np.float64)
        recall, r2 = np.empty(len(alphas)), np.empty(len(alphas))
        for i, alpha in enumerate(alphas):
            predicted = (rotated / (factor.eigenvalues + alpha)) @ projected + mean
            restored = restore_spread(predicted, mean=mean, spread=spread)
            similarity = unit_rows(restored) @ unit_rows(actual).T
            recall[i] = match_probability(similarity, k=10).mean()
            r2[i] = 1.0 - ((actual - predicted) ** 2).sum() / ((actual - mean) ** 2).sum()
        return alphas, recall, r2

    def _best(self) -> int:
        """Index of the chosen candidate."""
        if len(self.alphas_) == 1:
            return 0
        if self.selection == "r2":
            return int(self.validation_r2_.argmax())
        best = float(self.validation_recall_.max())
        error = np.sqrt(best * (1.0 - best) / self.n_validation_)
        is_tied = self.validation_recall_ >= best - error
        return int(np.where(is_tied, self.validation_r2_, -np.inf).argmax())
