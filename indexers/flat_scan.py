"""The best rows of a flat FAISS index, for one query or for many at once.

FAISS compares a few queries one after the other; many are compared by a product of matrices, which
reads every row once for all of them. From four queries on that is faster in every dimension from
128 to 16,384, but for rows that fit a core's cache (5,000 x 128), where it takes some hundredths of
a millisecond more (`benchmarks/batched_scan.py`). It ignores filters: what a filter selects is then
copied together first, a block at a time, which pays from the same number of queries on.

Squared distances by a product, ‖x‖² + ‖y‖² − 2⟨x, y⟩, cancel between near neighbours. A few rows
more than asked for are therefore listed and measured again, and where those left out may be nearer
by what rounding hides, the query is compared row by row.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from indexers.faiss_library import faiss, multiply_from
from indexers.ids import Selection
from indexers.rounding import product_rounding
from indexers.types import Float32Array, FloatArray, IdArray

MANY_QUERIES = 4
_SPARE_ROWS = 16
# Selected rows copied at a time: 16 MB.
_COPIED_VALUES = 1 << 22

Scored = tuple[Float32Array, IdArray]


def scan_flat(
    flat: Any, rows: Float32Array, queries: Float32Array, k: int, selection: Selection
) -> Scored:
    """Scores and positions (n_queries, k) of the best selected rows, best first.

    Parameters
    ----------
    flat : faiss.IndexFlat
    rows : (n, dim)
        A view of what it holds.
    queries : (n_queries, dim)
    k : int
        At most `selection.count`.
    """
    multiply_from(MANY_QUERIES, rows.shape[1])
    if len(queries) < MANY_QUERIES:
        return _one_by_one(flat, queries, k, selection)
    if flat.metric_type == faiss.METRIC_INNER_PRODUCT:
        return _by_products(flat, rows, queries, k, selection)
    listed = min(k + _SPARE_ROWS, selection.count)
    rough, positions = _by_products(flat, rows, queries, listed, selection)
    squares, positions = _measured(rows, queries, positions)
    doubtful = np.zeros(len(queries), np.bool_)
    if listed < selection.count:
        doubtful = squares[:, k - 1] + _rounding(queries, squares[:, k - 1]) >= rough[:, -1]
    best = squares[:, :k].astype(np.float32), positions[:, :k]
    for at in np.flatnonzero(doubtful):
        best[0][at], best[1][at] = _one_by_one(flat, queries[at : at + 1], k, selection)
    return best


def _one_by_one(flat: Any, queries: Float32Array, k: int, selection: Selection) -> Scored:
    parameters = None
    if selection.selector is not None:
        parameters = faiss.SearchParameters(sel=selection.selector)
    scores, positions = flat.search(queries, k, params=parameters)
    return scores, positions


def _by_products(
    flat: Any, rows: Float32Array, queries: Float32Array, k: int, selection: Selection
) -> Scored:
    """The k best by products of matrices, as float32 has them."""
    if selection.mask is None:
        scores, positions = flat.search(queries, k)
        return scores, positions
    selected = selection.positions(len(rows))
    step = max(k, _COPIED_VALUES // rows.shape[1])
    found = []
    for start in range(0, len(selected), step):
        block = selected[start : start + step]
        scores, places = faiss.knn(
            queries, rows[block], min(k, len(block)), metric=flat.metric_type
        )
        found.append((scores, block[places]))
    if len(found) == 1:
        return found[0]
    scores, positions = (np.concatenate(parts, axis=1) for parts in zip(*found, strict=True))
    sign = -1.0 if flat.metric_type == faiss.METRIC_INNER_PRODUCT else 1.0
    order = np.argsort(sign * scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(scores, order, axis=1), np.take_along_axis(positions, order, axis=1)


def _measured(
    rows: Float32Array, queries: Float32Array, positions: IdArray
) -> tuple[FloatArray, IdArray]:
    """Squared distances of the listed rows by subtraction, ascending; ties by position."""
    squares = np.empty(positions.shape)
    for at, query in enumerate(queries):
        apart = rows[positions[at]].astype(np.float64) - query
        squares[at] = np.einsum("ij,ij->i", apart, apart)
    order = np.lexsort((positions, squares), axis=1)
    return np.take_along_axis(squares, order, axis=1), np.take_along_axis(positions, order, axis=1)


def _rounding(queries: Float32Array, squares: FloatArray) -> FloatArray:
    """Bound on the error of a product's squared distance between a query and any row this near."""
    norms = np.linalg.norm(queries.astype(np.float64), axis=1)
    farthest = norms + np.sqrt(squares)
    bound: FloatArray = product_rounding(queries.shape[1]) * (norms + farthest) ** 2
    return bound
