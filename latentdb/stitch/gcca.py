"""MAXVAR generalised CCA: one space that several are views of.

=================  ====================================================================
code               symbol
=================  ====================================================================
``views``          Z_i, centred rows of view i; Ẑ_i = C_i Z + ε_i are views of one Z
``blocks``         G_ij = Z_iᵀ Z_j
``relative``       λ_i in units of the mean eigenvalue of G_ii
``eigenvalues_``   ν, of Σ_i Z_i (Z_iᵀ Z_i + λ_i I)⁻¹ Z_iᵀ, at most the number of views
=================  ====================================================================

With M = [Z_i (G_ii + λ_i I)^(−½)]_i the n × n sum above is M Mᵀ, and has the eigenvalues of MᵀM,
which is as wide as all views together and made of block moments alone. For MᵀM u = ν u the shared
coordinate is g = M u/√ν, and what view i knows of it, its ridge regression on Z_i, is
Z_i (G_ii + λ_i I)^(−½) u_i √ν: the projection W_i below, times √n for coordinates of variance 1.

References
----------
Kettenring, "Canonical analysis of several sets of variables", Biometrika 1971. Rastogi, Van Durme
and Arora, "Multiview LSA: representation learning via generalized CCA", NAACL 2015.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, permutations
from typing import Self, final

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import eigh

from indexers.errors import DimensionError, ParameterError
from latentdb.arrays import FloatArray, RealArray, as_matrix
from latentdb.errors import NotEnoughDataError
from latentdb.stitch.base import MAX_VALIDATION
from latentdb.stitch.evaluate import match_probability, unit_rows
from latentdb.stitch.moments import PairMoments
from latentdb.stitch.selection import choose, rank_grid
from latentdb.stitch.split import SplitMoments

_RELATIVE_GRID = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
_MAX_DIM = 512


@final
class Gcca:
    """The leading shared coordinates of two or more views, and each view's projection onto them.

    Parameters
    ----------
    dim : int, optional
        Number of shared coordinates; chosen on the validation rows where not given, up to the
        narrowest view and 512.
    relative : float, optional
        Strength; chosen of 1e-4 … 1 where not given.
    validation : float
        Share of the rows that both are chosen on, by recall@10 between projections of every two
        views; of those within one standard error of the best, the best mean cosine.
    seed : int
        Of the validation split.

    Attributes
    ----------
    dim_ : int
    relative_ : float
    eigenvalues_ : (dim_,)
        Descending; the number of views where all agree wholly, 1 where only one has it.
    means_ : list of (view_dim,)
    weights_ : list of (dim_, view_dim)
        W_i.
    """

    def __init__(
        self,
        dim: int | None = None,
        *,
        relative: float | None = None,
        validation: float = 0.2,
        seed: int = 0,
    ) -> None:
        if dim is not None and dim < 1:
            raise ParameterError(f"a shared space has at least one dimension, got {dim}")
        if relative is not None and relative <= 0:
            raise ParameterError(f"the strength is positive, got {relative}")
        self.dim, self.relative = dim, relative
        self.validation, self.seed = validation, seed

    def fit(self, views: Sequence[ArrayLike]) -> Self:
        """Fit to rows of every view, (n, view_dim) each; row i is one item in all of them.

        Raises
        ------
        DimensionError, DtypeError, NonFiniteError
            The views are not two or more finite matrices with as many rows.
        NotEnoughDataError
            A view does not vary.
        """
        rows = [as_matrix(view, name=f"view {i}") for i, view in enumerate(views)]
        if len(rows) < 2 or len({len(view) for view in rows}) != 1:
            shapes = ", ".join(str(view.shape) for view in rows)
            raise DimensionError(f"expected two or more views with as many rows, got {shapes}")
        dims = [view.shape[1] for view in rows]
        stream = new_view_stream(dims, seed=self.seed, n_kept=MAX_VALIDATION)
        stream.update(np.arange(len(rows[0])), *stacked(rows))
        split = stream.split(0, min(round(self.validation * len(rows[0])), MAX_VALIDATION))
        chosen_on = views_of(split.validation.X, split.validation.Y, dims)
        return self.fit_moments(split.train, dims, validation=chosen_on)

    def fit_moments(
        self, train: PairMoments, dims: Sequence[int], *, validation: Sequence[RealArray]
    ) -> Self:
        """Fit to moments of `stacked` views of widths `dims`, then to `validation` rows as well."""
        self._prepare(train, dims)
        self.relative_ = self.relative or _RELATIVE_GRID[0]
        self.dim_ = self.dim or min(*dims, _MAX_DIM)
        if self.relative is None or self.dim is None:
            self._choose(validation)
        if len(validation[0]):
            self._prepare(train.joined(*stacked(validation)), dims)
        self._solve(self.relative_, self.dim_)
        return self

    def transform(self, view: int, X: ArrayLike) -> FloatArray:
        """Shared coordinates (n, dim_) that rows X (n, view_dim) of view number `view` have."""
        rows = as_matrix(X, name=f"view {view}", dim=len(self.means_[view]))
        projected: FloatArray = (rows - self.means_[view]) @ self.weights_[view].T
        return projected

    def _prepare(self, moments: PairMoments, dims: Sequence[int]) -> None:
        """Keep the means, the blocks G_ij and the eigenvectors of every G_ii."""
        source, target = moments.source.gram, moments.target.gram
        assert source is not None
        assert target is not None
        C = moments.cross_moment
        self._n = moments.n
        self._gram: FloatArray = np.block([[source.dense(), C], [C.T, target.dense()]])
        ends = np.cumsum([0, *dims])
        self._spans = [slice(a, b) for a, b in pairwise(ends)]
        mean = np.concatenate([moments.source.mean, moments.target.mean])
        self.means_ = [mean[span] for span in self._spans]
        self._own = [np.linalg.eigh(self._gram[span, span]) for span in self._spans]
        if any(values[-1] <= 0.0 for values, _ in self._own):
            raise NotEnoughDataError("a view does not vary: there is nothing that it could share")

    def _solve(self, relative: float, dim: int) -> None:
        """Set `eigenvalues_` and `weights_`."""
        roots = []
        for values, vectors in self._own:
            shifted = np.maximum(values, 0.0) + relative * values.mean()
            roots.append((vectors / np.sqrt(shifted)) @ vectors.T)
        whitened = self._gram.copy()
        for span, root in zip(self._spans, roots, strict=True):
            whitened[span] = root @ whitened[span]
            whitened[:, span] = whitened[:, span] @ root
        last = len(whitened) - 1
        values, u = eigh(whitened, subset_by_index=(max(last - dim + 1, 0), last))
        self.eigenvalues_: FloatArray = values[::-1]
        scaled = u[:, ::-1] * np.sqrt(self._n * np.maximum(self.eigenvalues_, 0.0))
        self.weights_ = [
            (root @ scaled[span]).T for span, root in zip(self._spans, roots, strict=True)
        ]

    def _choose(self, validation: Sequence[RealArray]) -> None:
        """Set `relative_` and `dim_`, the strength first."""
        strengths = _RELATIVE_GRID if self.relative is None else (self.relative,)
        n = len(validation[0])
        scores = []
        for strength in strengths:
            self._solve(strength, self.dim_)
            scores.append(self._agreement(validation, self.dim_))
        recall, cosine = np.array(scores).T
        self.relative_ = strengths[choose(recall, cosine, n_validation=n)]
        if self.dim is None:
            self._solve(self.relative_, self.dim_)
            dims = rank_grid(self.dim_)
            recall, cosine = np.array([self._agreement(validation, k) for k in dims]).T
            self.dim_ = dims[choose(recall, cosine, n_validation=n)]

    def _agreement(self, validation: Sequence[RealArray], dim: int) -> tuple[float, float]:
        """Mean recall@10 and cosine between projections of every two views, both ways."""
        units = [unit_rows(self.transform(i, rows)[:, :dim]) for i, rows in enumerate(validation)]
        found = []
        for a, b in permutations(units, 2):
            similarity = a @ b.T
            recall = match_probability(similarity, k=10).mean()
            found.append((recall, similarity.diagonal().mean()))
        recall, cosine = np.mean(found, axis=0).tolist()
        return recall, cosine


def new_view_stream(dims: Sequence[int], *, seed: int, n_kept: int) -> SplitMoments:
    """An empty stream for `stacked` views of widths `dims`.

    The last view is the stream's target and the others its source, so that its pair moments hold
    every block.
    """
    return SplitMoments(sum(dims[:-1]), dims[-1], seed=seed, n_kept=n_kept, with_target_gram=True)


def stacked(views: Sequence[RealArray]) -> tuple[RealArray, RealArray]:
    """All views but the last side by side, and the last."""
    return np.concatenate(views[:-1], axis=1), views[-1]


def views_of(X: RealArray, Y: RealArray, dims: Sequence[int]) -> list[RealArray]:
    """What `stacked` joined, apart again."""
    return [*np.split(X, np.cumsum(dims[:-1])[:-1], axis=1), Y]
