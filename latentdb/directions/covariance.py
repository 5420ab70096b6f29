"""Covariance of vectors, shrunk towards a multiple of the identity, never written out.

=============  =====================================================
code           symbol
=============  =====================================================
``centred``    Z (n, dim), deviations from their mean (or means)
``average``    μ, mean variance of a coordinate: tr(S)/dim
``strength``   ρ of Ledoit and Wolf: β²/δ² with S = ZᵀZ/n,
               δ² = ‖S − μI‖², β² = (Σ‖z‖⁴/n − ‖S‖²)/n
=============  =====================================================

Σ = (1 − ρ)·S + ρμI. With fewer rows than dimensions everything goes by ZZᵀ, (n, n).

References
----------
Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", Journal
of Multivariate Analysis 2004.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import scipy.linalg

from latentdb.arrays import FloatArray, RealArray
from latentdb.errors import NotEnoughDataError

# From so many rows and dimensions on, ‖S‖ is estimated from the products of so many rows.
_EXACT_SIDE = 2048
# Eight times the dimension of a common noise space.
_MOST_ROWS = 8192


@final
@dataclass(frozen=True)
class Shrinkage:
    """How far eigenvalues λ of a covariance are drawn towards their mean.

    Parameters
    ----------
    strength : float
        ρ, in (0, 1].
    average : float
        μ; positive.
    """

    strength: float
    average: float

    @classmethod
    def of(cls, centred: FloatArray) -> Shrinkage:
        """ρ and μ of deviations Z (n, dim).

        Raises
        ------
        NotEnoughDataError
            All deviations are zero.
        """
        n, dim = centred.shape
        squares = np.einsum("ij,ij->i", centred, centred)
        average = float(squares.sum()) / (n * dim)
        if not average > 0.0:
            raise NotEnoughDataError(f"{n} vectors do not spread at all: there is no covariance")
        norm = _norm_squared(centred, squares)
        beta = (float((squares**2).mean()) - norm) / n
        delta = norm - dim * average**2
        # A positive floor keeps the inverse finite where a direction never varied.
        return cls(float(np.clip(beta / delta, 1e-9, 1.0)) if delta > 0.0 else 1.0, average)

    def apply(self, variances: FloatArray) -> FloatArray:
        """(1 − ρ)·λ + ρμ."""
        shrunk: FloatArray = (1.0 - self.strength) * variances + self.strength * self.average
        return shrunk


def _norm_squared(centred: FloatArray, squares: FloatArray) -> float:
    """‖S‖², which is ‖ZZᵀ‖²/n² too."""
    n, dim = centred.shape
    if dim <= min(n, _EXACT_SIDE):
        return float(((centred.T @ centred) ** 2).sum() / n**2)
    some = centred[:_EXACT_SIDE]
    off_diagonal = float(((some @ some.T) ** 2).sum() - (squares[: len(some)] ** 2).sum())
    pairs = max(len(some) * (len(some) - 1), 1)
    quartic = float((squares**2).mean())
    return float((quartic + (n - 1) * off_diagonal / pairs) / n)


@final
@dataclass(frozen=True, eq=False)
class ShrunkCovariance:
    """Σ of deviations, as something to multiply by and to divide by.

    Parameters
    ----------
    centred : (n, dim)
        Z; kept, not modified.
    shrinkage : Shrinkage
    """

    centred: FloatArray
    shrinkage: Shrinkage

    @classmethod
    def of(cls, centred: FloatArray) -> ShrunkCovariance:
        """Σ of deviations (n, dim); NotEnoughDataError where all are zero."""
        return cls(centred, Shrinkage.of(centred))

    @classmethod
    def of_sample(cls, vectors: RealArray) -> ShrunkCovariance:
        """Σ of vectors (n, dim) about their mean, from at most 8,192 of them."""
        rows = vectors
        if len(rows) > _MOST_ROWS:
            rows = rows[np.random.default_rng(0).permutation(len(rows))[:_MOST_ROWS]]
        exact = rows.astype(np.float64)
        return cls.of(exact - exact.mean(axis=0))

    @property
    def _parts(self) -> tuple[float, float]:
        """A and b of Σ = a·ZᵀZ + bI."""
        rho = self.shrinkage.strength
        return (1.0 - rho) / len(self.centred), rho * self.shrinkage.average

    def times(self, columns: FloatArray) -> FloatArray:
        """Σ·V (dim, m) of columns V (dim, m)."""
        a, b = self._parts
        product: FloatArray = a * (self.centred.T @ (self.centred @ columns)) + b * columns
        return product

    def solve(self, columns: FloatArray) -> FloatArray:
        """Σ⁻¹·V (dim, m) of columns V (dim, m)."""
        a, b = self._parts
        Z = self.centred
        n, dim = Z.shape
        inner = a * (Z.T @ Z if n >= dim else Z @ Z.T)
        inner[np.diag_indices_from(inner)] += b
        if n >= dim:
            solved: FloatArray = scipy.linalg.solve(inner, columns, assume_a="pos")
            return solved
        # Woodbury: (aZᵀZ + bI)⁻¹ = (I − aZᵀ(aZZᵀ + bI)⁻¹Z)/b.
        weights = scipy.linalg.solve(inner, Z @ columns, assume_a="pos")
        divided: FloatArray = (columns - a * (Z.T @ weights)) / b
        return divided
