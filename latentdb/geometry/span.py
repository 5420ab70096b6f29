"""The span of a few vectors: every centre of theirs lies in it, and it is a small place."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from indexers.types import FloatArray

# Beyond this many rows a basis costs more than iterating in the space itself.
_FEW = 256


class Span(NamedTuple):
    """Coordinates of some vectors in an orthonormal basis of their span.

    Attributes
    ----------
    coordinates : (n, k)
        Norms and angles are those of the vectors.
    basis : (dim, k) or None
        None where the coordinates are the vectors themselves.
    """

    coordinates: FloatArray
    basis: FloatArray | None

    @classmethod
    def of(cls, rows: FloatArray) -> Span:
        """Span of `rows` (n, dim); of many rows, or of as many as `dim`, the whole space."""
        n, dim = rows.shape
        if n > _FEW or n >= dim:
            return cls(rows, None)
        # Not the Gram matrix: cosines lose half of the digits of small angles.
        basis, triangle = np.linalg.qr(rows.T)
        return cls(np.ascontiguousarray(triangle.T), basis)

    def lift(self, coordinates: FloatArray) -> FloatArray:
        """The vector (dim,) at `coordinates` (k,)."""
        return coordinates if self.basis is None else self.basis @ coordinates
