"""The best rows by their codes: one FAISS search, or one per core where queries are few.

FAISS compares a query with all codes on one thread. Where there are more threads than queries, each
takes a range of the positions.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from indexers.faiss_library import faiss
from indexers.ids import Selection
from indexers.types import Float32Array, IdArray

# Values of codes that are worth a thread: some .3 ms of comparing.
_LEAST_VALUES = 4 << 20


class CodeList(NamedTuple):
    """Rows of one query by the scores of their codes, in no order.

    `last` is the score that no code of another selected row betters; infinitely bad where there is
    no other row, and then `complete`.
    """

    positions: IdArray
    scores: Float32Array
    last: float
    complete: bool


def best_by_code(
    codes: Any, queries: Float32Array, width: int, selection: Selection
) -> list[CodeList]:
    """About the best `width` selected rows of each query, by code.

    Parameters
    ----------
    codes : faiss.Index
        Of as many rows as there are positions.
    """
    width = min(width, selection.count)
    threads = min(faiss.omp_get_max_threads(), int(codes.ntotal * codes.d) // _LEAST_VALUES)
    parts = threads // len(queries)
    if parts < 2 or width == selection.count:
        return _search(codes, queries, width, (selection.selector, width == selection.count))
    each = width / parts
    # Ranges hold unlike shares of the best.
    share = min(math.ceil(each + 3.0 * math.sqrt(each)), width)
    edges = np.linspace(0, codes.ntotal, parts + 1).astype(int)
    ranges = [_range(low, high, selection) for low, high in pairwise(edges)]
    jobs = [
        _pool(threads).submit(_search, codes, query[None], share, (rows, False))
        for query in queries
        for rows in ranges
    ]
    found = [job.result()[0] for job in jobs]
    is_similarity = codes.metric_type == faiss.METRIC_INNER_PRODUCT
    return [
        _merged(found[start : start + parts], is_similarity=is_similarity)
        for start in range(0, len(found), parts)
    ]


def _search(
    codes: Any, queries: Float32Array, width: int, rows: tuple[Any, bool]
) -> list[CodeList]:
    """The best `width` of the rows that a selector lets pass, which may be all there are."""
    selector, is_all = rows
    parameters = None if selector is None else faiss.SearchParameters(sel=selector)
    scores, positions = codes.search(queries, width, params=parameters)
    worst = -np.inf if codes.metric_type == faiss.METRIC_INNER_PRODUCT else np.inf
    lists = []
    for near, by_code in zip(positions, scores, strict=True):
        # FAISS pads where the selector let too few pass.
        count = int(np.count_nonzero(near >= 0))
        complete = is_all or count < width
        last = worst if complete else float(by_code[-1])
        lists.append(CodeList(near[:count], by_code[:count], last, complete))
    return lists


def _range(low: int, high: int, selection: Selection) -> Any:
    within = faiss.IDSelectorRange(int(low), int(high))
    if selection.selector is None:
        return within
    return faiss.IDSelectorAnd(within, selection.selector)


def _merged(parts: list[CodeList], *, is_similarity: bool) -> CodeList:
    best = max if is_similarity else min
    return CodeList(
        np.concatenate([part.positions for part in parts]),
        np.concatenate([part.scores for part in parts]),
        best(part.last for part in parts),
        all(part.complete for part in parts),
    )


@lru_cache(maxsize=8)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="codes")
