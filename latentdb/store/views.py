"""A version of a table keyed by id: which ids, and where their rows are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentdb.errors import StoreIOError, UnknownItemError
from latentdb.store.tables import Pinned

Ids = NDArray[np.int64]

# Rows per read: 32 MB of 1,024 float32.
CHUNK_ROWS = 8192


@final
class KeyedView:
    """One version of a table keyed by `id`.

    Parameters
    ----------
    pinned : Pinned
        The table.

    Attributes
    ----------
    ids : (n,) int64
        Sorted, each once even where the table holds a row twice (the first is read).
    """

    def __init__(self, pinned: Pinned) -> None:
        self.pinned = pinned
        rows = pinned.scan(["id"], with_row_ids=True)
        stored = rows["id"].to_numpy()
        self.ids, first = np.unique(stored, return_index=True)
        self._row_ids: NDArray[np.uint64] = rows["_rowid"].to_numpy()[first]

    def in_storage_order(self, ids: Ids) -> Ids:
        """`ids`, which must be in the view, in the order in which their rows lie on disk."""
        return ids[np.argsort(self._row_ids[np.searchsorted(self.ids, ids)], kind="stable")]

    def take(self, ids: Ids, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Rows of distinct `ids` of the view, a chunk at a time, in storage order.

        `id` is among the columns whether asked for or not.
        """
        row_ids = np.sort(self._row_ids[np.searchsorted(self.ids, ids)])
        for start in range(0, len(row_ids), CHUNK_ROWS):
            wanted = row_ids[start : start + CHUNK_ROWS]
            rows = self.pinned.take(wanted, ["id", *(name for name in columns if name != "id")])
            if len(rows) != len(wanted):
                raise StoreIOError(
                    f"table {self.pinned.name} returned {len(rows)} of {len(wanted)} rows; run "
                    "latentdb check"
                )
            yield rows

    def take_ordered(self, ids: Ids, columns: Sequence[str]) -> pa.Table:
        """Rows of `ids` in the order asked for, repeats included."""
        unique, inverse = np.unique(ids, return_inverse=True)
        if not len(unique):
            return self.pinned.schema.empty_table().select(["id", *columns])
        rows = pa.concat_tables(self.take(unique, columns))
        return rows.take(pa.array(np.argsort(rows["id"].to_numpy())[inverse]))


def require_among(ids: Ids, there: Ids, what: str) -> None:
    """Raise UnknownItemError, naming some of those of `ids` that are not in `there`, sorted."""
    places_among(ids, there, what)


def places_among(ids: Ids, there: Ids, what: str) -> Ids:
    """Where `ids` are in `there`, sorted; UnknownItemError names some of those that are not."""
    at = there.searchsorted(ids)
    if len(ids) and not (at.max() < len(there) and (there[at] == ids).all()):
        missing = np.setdiff1d(ids, there)
        raise UnknownItemError.naming(missing.tolist(), what)
    return at


def vector_block(rows: pa.Table) -> NDArray[np.float32]:
    """Vectors (n, dim) float32 of a chunk, in its order."""
    flat = rows["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    block = flat.reshape(len(rows), rows.schema.field("vector").type.list_size)
    vectors: NDArray[np.float32] = block.astype(np.float32, copy=False)
    return vectors
