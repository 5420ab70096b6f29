"""Gram: XᵀX of rows that pass by once, as rows, as a matrix or as a sketch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from indexers.errors import ParameterError
from latentdb.arrays import FloatArray
from latentdb.stitch.products import cross
from latentdb.stitch.spectrum import Spectrum


@final
@dataclass(frozen=True)
class GramLimits:
    """When XᵀX is kept as rows, as a matrix or as a sketch.

    Parameters
    ----------
    max_dense_dim : int
        Up to this width, XᵀX itself (8·dim² bytes, 512 MiB at 8,192) once there are as many rows
        as dimensions. Before that the rows, which the dual form needs.
    max_rows : int
        Of wider vectors, so many rows are kept (1 GiB of 16,384 dimensions) and solved exactly
        in the dual form; with more, a sketch takes their place.
    sketch_dim : int
        Width of the sketch: 8·dim·sketch_dim bytes, twice (256 MiB at 16,384 × 1,024).
    """

    max_dense_dim: int = 8192
    max_rows: int = 8192
    sketch_dim: int = 1024


DEFAULT_LIMITS = GramLimits()


@final
class Gram:
    """Sum of outer products of rows (n, dim), in float64.

    Parameters
    ----------
    dim : int
        Length of a row.
    limits : GramLimits
    seed : int
        Of the sketch's test matrix; two Grams are merged only when they share it.
    """

    def __init__(self, dim: int, *, limits: GramLimits = DEFAULT_LIMITS, seed: int = 0) -> None:
        self.dim = dim
        self.limits = limits
        self.seed = seed
        self.trace = 0.0
        self._rows: list[FloatArray] | None = []
        self._dense: FloatArray | None = None
        self._sketch: FloatArray | None = None

    def add(self, rows: FloatArray, *, n_seen: int) -> None:
        """Add `rows` (m, dim); `n_seen` items have been seen in all, these included."""
        self.trace += float(np.einsum("ij,ij->", rows, rows))
        if self._rows is not None:
            self._rows.append(rows)
            self._leave_rows(n_seen)
        else:
            self._accumulate(rows)

    def _leave_rows(self, n_seen: int) -> None:
        """Replace the rows by a sum once there are too many of them."""
        is_dense = self.dim <= self.limits.max_dense_dim
        if self._rows is None or n_seen < (self.dim if is_dense else self.limits.max_rows + 1):
            return
        kept, self._rows = self._rows, None
        if is_dense:
            self._dense = np.zeros((self.dim, self.dim))
        else:
            self._sketch = np.zeros((self.dim, min(self.limits.sketch_dim, self.dim)))
        for block in kept:
            self._accumulate(block)

    def _accumulate(self, rows: FloatArray) -> None:
        if self._dense is not None:
            self._dense += cross(rows, rows)
        elif self._sketch is not None:
            self._sketch += cross(rows, rows @ self._test())

    def _test(self) -> FloatArray:
        """Ω (dim, sketch_dim), orthonormal, the same for equal seeds."""
        if not hasattr(self, "_omega"):
            width = min(self.limits.sketch_dim, self.dim)
            drawn = np.random.default_rng(self.seed).standard_normal((self.dim, width))
            self._omega: FloatArray = np.linalg.qr(drawn)[0]
        return self._omega

    def merge(self, other: Gram, *, n_seen: int) -> None:
        """Add the rows that `other` has summed; it stays as it is.

        Raises
        ------
        ParameterError
            The two are of different widths, limits or seeds.
        """
        if (self.dim, self.limits, self.seed) != (other.dim, other.limits, other.seed):
            raise ParameterError("Gram matrices of other widths, limits or seeds do not add up")
        if other._rows is not None:
            for block in other._rows:
                self.add(block, n_seen=n_seen)
            return
        if self._rows is not None:
            kept, self._rows = self._rows, None
            self._dense = None if other._dense is None else other._dense.copy()
            self._sketch = None if other._sketch is None else other._sketch.copy()
            for block in kept:
                self._accumulate(block)
        elif self._dense is not None and other._dense is not None:
            self._dense += other._dense
        elif self._sketch is not None and other._sketch is not None:
            self._sketch += other._sketch
        self.trace += other.trace

    def spectrum(self, *, largest: float, n_seen: int) -> Spectrum:
        """The decomposition; `largest` absolute value of the rows before they were centred.

        Raises
        ------
        NotEnoughDataError
            All rows are zero but for rounding.
        """
        # Centring leaves rounding of the first size, squaring into the Gram matrix of the second,
        # where s² is zero.
        eps = float(np.finfo(np.float64).eps)
        rounding = n_seen * self.dim * (2.0 * eps * largest) ** 2
        size = max(n_seen, self.dim)
        if self._rows is not None:
            rows = np.concatenate(self._rows) if self._rows else np.zeros((1, self.dim))
            return Spectrum.of_rows(rows, rounding=rounding, size=size)
        if self._dense is not None:
            return Spectrum.of_gram(self._dense, rounding=rounding, size=size)
        assert self._sketch is not None
        return Spectrum.of_sketch(self._sketch, self._test(), trace=self.trace)

    def dense(self) -> FloatArray:
        """XᵀX (dim, dim) itself.

        Raises
        ------
        ParameterError
            Only a sketch of it was kept.
        """
        if self._dense is not None:
            return self._dense.copy()
        if self._rows is None:
            raise ParameterError(
                f"XᵀX of {self.dim} dimensions was only sketched: the limit is "
                f"{self.limits.max_dense_dim}"
            )
        rows = np.concatenate(self._rows) if self._rows else np.zeros((1, self.dim))
        return cross(rows, rows)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Everything but dim, limits and seed, as arrays; `restore` reads it back."""
        arrays: dict[str, NDArray[Any]] = {"trace": np.array([self.trace])}
        if self._rows is not None:
            empty = np.zeros((0, self.dim))
            arrays["rows"] = np.concatenate(self._rows) if self._rows else empty
        if self._dense is not None:
            arrays["dense"] = self._dense
        if self._sketch is not None:
            arrays["sketch"] = self._sketch
        return arrays

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take the sums that `to_arrays` gave."""
        self.trace = float(arrays["trace"][0])
        self._rows = [arrays["rows"]] if "rows" in arrays else None
        self._dense = arrays.get("dense")
        self._sketch = arrays.get("sketch")
