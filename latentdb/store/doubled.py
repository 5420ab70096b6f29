"""Rows that share a key with another, which only writers without the lock can make."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from latentdb.store.tables import Pinned, Tables

RowIds: TypeAlias = NDArray[np.uint64]


def doubled_rows(table: Pinned, key: str) -> RowIds:
    """`_rowid`s of all but the first of the rows that share a key."""
    rows = table.scan([key], with_row_ids=True)
    row_ids: RowIds = rows["_rowid"].to_numpy()
    codes = rows[key].combine_chunks().dictionary_encode().indices.to_numpy()
    _, first = np.unique(codes, return_index=True)
    return np.delete(row_ids, first)


def remove_doubled(tables: Tables, name: str, key: str) -> None:
    """Keep the first of the rows that share a key."""
    tables.table(name).delete_among("_rowid", doubled_rows(tables.pin(name), key))
