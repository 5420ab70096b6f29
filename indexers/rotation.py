"""A fixed rotation that spreads every coordinate over all others, in n·log n steps and no memory.

Codes give each coordinate, or each few, the same number of bits; embeddings have coordinates that
vary a hundred times as much as others. A matrix of 16,384² random values would take a gigabyte.
"""

from __future__ import annotations

from typing import final

import numpy as np
from scipy.fft import dct

from indexers.types import Float32Array

_ROUNDS = 2


@final
class Rotation:
    """Random signs and a cosine transform, twice: orthogonal, and the same for one `dim` for ever.

    Parameters
    ----------
    dim : int

    References
    ----------
    Ailon and Chazelle, "The fast Johnson-Lindenstrauss transform and approximate nearest
    neighbors", SIAM J. Comput. 39(1), 2009 (signs and a fast orthogonal transform).
    """

    def __init__(self, dim: int) -> None:
        # Raw bits of PCG64 are promised to stay the same; what `Generator` makes of them is not.
        words = np.random.PCG64(0).random_raw(-(-_ROUNDS * dim // 64))
        bits = np.unpackbits(words.astype("<u8").view(np.uint8))[: _ROUNDS * dim]
        self._signs = (2.0 * bits - 1.0).astype(np.float32).reshape(_ROUNDS, dim)

    def apply(self, rows: Float32Array) -> Float32Array:
        """Rows (n, dim) turned; not modified."""
        for signs in self._signs:
            rows = dct(rows * signs, norm="ortho", axis=1, overwrite_x=True)
        return rows
