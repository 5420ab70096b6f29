"""What every way of fitting a map has in common."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from indexers.errors import DimensionError, ParameterError
from latentdb.arrays import FloatArray, as_matrix
from latentdb.errors import NotEnoughDataError
from latentdb.stitch.moments import PairMoments
from latentdb.stitch.selection import Pairs, Selection, target_spread
from latentdb.stitch.split import SplitMoments

_MIN_ROWS = 10
MAX_VALIDATION = 2000


class AbstractStitcher(ABC):
    """An estimator of y ≈ ȳ + W(x − x̄) in scikit-learn's grammar, fitted from moments.

    Parameters
    ----------
    selection : "retrieval" or "r2"
        What strengths and ranks are chosen by. "retrieval" (the default, because that is what a
        map is for) is recall@10 of cosine search among the validation rows; of the candidates
        within one standard error of the best, which the rows cannot tell apart, the best R².
        "r2" is R² alone, for maps whose values matter more than their neighbours.
    validation : float
        Share of the rows that they are chosen on, of which at most 2,000 are used.
    seed : int
        Of the validation split.

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
    rank_ : int or None
        Rank of W, where the method chose one.
    target_norm_, target_spread_ : float
        Mean norm of the targets fitted on, and mean distance from their mean.
    """

    needs_target_gram: ClassVar[bool] = False

    coef_: FloatArray
    source_mean_: FloatArray
    target_mean_: FloatArray
    regularisation_: float
    rank_: int | None
    target_norm_: float
    target_spread_: float

    def __init__(
        self, *, selection: Selection = "retrieval", validation: float = 0.2, seed: int = 0
    ) -> None:
        if selection not in ("retrieval", "r2"):
            raise ParameterError(f'selection is "retrieval" or "r2", got {selection!r}')
        self.selection = selection
        self.validation = validation
        self.seed = seed
        self._stream: SplitMoments | None = None

    def fit(self, X: ArrayLike, Y: ArrayLike) -> Self:
        """Learn the map from rows X (n, source_dim) to their partners Y (n, target_dim).

        Raises
        ------
        DimensionError, DtypeError, NonFiniteError
            X and Y are not two finite matrices with one row per pair.
        NotEnoughDataError
            Fewer than 10 rows, or sources or targets that are all the same.
        """
        self._stream = None
        return self.partial_fit(X, Y)

    def partial_fit(self, X: ArrayLike, Y: ArrayLike) -> Self:
        """Add rows to those seen before and solve anew, without the earlier rows.

        Each call solves: give it thousands of rows at a time, or take `SplitMoments` and
        `fit_moments` to solve once at the end. Raises as `fit` does; the first batch counts at
        least 10 rows.
        """
        sources, targets = as_matrix(X, name="X"), as_matrix(Y, name="Y")
        if self._stream is None:
            if len(sources) != len(targets):
                raise DimensionError(f"X has {len(sources)} rows and Y {len(targets)}: pair them")
            if len(sources) < _MIN_ROWS:
                raise NotEnoughDataError(
                    f"a map is fitted on at least {_MIN_ROWS} pairs, got {len(sources)}: ingest "
                    "more"
                )
            self._stream = SplitMoments(
                sources.shape[1],
                targets.shape[1],
                seed=self.seed,
                n_kept=MAX_VALIDATION,
                with_target_gram=self.needs_target_gram,
            )
        rows = np.arange(self._stream.n, self._stream.n + len(sources))
        self._stream.update(rows, sources, targets)
        split = self._stream.split(0, min(round(self.validation * self._stream.n), MAX_VALIDATION))
        return self.fit_moments(split.train, split.validation)

    def fit_moments(self, train: PairMoments, validation: Pairs) -> Self:
        """Choose what there is to choose on `validation`, then solve for all rows together.

        Raises
        ------
        NotEnoughDataError
            Sources or targets are all the same.
        """
        if train.target.is_constant:
            raise NotEnoughDataError("all target vectors are the same: there is nothing to learn")
        self.rank_ = None
        self.regularisation_ = 0.0
        self._choose(train, validation)
        whole = train.joined(validation.X, validation.Y) if len(validation) else train
        self.source_mean_, self.target_mean_ = whole.source.mean, whole.target.mean
        self.target_norm_ = whole.target.norm_sum / whole.n
        self.target_spread_ = target_spread(whole, validation.Y)
        self._decompose(whole)
        self._shape = whole.cross_moment.shape
        self.coef_ = self._solve(whole.cross_moment)
        return self

    @abstractmethod
    def _choose(self, train: PairMoments, validation: Pairs) -> None:
        """Set `regularisation_` and `rank_` by what fits to `train` answer for `validation`."""

    @abstractmethod
    def _decompose(self, moments: PairMoments) -> None:
        """Keep what the solution needs of the two sides apart."""

    @abstractmethod
    def _solve(self, cross_moment: FloatArray) -> FloatArray:
        """W for C = XᵀY (source_dim, target_dim), by what `_decompose` kept."""

    def with_cross_moment(self, cross_moment: FloatArray) -> Self:
        """A new estimator for the same sides and strengths, and another C = XᵀY.

        The null of unrelated pairs asks for this several times: only what depends on the pairing
        is done here. The estimator itself is not changed.
        """
        if cross_moment.shape != self._shape:
            raise DimensionError(
                f"expected cross moments of shape {self._shape}, got {cross_moment.shape}"
            )
        other = copy.copy(self)
        other.coef_ = other._solve(cross_moment)
        return other

    @abstractmethod
    def null_sources(self, count: int, *, rng: np.random.Generator) -> FloatArray:
        """Rows (count, source_dim) drawn from N(0, XᵀX), X the sources fitted on."""

    def predict(self, X: ArrayLike) -> FloatArray:
        """Targets (n, target_dim) float64 predicted for rows X (n, source_dim)."""
        rows = as_matrix(X, name="X", dim=len(self.source_mean_))
        predicted: FloatArray = (rows - self.source_mean_) @ self.coef_.T + self.target_mean_
        return predicted
