"""Building the index of a space from its stored vectors, a block of them in memory at a time."""

from __future__ import annotations

from typing import Final

import numpy as np

from indexers.index import VectorIndex, train_index
from indexers.stage import AbstractIndexConfig
from indexers.types import FloatArray, IdArray, RowReader
from latentdb.arrays import is_among
from latentdb.errors import NotEnoughDataError
from latentdb.index.name import IndexName, metric_for
from latentdb.progress import Progress, silent
from latentdb.space import Space
from latentdb.store import Store

# What cells and codes are fitted to: 256 MB of float32, 65,536 rows of 1,024 values, and of narrow
# rows no more than cells gain by.
SAMPLE_VALUES: Final = 1 << 26
_SAMPLE_ROWS = 1 << 17
# What is added at once: 32 MB of float32.
_BLOCK_VALUES = 1 << 23
_SEED = 0


def build_from_store(
    store: Store,
    space: Space,
    name: IndexName,
    config: AbstractIndexConfig,
    *,
    leave_out: IdArray | None = None,
    progress: Progress = silent,
) -> VectorIndex:
    """Index of the vectors of `space` whose items are committed.

    Takes the memory of the index, of a block of rows, and meanwhile of the sample that cells and
    codes are fitted to. Where the sample is everything, it is read once.

    Parameters
    ----------
    store : Store
    space : Space
    name : IndexName
        The metric and its prior.
    config : AbstractIndexConfig
    leave_out : (n,) int64, optional
        Ids of rows that are not put in: they are what an approximate index is measured by, as new
        pictures, before whoever asked adds them.
    progress : Progress
        Told after every block, in rows.

    Raises
    ------
    NotEnoughDataError
        There are none.
    """
    ids = store.vector_ids(space.name)
    if leave_out is not None:
        ids = np.setdiff1d(ids, leave_out, assume_unique=True)
    if not len(ids):
        raise NotEnoughDataError(
            f"space {space.name!r} holds no vectors yet, so there is nothing to index: "
            "latentdb ingest DB SOURCE"
        )
    metric = metric_for(name, space.dim, lambda: stored_norms(store, space))
    picked = _sample_of(ids, space.dim)
    sample = store.vectors(space.name, picked)
    index = train_index(
        sample, count=len(ids), metric=metric, config=config, reader=row_reader(store, space)
    )
    if len(picked) == len(ids):
        index.add(sample, ids)
        progress(len(ids), len(ids), "adding vectors")
        return index
    del sample
    for rows in store.iter_vectors(space.name, max(1, _BLOCK_VALUES // space.dim)):
        # Rows that came meanwhile are searched beside the index, as all that come later are.
        stays = is_among(rows.ids, ids)
        index.add(rows.vectors[stays], rows.ids[stays])
        progress(len(index), len(ids), "adding vectors")
    return index


def row_reader(store: Store, space: Space) -> RowReader:
    """Reads the full vectors of a space by id, for indexes that keep codes alone."""
    return lambda ids: store.vectors(space.name, ids)


def stored_norms(store: Store, space: Space) -> FloatArray:
    """Norm of every vector of a space (n,), as it is stored beside it."""
    norms: FloatArray = store.metadata(space.name)["norm"].to_numpy().astype(np.float64)
    return norms


def _sample_of(ids: IdArray, dim: int) -> IdArray:
    """As many of `ids`, sorted, as a sample may hold."""
    count = min(_SAMPLE_ROWS, max(1, SAMPLE_VALUES // dim))
    if len(ids) <= count:
        return ids
    return np.sort(np.random.default_rng(_SEED).choice(ids, count, replace=False))
