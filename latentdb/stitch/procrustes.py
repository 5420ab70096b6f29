"""Orthogonal Procrustes: a rotation and one scale, through a shared subspace for unequal widths.

================  =====================================================================
code              symbol
================  =====================================================================
``P_x``, ``P_y``  the k leading principal directions of each side, k = min of the widths
``R``             UVᵀ of P_yᵀ CᵀP_x = U diag(σ) Vᵀ, C = XᵀY of centred rows
``scale``         c = Σσ / ‖X P_x‖², which minimises ‖Y P_y − c·X P_x Rᵀ‖²
================  =====================================================================

W = c·P_y R P_xᵀ. Where both sides have k dimensions P_x and P_y are whole rotations, and W is the
classical solution. Of unequal widths the wider side keeps the k directions of most variance,
which need not be those that the other side knows of: ridge or CCA look for these.
"""

from __future__ import annotations

from typing import ClassVar, final

import numpy as np

from latentdb.arrays import FloatArray
from latentdb.stitch.base import AbstractStitcher
from latentdb.stitch.moments import PairMoments
from latentdb.stitch.selection import Pairs


@final
class ProcrustesStitcher(AbstractStitcher):
    """The rotation, or its shared-subspace form, that brings sources nearest to their targets.

    Nothing is chosen, so that the validation rows are only trained on.

    Parameters
    ----------
    selection, validation, seed
        See `AbstractStitcher`; without effect on the solution.

    Attributes
    ----------
    rank_ : int
        k, at most the number of directions in which both sides vary.
    scale_ : float
        c.

    References
    ----------
    Schönemann, "A generalized solution of the orthogonal Procrustes problem", Psychometrika
    1966.
    """

    needs_target_gram: ClassVar[bool] = True
    rank_: int

    def _choose(self, train: PairMoments, validation: Pairs) -> None:
        """Nothing."""

    def _decompose(self, moments: PairMoments) -> None:
        self._source, target = moments.source.spectrum(), moments.target.spectrum()
        self.rank_ = min(self._source.right.shape[1], target.right.shape[1])
        self._P_x = self._source.right[:, : self.rank_]
        self._P_y = target.right[:, : self.rank_]

    def _solve(self, cross_moment: FloatArray) -> FloatArray:
        U, sigma, Vt = np.linalg.svd(self._P_y.T @ cross_moment.T @ self._P_x)
        self.scale_ = float(sigma.sum() / self._source.eigenvalues[: self.rank_].sum())
        coef: FloatArray = self.scale_ * (self._P_y @ (U @ Vt)) @ self._P_x.T
        return coef

    def null_sources(self, count: int, *, rng: np.random.Generator) -> FloatArray:
        """Rows (count, source_dim) drawn from N(0, XᵀX)."""
        return self._source.gaussian(count, rng=rng)
