"""Spectrum: a Gram matrix decomposed once, so that every strength follows by products.

===============  =======================================================================
code             symbol
===============  =======================================================================
``right``        V, orthonormal columns
``eigenvalues``  s², so that XᵀX = V diag(s²) Vᵀ + tail·(I − VVᵀ)
``tail``         μ, what a sketch has left over, spread evenly; 0 when nothing was left out
===============  =======================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular

from latentdb.arrays import FloatArray
from latentdb.errors import NotEnoughDataError
from latentdb.stitch.products import cross

SpectrumForm = Literal["primal", "dual", "sketch"]


@final
@dataclass(frozen=True, eq=False)
class Spectrum:
    """XᵀX of centred rows by its eigenvectors.

    Parameters
    ----------
    right : (dim, rank)
        V.
    eigenvalues : (rank,)
        s², descending, the numerically zero ones left out.
    tail : float
        μ, not negative.
    form : "primal", "dual" or "sketch"
        What was decomposed: XᵀX, XXᵀ (fewer rows than dimensions), or a sketch of XᵀX.
    """

    right: FloatArray
    eigenvalues: FloatArray
    tail: float
    form: SpectrumForm

    @classmethod
    def of_gram(cls, gram: FloatArray, *, rounding: float, size: int) -> Spectrum:
        """Decompose XᵀX (dim, dim); eigenvalues up to `rounding` count as zero.

        So do those up to `size`, the larger of rows and dimensions, times ε of the largest.
        """
        eigenvalues, vectors = np.linalg.eigh(gram)
        keep = _kept(eigenvalues, rounding=rounding, size=size)
        return cls(vectors[:, keep], eigenvalues[keep], 0.0, "primal")

    @classmethod
    def of_rows(cls, rows: FloatArray, *, rounding: float, size: int) -> Spectrum:
        """Decompose XXᵀ of `rows` X (n, dim), with the same zeros."""
        eigenvalues, vectors = np.linalg.eigh(rows @ rows.T)
        keep = _kept(eigenvalues, rounding=rounding, size=size)
        s2 = eigenvalues[keep]
        return cls(rows.T @ (vectors[:, keep] / np.sqrt(s2)), s2, 0.0, "dual")

    @classmethod
    def of_sketch(cls, sketch: FloatArray, test: FloatArray, *, trace: float) -> Spectrum:
        """Nyström approximation from `sketch` XᵀXΩ and `test` Ω, both (dim, width).

        What the sketch does not reach keeps its total variance, spread evenly over the other
        dimensions: right for nearly white vectors such as diffusion noise, and next to nothing
        where the spectrum falls off.

        References
        ----------
        Tropp, Yurtsever, Udell and Cevher, "Fixed-rank approximation of a positive-semidefinite
        matrix from streaming data", NeurIPS 2017, arXiv 1706.05736 (algorithm 3).
        """
        shift = float(np.finfo(np.float64).eps) * float(np.linalg.norm(sketch))
        shifted = sketch + shift * test
        core = cross(test, shifted)
        lower = cholesky((core + core.T) / 2.0, lower=True)
        root = solve_triangular(lower, shifted.T, lower=True).T
        vectors, s, _ = np.linalg.svd(root, full_matrices=False)
        eigenvalues = np.maximum(s**2 - shift, 0.0)
        keep = eigenvalues > eigenvalues[0] * len(sketch) * np.finfo(np.float64).eps
        left_over = max(trace - float(eigenvalues[keep].sum()), 0.0)
        tail = left_over / max(len(sketch) - int(keep.sum()), 1)
        return cls(vectors[:, keep], eigenvalues[keep], tail, "sketch")

    @property
    def scale(self) -> float:
        """Mean eigenvalue of XᵀX over all dimensions: the unit of every λ grid."""
        dim, rank = self.right.shape
        total: float = self.eigenvalues.sum() + self.tail * (dim - rank)
        return float(total) / float(dim)

    def power(self, block: FloatArray, exponent: float, *, shift: float) -> FloatArray:
        """(XᵀX + shift·I)^exponent · `block` (dim, m).

        Directions in which the rows do not vary at all answer zero: what is fitted from these
        rows has no part in them.
        """
        inside = cross(self.right, block)
        answer: FloatArray = self.right @ ((self.eigenvalues + shift) ** exponent * inside.T).T
        if self.tail > 0.0:
            answer += (self.tail + shift) ** exponent * (block - self.right @ inside)
        return answer

    def gaussian(self, count: int, *, rng: np.random.Generator) -> FloatArray:
        """Rows (count, dim) drawn from N(0, XᵀX)."""
        drawn = rng.standard_normal((count, len(self.eigenvalues)))
        rows: FloatArray = (drawn * np.sqrt(self.eigenvalues)) @ self.right.T
        if self.tail > 0.0:
            rest = rng.standard_normal((count, len(self.right)))
            rows += np.sqrt(self.tail) * (rest - (rest @ self.right) @ self.right.T)
        return rows


def _kept(eigenvalues: FloatArray, *, rounding: float, size: int) -> NDArray[np.intp]:
    """Indices of the eigenvalues that are not zero, descending; refused when there are none."""
    relative = float(eigenvalues[-1]) * size * float(np.finfo(np.float64).eps)
    keep = np.flatnonzero(eigenvalues > max(rounding, relative))[::-1]
    if not len(keep):
        raise NotEnoughDataError("all source vectors are the same: there is nothing to map")
    return keep
