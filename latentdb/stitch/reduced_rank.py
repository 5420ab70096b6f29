"""Reduced-rank ridge regression: the best map of rank r.

================  =====================================================================
code              symbol
================  =====================================================================
``spectrum``      V, s²: XᵀX = V diag(s²) Vᵀ
``cross_moment``  C = XᵀY of centred rows
``directions``    Q: right singular vectors of (XᵀX + λI)^(−½) C, so that
                  Wᵀ = (XᵀX + λI)⁻¹ C Q_r Q_rᵀ minimises ‖Y − XWᵀ‖² + λ‖W‖² at rank r
================  =====================================================================
"""

from __future__ import annotations

from typing import final

import numpy as np

from latentdb.arrays import FloatArray
from latentdb.stitch.base import AbstractStitcher
from latentdb.stitch.moments import PairMoments
from latentdb.stitch.ridge import ridge_path
from latentdb.stitch.selection import Jury, Pairs, choose, rank_grid
from latentdb.stitch.spectrum import Spectrum


@final
class ReducedRankStitcher(AbstractStitcher):
    """Ridge whose answers lie in r directions of the target space; λ, then r, by validation.

    Parameters
    ----------
    selection, validation, seed
        See `AbstractStitcher`.

    Attributes
    ----------
    rank_ : int
        r, of 1, 2, 3, 4, 6, 8, 12, … up to the smaller dimension.
    validation_recall_, validation_r2_ : (n_ranks,)
        Scores of each rank, recall NaN where R² chooses.

    References
    ----------
    Izenman, "Reduced-rank regression for the multivariate linear model", J. Multivariate
    Analysis 1975. Mukherjee and Zhu, "Reduced rank ridge regression and its kernel extensions",
    Statistical Analysis and Data Mining 2011.
    """

    rank_: int

    def _choose(self, train: PairMoments, validation: Pairs) -> None:
        spectrum, jury = train.source.spectrum(), Jury(train, validation, self.selection)
        alphas, recall, r2 = ridge_path(spectrum, train, jury)
        best = choose(recall, r2, n_validation=len(validation), selection=self.selection)
        self.regularisation_ = float(alphas[best])
        directions = self._directions(spectrum, train.cross_moment)
        full = jury.X @ spectrum.power(train.cross_moment, -1.0, shift=self.regularisation_)
        along = full @ directions
        ranks = rank_grid(directions.shape[1])
        scores = np.array([jury.scores(along[:, :r] @ directions[:, :r].T) for r in ranks])
        self.validation_recall_, self.validation_r2_ = scores[:, 0], scores[:, 1]
        best = choose(
            scores[:, 0], scores[:, 1], n_validation=len(validation), selection=self.selection
        )
        self.rank_ = ranks[best]

    def _directions(self, spectrum: Spectrum, cross_moment: FloatArray) -> FloatArray:
        """Q (target_dim, min(source_dim, target_dim)), the strongest first."""
        whitened = spectrum.power(cross_moment, -0.5, shift=self.regularisation_)
        # Right singular vectors from the Gram matrix: on some finite matrices of these shapes
        # LAPACK's divide-and-conquer SVD does not converge.
        _, vectors = np.linalg.eigh(whitened.T @ whitened)
        directions: FloatArray = vectors[:, ::-1][:, : min(whitened.shape)]
        return directions

    def _decompose(self, moments: PairMoments) -> None:
        self._spectrum = moments.source.spectrum()

    def _solve(self, cross_moment: FloatArray) -> FloatArray:
        leading = self._directions(self._spectrum, cross_moment)[:, : self.rank_]
        full = self._spectrum.power(cross_moment, -1.0, shift=self.regularisation_)
        coef: FloatArray = leading @ (full @ leading).T
        return coef

    def null_sources(self, count: int, *, rng: np.random.Generator) -> FloatArray:
        """Rows (count, source_dim) drawn from N(0, XᵀX)."""
        return self._spectrum.gaussian(count, rng=rng)
