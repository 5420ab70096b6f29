"""Comparing queries with every row, by matrix products.

FAISS compares one query after the other, each on one thread, and its own product of matrices is
that of a portable build: for eight queries NumPy's is twice as fast, for thirty-two five times.
"""

from __future__ import annotations

import numpy as np

from indexers.checks import row_blocks
from indexers.ids import Selection
from indexers.shortlist import Shortlist
from indexers.types import Float32Array, IdArray

# Fewer selected rows than this share of all are copied together instead of passed over.
_SPARSE = 8
_COPIED_VALUES = 1 << 24
_FEW_QUERIES = 2


def scan_shortlists(
    rows: Float32Array, queries: Float32Array, selection: Selection
) -> list[Shortlist]:
    """Every selected row for each query, with its inner product."""
    positions = selection.positions(len(rows))
    if selection.mask is None:
        scores = _products(rows, queries)
    elif selection.count * _SPARSE > len(rows):
        scores = _products(rows, queries)[:, positions]
    else:
        scores = _of_few(rows, queries, positions)
    return [Shortlist(positions, one, 0.0, -np.inf) for one in scores]


def _products(rows: Float32Array, queries: Float32Array) -> Float32Array:
    """(n_queries, n): products of a matrix and a vector where queries are few, else of matrices."""
    if not rows.flags.aligned:
        # Rows that are mapped from a file begin at any byte, and NumPy would copy all of them.
        return np.concatenate(
            [_products(rows[block].copy(), queries) for block in row_blocks(*rows.shape)], axis=1
        )
    if len(queries) <= _FEW_QUERIES:
        return np.stack([rows @ query for query in queries])
    return np.ascontiguousarray((rows @ queries.T).T)


def _of_few(rows: Float32Array, queries: Float32Array, positions: IdArray) -> Float32Array:
    scores = np.empty((len(queries), len(positions)), np.float32)
    step = max(1, _COPIED_VALUES // max(rows.shape[1], 1))
    for start in range(0, len(positions), step):
        part = slice(start, start + step)
        scores[:, part] = queries @ rows[positions[part]].T
    return scores
