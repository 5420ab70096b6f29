"""Canonical correlation analysis as a map: through the directions that both sides share.

================  =====================================================================
code              symbol
================  =====================================================================
``A``, ``B``      XᵀX + λ_x I and YᵀY + λ_y I of centred rows; C = XᵀY
``left, s, right``  A^(−½) C B^(−½) = L diag(ρ) Rᵀ, ρ the (regularised) canonical correlations
================  =====================================================================

Wᵀ = A^(−½) L_k diag(ρ_k) R_kᵀ B^½: whitened sources go to canonical variables, each shrunk by its
correlation, and back to targets. With all of them W is ridge; fewer leave out what is only noise.
λ is chosen as for ridge, λ_y is the same share of YᵀY's mean eigenvalue, k comes last.
"""

from __future__ import annotations

from typing import ClassVar, final

import numpy as np

from latentdb.arrays import FloatArray
from latentdb.stitch.base import AbstractStitcher
from latentdb.stitch.moments import PairMoments
from latentdb.stitch.ridge import ridge_path
from latentdb.stitch.selection import Jury, Pairs, choose, rank_grid
from latentdb.stitch.spectrum import Spectrum


@final
class CcaStitcher(AbstractStitcher):
    """Regularised CCA; strength, then number of canonical variables, by validation.

    Parameters
    ----------
    selection, validation, seed
        See `AbstractStitcher`.

    Attributes
    ----------
    rank_ : int
        k, of 1, 2, 3, 4, 6, 8, 12, … up to the smaller dimension.
    correlations_ : (k,)
        ρ, descending, in [0, 1].
    regularisation_ : float
        λ_x.

    References
    ----------
    Hotelling, "Relations between two sets of variates", Biometrika 1936. Vinod, "Canonical ridge
    and econometrics of joint production", J. Econometrics 1976.
    """

    needs_target_gram: ClassVar[bool] = True
    rank_: int

    def _choose(self, train: PairMoments, validation: Pairs) -> None:
        jury = Jury(train, validation, self.selection)
        self._decompose(train)
        alphas, recall, r2 = ridge_path(self._source, train, jury)
        best = choose(recall, r2, n_validation=len(validation), selection=self.selection)
        self.regularisation_ = float(alphas[best])
        left, rho, right = self._factors(train.cross_moment)
        along = (jury.X @ left) * rho
        ranks = rank_grid(len(rho))
        scores = np.array([jury.scores(along[:, :k] @ right[:, :k].T) for k in ranks])
        self.validation_recall_, self.validation_r2_ = scores[:, 0], scores[:, 1]
        best = choose(
            scores[:, 0], scores[:, 1], n_validation=len(validation), selection=self.selection
        )
        self.rank_ = ranks[best]

    def _factors(self, cross_moment: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """A^(−½)L (source_dim, m), ρ (m,), B^½R (target_dim, m)."""
        shift = self.regularisation_
        target_shift = shift * self._target.scale / self._source.scale
        half = self._source.power(cross_moment, -0.5, shift=shift)
        whitened = self._target.power(half.T, -0.5, shift=target_shift).T
        L, rho, Rt = np.linalg.svd(whitened, full_matrices=False)
        return (
            self._source.power(L, -0.5, shift=shift),
            rho,
            self._target.power(Rt.T, 0.5, shift=target_shift),
        )

    def _decompose(self, moments: PairMoments) -> None:
        self._source: Spectrum = moments.source.spectrum()
        self._target: Spectrum = moments.target.spectrum()

    def _solve(self, cross_moment: FloatArray) -> FloatArray:
        left, rho, right = self._factors(cross_moment)
        k = self.rank_
        self.correlations_: FloatArray = np.minimum(rho[:k], 1.0)
        coef: FloatArray = (right[:, :k] * rho[:k]) @ left[:, :k].T
        return coef

    def null_sources(self, count: int, *, rng: np.random.Generator) -> FloatArray:
        """Rows (count, source_dim) drawn from N(0, XᵀX)."""
        return self._source.gaussian(count, rng=rng)
