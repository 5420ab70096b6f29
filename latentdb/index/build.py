"""Building the index of a space from its stored vectors."""

from __future__ import annotations

import numpy as np

from indexers.index import VectorIndex, build_index
from indexers.stage import AbstractIndexConfig
from indexers.types import IdArray
from latentdb.errors import NotEnoughDataError
from latentdb.index.name import IndexName, metric_for
from latentdb.space import Space
from latentdb.store import Store


def build_from_store(
    store: Store,
    space: Space,
    name: IndexName,
    config: AbstractIndexConfig,
    *,
    leave_out: IdArray | None = None,
) -> VectorIndex:
    """Index of the vectors of `space` whose items are committed, in memory.

    Rows of `leave_out` are not put in: they are what an approximate index is measured by, as new
    pictures, before whoever asked adds them.

    Raises
    ------
    NotEnoughDataError
        There are none.
    """
    rows = store.all_vectors(space.name)
    keep = np.isin(rows.ids, store.item_ids())
    if not keep.any():
        raise NotEnoughDataError(
            f"space {space.name!r} holds no vectors yet, so there is nothing to index: "
            "latentdb ingest DB SOURCE"
        )
    vectors = rows.vectors if keep.all() else rows.vectors[keep]
    metric = metric_for(name, vectors)
    ids = rows.ids[keep]
    if leave_out is not None:
        stays = ~np.isin(ids, leave_out)
        vectors, ids = vectors[stays], ids[stays]
    return build_index(vectors, ids, metric=metric, config=config)
