"""Ridge regression between two spaces, its whole λ path from one decomposition.

================  =====================================================================
code              symbol
================  =====================================================================
``spectrum``      V, s²: XᵀX = V diag(s²) Vᵀ, from XᵀX (primal), XXᵀ (dual) or a sketch
``cross_moment``  C = XᵀY of centred rows
``alphas``        λ of  min ‖Y − XWᵀ‖² + λ‖W‖²,  so  Wᵀ = V diag(1/(s² + λ)) Vᵀ C
================  =====================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np

from indexers.errors import ParameterError
from latentdb.arrays import FloatArray
from latentdb.stitch.base import AbstractStitcher
from latentdb.stitch.moments import PairMoments
from latentdb.stitch.selection import Jury, Pairs, Selection, choose
from latentdb.stitch.spectrum import Spectrum

# In units of the mean eigenvalue of XᵀX, so that the grid fits vectors of any scale.
_RELATIVE_GRID = np.logspace(-5.0, 3.0, 17)


@final
class RidgeStitcher(AbstractStitcher):
    """Ridge regression; λ is chosen on a validation part of the rows, then all are refitted.

    Parameters
    ----------
    alphas : sequence of float, optional
        Candidates for λ, positive. By default 17 from 1e-5 to 1e3 times the mean eigenvalue of
        XᵀX. A single one is taken without validation.
    selection, validation, seed
        See `AbstractStitcher`.

    Attributes
    ----------
    alphas_ : (n_alphas,)
        Candidates, ascending.
    validation_recall_, validation_r2_ : (n_alphas,)
        Scores of each; empty when there was one candidate, recall NaN where R² chooses.
    is_dual_ : bool
        Whether the n × n form was solved.
    is_sketched_ : bool
        Whether XᵀX was too wide and had too many rows, so that a sketch of it was solved.

    Notes
    -----
    Cost: one pass for the moments, O(n·source_dim·(source_dim + target_dim)), then one
    decomposition for the path and one for the refit, O(source_dim³) whatever n; every λ adds a
    product with the validation rows only.

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
        super().__init__(selection=selection, validation=validation, seed=seed)
        if alphas is not None and (len(alphas) == 0 or min(alphas) <= 0):
            raise ParameterError(f"alphas are one or more positive numbers, got {list(alphas)}")
        self.alphas = alphas

    def _choose(self, train: PairMoments, validation: Pairs) -> None:
        self.validation_recall_: FloatArray = np.empty(0)
        self.validation_r2_: FloatArray = np.empty(0)
        if self.alphas is not None and len(self.alphas) == 1:
            self.alphas_ = np.asarray(self.alphas, dtype=np.float64)
            self.regularisation_ = float(self.alphas_[0])
            return
        spectrum = train.source.spectrum()
        self.alphas_, self.validation_recall_, self.validation_r2_ = ridge_path(
            spectrum, train, Jury(train, validation, self.selection), self.alphas
        )
        best = choose(
            self.validation_recall_,
            self.validation_r2_,
            n_validation=len(validation),
            selection=self.selection,
        )
        self.regularisation_ = float(self.alphas_[best])

    def _decompose(self, moments: PairMoments) -> None:
        self._spectrum = moments.source.spectrum()
        self.is_dual_ = self._spectrum.form == "dual"
        self.is_sketched_ = self._spectrum.form == "sketch"

    def _solve(self, cross_moment: FloatArray) -> FloatArray:
        return self._spectrum.power(cross_moment, -1.0, shift=self.regularisation_).T

    def null_sources(self, count: int, *, rng: np.random.Generator) -> FloatArray:
        """Rows (count, source_dim) drawn from N(0, XᵀX)."""
        return self._spectrum.gaussian(count, rng=rng)


def ridge_path(
    spectrum: Spectrum, train: PairMoments, jury: Jury, alphas: Sequence[float] | None = None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Strengths λ, ascending, and the recall@10 and R² of each on the validation rows.

    Parameters
    ----------
    spectrum : Spectrum
        Of `train`'s sources.
    train : PairMoments
    jury : Jury
    alphas : sequence of float, optional
        17 from 1e-5 to 1e3 times the spectrum's scale where not given.
    """
    given = spectrum.scale * _RELATIVE_GRID if alphas is None else np.sort(np.asarray(alphas))
    strengths: FloatArray = given.astype(np.float64)
    projected = spectrum.right.T @ train.cross_moment
    rotated = jury.X @ spectrum.right
    rest = None
    if spectrum.tail > 0.0:
        rest = jury.X @ train.cross_moment - rotated @ projected
    scores = np.empty((len(strengths), 2))
    for i, alpha in enumerate(strengths):
        predicted = (rotated / (spectrum.eigenvalues + alpha)) @ projected
        if rest is not None:
            predicted += rest / (spectrum.tail + alpha)
        scores[i] = jury.scores(predicted)
    return strengths, scores[:, 0], scores[:, 1]
