"""Principal components of rows that are read in blocks, exactly or by a block Krylov method.

==============  ============================================================
code            symbol
==============  ============================================================
``mean``        x̄
``axes``        the leading eigenvectors of C = Σ (x − x̄)(x − x̄)ᵀ, as rows
``explained``   their eigenvalues' shares of the trace of C
==============  ============================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, final

import numpy as np

from latentdb.arrays import FloatArray, RealArray
from latentdb.errors import NotEnoughDataError
from latentdb.model import Vectors
from latentdb.stitch.gram import Gram, GramLimits
from latentdb.stitch.moments import RowMoments

#: Dimensions, or rows, up to which C or the matrix of all inner products is decomposed itself:
#: 32 MiB, and a few seconds of one core.
EXACT_SIZE: Final = 2048
_EXACT: Final = GramLimits(max_dense_dim=EXACT_SIZE, max_rows=EXACT_SIZE)
_SPARE: Final = 8
_RESIDUAL: Final = 1e-7

#: Told how many more rows were read, and in which pass over them all.
OnRows = Callable[[int, int], None]


@final
@dataclass(frozen=True, eq=False)
class Rows:
    """Rows that can be read again.

    Parameters
    ----------
    n, dim : int
    blocks : callable
        Reads all rows anew as blocks (m, dim), which are not kept or modified.
    """

    n: int
    dim: int
    blocks: Callable[[], Iterator[Vectors]]


@final
@dataclass(frozen=True, eq=False)
class Components:
    """Leading principal components of a space's rows.

    Parameters
    ----------
    mean : (dim,) float64
    axes : (count, dim) float64
        Orthonormal; the value of largest magnitude in each is positive.
    explained : (count,) float64
        Share of the variance along each, descending.
    """

    mean: FloatArray
    axes: FloatArray
    explained: FloatArray

    def transform(self, vectors: RealArray) -> Vectors:
        """Coordinates (n, count) float32 of vectors (n, dim)."""
        centred = vectors - self.mean
        coordinates: Vectors = (centred @ self.axes.T).astype(np.float32)
        return coordinates

    def first(self, count: int) -> Components:
        """The first `count` of them."""
        return Components(self.mean, self.axes[:count], self.explained[:count])


def fit_components(
    rows: Rows, count: int, *, seed: int = 0, max_passes: int = 12, on_rows: OnRows
) -> Components:
    """The `count` leading principal components of rows.

    With at most 2,048 dimensions, or rows, they are exact: one pass adds up products. Beyond, a
    block Krylov method passes over the rows until the residual of every component is below 1e-7
    of the largest eigenvalue, or it has done so `max_passes` times: where eigenvalues are almost
    equal, as those of noise are, no number of passes tells them apart.

    Parameters
    ----------
    rows : Rows
    count : int
        Where rows differ in fewer directions, the axes left over are zero.
    seed : int
        Of the Krylov method's start.
    max_passes : int
    on_rows : callable

    Raises
    ------
    NotEnoughDataError
        Fewer than two rows, or all the same.

    References
    ----------
    Musco and Musco, "Randomized block Krylov methods for stronger and faster approximate singular
    value decomposition", NeurIPS 2015, arXiv 1504.05477.
    """
    is_exact = min(rows.n, rows.dim) <= EXACT_SIZE
    moments = RowMoments(rows.dim, gram=Gram(rows.dim, limits=_EXACT) if is_exact else None)
    for block in rows.blocks():
        moments.update(block)
        on_rows(len(block), 0)
    if moments.n < 2 or moments.is_constant:
        raise NotEnoughDataError(
            f"a projection needs at least two different rows, got {moments.n}: ingest more"
        )
    if is_exact:
        spectrum = moments.spectrum()
        vectors, values = spectrum.right[:, :count], spectrum.eigenvalues[:count]
    else:
        start = np.random.default_rng(seed).standard_normal((rows.dim, count + _SPARE))
        search = _Krylov(rows, moments.mean, on_rows)
        vectors, values = search.leading(count, start=start, max_passes=max_passes)
    axes = np.zeros((count, rows.dim))
    axes[: vectors.shape[1]] = _signed(vectors.T)
    explained = np.zeros(count)
    explained[: len(values)] = values / moments.square_sum
    return Components(moments.mean, axes, explained)


def _signed(axes: FloatArray) -> FloatArray:
    """Axes (count, dim) of one sign, so that the same rows always give the same picture."""
    largest = axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)]
    signed: FloatArray = axes * np.where(largest < 0, -1.0, 1.0)[:, None]
    return signed


@final
class _Krylov:
    """Leading eigenvectors of C, from V = [Q, CQ, C²Q, …] made orthonormal."""

    def __init__(self, rows: Rows, mean: FloatArray, on_rows: OnRows) -> None:
        self._rows, self._mean, self._on_rows = rows, mean, on_rows

    def leading(
        self, count: int, *, start: FloatArray, max_passes: int
    ) -> tuple[FloatArray, FloatArray]:
        """Vectors (dim, count) and eigenvalues, from `start` (dim, width).

        CV is at hand with V, so that Rayleigh and Ritz's small problem VᵀCV and its residuals
        cost no further pass.
        """
        basis = newest = np.linalg.qr(start)[0]
        imaged = self._times_scatter(newest, 1)
        for step in range(2, max_passes + 2):
            small = basis.T @ imaged
            values, inner = np.linalg.eigh((small + small.T) / 2.0)
            values, inner = values[::-1][:count], inner[:, ::-1][:, :count]
            residual = np.linalg.norm(imaged @ inner - (basis @ inner) * values, axis=0)
            if residual.max() <= _RESIDUAL * values[0] or step > max_passes:
                break
            newest = imaged[:, -newest.shape[1] :]
            for _ in range(2):  # once loses orthogonality where little is new
                newest = np.linalg.qr(newest - basis @ (basis.T @ newest))[0]
            basis = np.hstack([basis, newest])
            imaged = np.hstack([imaged, self._times_scatter(newest, step)])
        return basis @ inner, values

    def _times_scatter(self, columns: FloatArray, step: int) -> FloatArray:
        """C · `columns` (dim, width), in one pass over the rows."""
        product = np.zeros_like(columns)
        for block in self._rows.blocks():
            centred = block - self._mean
            product += centred.T @ (centred @ columns)
            self._on_rows(len(block), step)
        return product
