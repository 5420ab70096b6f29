"""The true neighbours of questions: every stored row is compared, and few are in memory at once."""

from __future__ import annotations

import numpy as np

from indexers.flat import FlatConfig
from indexers.index import build_index
from indexers.merging import merged
from indexers.metric import AbstractMetric
from indexers.types import IdArray, SearchResult
from latentdb.arrays import is_among
from latentdb.errors import NotEnoughDataError
from latentdb.model import Vectors
from latentdb.store import Store

# Values that are read at once: 64 MB of float32, and as much again while they are compared.
_BLOCK_VALUES = 1 << 24


def exact_neighbours(
    store: Store,
    space_name: str,
    metric: AbstractMetric,
    queries: Vectors,
    k: int,
    *,
    among: IdArray | None = None,
) -> SearchResult:
    """The nearest rows of each query among all that are stored, by one pass over the store.

    Takes the memory of a block of rows, whatever their number.

    Parameters
    ----------
    store : Store
    space_name : str
    metric : AbstractMetric
    queries : (n_queries, dim) float32
        Not modified.
    k : int
        Neighbours of each; where fewer rows are stored, answers are padded.
    among : (m,) int64, optional
        Ids of the rows that count, all where not given.

    Raises
    ------
    UnknownSpaceError
    NotEnoughDataError
        There are no rows.
    """
    rows_at_once = max(1, _BLOCK_VALUES // max(1, queries.shape[1]))
    counted = None if among is None else np.sort(among)
    found: SearchResult | None = None
    for rows in store.iter_vectors(space_name, rows_at_once):
        ids, vectors = rows.ids, rows.vectors
        if counted is not None:
            counts = is_among(ids, counted)
            ids, vectors = ids[counts], vectors[counts]
        if not len(ids):
            continue
        block = build_index(vectors, ids, metric=metric, config=FlatConfig())
        one = block.search(queries, k)
        found = one if found is None else merged(found, one, k)
    if found is None:
        raise NotEnoughDataError(
            f"space {space_name!r} holds no vectors to compare with: latentdb ingest DB SOURCE"
        )
    return found
