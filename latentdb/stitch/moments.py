"""Means and centred products of paired rows, from one pass: all that a linear map needs.

================  =====================================================================
code              symbol
================  =====================================================================
``mean``          x̄, ȳ
``gram``          XᵀX, YᵀY of centred rows
``cross_moment``  C = XᵀY of centred rows
================  =====================================================================

A batch of m rows with mean x̄_b joins n rows with mean x̄ as its centred rows and one row more,
√(nm/(n+m))·(x̄_b − x̄): its outer product is the update's correction for the means, so that every
sum below takes rows and knows nothing of means.

References
----------
Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample
variances", COMPSTAT 1982.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from indexers.errors import DimensionError, ParameterError
from latentdb.arrays import FloatArray, RealArray, as_matrix
from latentdb.stitch.gram import DEFAULT_LIMITS, Gram, GramLimits
from latentdb.stitch.products import cross
from latentdb.stitch.spectrum import Spectrum

# Rows turned to float64 at a time: 16 MB of 1,024.
_CHUNK_ROWS = 2048


@final
class RowMoments:
    """Number, mean, norms and, where asked for, XᵀX of rows (n, dim).

    Attributes
    ----------
    n : int
    mean : (dim,) float64
    norm_sum, square_sum : float
        Sum of the rows' norms, and of their squared distances from the mean.
    largest : float
        Largest absolute value, to know rounding by.
    gram : Gram or None
    """

    def __init__(self, dim: int, *, gram: Gram | None = None) -> None:
        self.n = 0
        self.mean: FloatArray = np.zeros(dim)
        self.norm_sum = 0.0
        self.square_sum = 0.0
        self.largest = 0.0
        self.gram = gram

    def update(self, rows: RealArray) -> FloatArray:
        """Add `rows` (m, dim), m > 0; what every sum of products is to add, (m or m + 1, dim)."""
        exact = rows.astype(np.float64)
        self.largest = max(self.largest, float(np.abs(exact).max()))
        self.norm_sum += float(np.linalg.norm(exact, axis=1).sum())
        mean = exact.mean(axis=0)
        exact -= mean
        shift = self._shift(mean, len(exact))
        added = exact if self.n == 0 else np.concatenate([exact, shift[None]])
        self._move(mean, len(exact))
        self.square_sum += float(np.einsum("ij,ij->", added, added))
        if self.gram is not None:
            self.gram.add(added, n_seen=self.n)
        return added

    def _shift(self, mean: FloatArray, m: int) -> FloatArray:
        """√(nm/(n+m))·(mean − self.mean)."""
        shift: FloatArray = np.sqrt(self.n * m / (self.n + m)) * (mean - self.mean)
        return shift

    def _move(self, mean: FloatArray, m: int) -> None:
        self.n += m
        self.mean = self.mean + (mean - self.mean) * (m / self.n)

    def merge(self, other: RowMoments) -> FloatArray:
        """Add other rows' moments; the row (dim,) that their cross moments are to add."""
        shift = self._shift(other.mean, other.n)
        self._move(other.mean, other.n)
        self.norm_sum += other.norm_sum
        self.square_sum += other.square_sum + float(shift @ shift)
        self.largest = max(self.largest, other.largest)
        if self.gram is not None and other.gram is not None:
            self.gram.merge(other.gram, n_seen=self.n)
            self.gram.add(shift[None], n_seen=self.n)
        return shift

    def spectrum(self) -> Spectrum:
        """XᵀX decomposed; NotEnoughDataError when all rows are the same."""
        if self.gram is None:
            raise ParameterError("these moments were taken without XᵀX")
        return self.gram.spectrum(largest=self.largest, n_seen=self.n)

    @property
    def is_constant(self) -> bool:
        """Whether all rows are the same, but for rounding."""
        eps = float(np.finfo(np.float64).eps)
        return self.square_sum <= self.n * len(self.mean) * (2.0 * eps * self.largest) ** 2

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The sums as arrays; `restore` reads them back."""
        sums = np.array([self.n, self.norm_sum, self.square_sum, self.largest])
        inner = {} if self.gram is None else self.gram.to_arrays()
        return {"mean": self.mean, "sums": sums, **{f"gram.{k}": v for k, v in inner.items()}}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take the sums that `to_arrays` gave."""
        self.mean = arrays["mean"]
        n, self.norm_sum, self.square_sum, self.largest = arrays["sums"].tolist()
        self.n = int(n)
        if self.gram is not None:
            self.gram.restore(
                {k.removeprefix("gram."): v for k, v in arrays.items() if k.startswith("gram.")}
            )


@final
class PairMoments:
    """Moments of pairs of rows (x, y); memory independent of their number.

    Parameters
    ----------
    source_dim, target_dim : int
    with_target_gram : bool
        Whether YᵀY is kept, which Procrustes and CCA need and ridge does not.
    limits : GramLimits
    seed : int
        Of sketches; see `GramLimits`.

    Attributes
    ----------
    source, target : RowMoments
    cross_moment : (source_dim, target_dim) float64
        XᵀY of centred rows.
    """

    def __init__(
        self,
        source_dim: int,
        target_dim: int,
        *,
        with_target_gram: bool = True,
        limits: GramLimits = DEFAULT_LIMITS,
        seed: int = 0,
    ) -> None:
        self.limits, self._seed = limits, seed
        self.source = RowMoments(source_dim, gram=Gram(source_dim, limits=limits, seed=seed))
        target = Gram(target_dim, limits=limits, seed=seed) if with_target_gram else None
        self.target = RowMoments(target_dim, gram=target)
        self.cross_moment: FloatArray = np.zeros((source_dim, target_dim))

    @property
    def n(self) -> int:
        """Pairs seen."""
        return self.source.n

    def update(self, X: ArrayLike, Y: ArrayLike) -> None:
        """Add pairs X (m, source_dim), Y (m, target_dim); neither is modified nor kept.

        Raises
        ------
        DimensionError, DtypeError, NonFiniteError
            They are not finite matrices with one row per pair.
        """
        sources = as_matrix(X, name="X", dim=len(self.source.mean))
        targets = as_matrix(Y, name="Y", dim=len(self.target.mean))
        if len(sources) != len(targets):
            raise DimensionError(f"X has {len(sources)} rows and Y {len(targets)}: pair them")
        for start in range(0, len(sources), _CHUNK_ROWS):
            chunk = slice(start, start + _CHUNK_ROWS)
            left = self.source.update(sources[chunk])
            self.cross_moment += cross(left, self.target.update(targets[chunk]))

    def merge(self, other: PairMoments) -> None:
        """Add the pairs of `other`, which stays as it is.

        Raises
        ------
        ParameterError
            It is of other widths, limits or seed.
        """
        if other.cross_moment.shape != self.cross_moment.shape:
            raise ParameterError(
                f"moments of {other.cross_moment.shape} dimensions do not join those of "
                f"{self.cross_moment.shape}"
            )
        if (other.target.gram is None) != (self.target.gram is None):
            raise ParameterError("moments with YᵀY and without it do not join")
        if other.n == 0:
            return
        left = self.source.merge(other.source)
        self.cross_moment += other.cross_moment + np.outer(left, self.target.merge(other.target))

    def copy(self) -> PairMoments:
        """The same moments, apart."""
        twin = PairMoments(
            *self.cross_moment.shape,
            with_target_gram=self.target.gram is not None,
            limits=self.limits,
            seed=self._seed,
        )
        twin.merge(self)
        return twin

    def joined(self, X: ArrayLike, Y: ArrayLike) -> PairMoments:
        """New moments of these pairs and of X, Y; these stay as they are."""
        twin = self.copy()
        twin.update(X, Y)
        return twin

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """All sums by name; `restore` reads them back."""
        return {
            "cross_moment": self.cross_moment,
            **{f"source.{name}": array for name, array in self.source.to_arrays().items()},
            **{f"target.{name}": array for name, array in self.target.to_arrays().items()},
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take the sums that `to_arrays` gave."""
        self.cross_moment = arrays["cross_moment"]
        for prefix, side in (("source.", self.source), ("target.", self.target)):
            side.restore(
                {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
            )
