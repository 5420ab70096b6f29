"""What passes the filters that are asked with again and again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import NamedTuple, final

import pyarrow as pa

from indexers.id_set import IdSet
from latentdb.filters import passing
from latentdb.store import Store

# Of a million rows each takes some 10 MB, with what indexes make of it.
_MOST = 16


class _Kept(NamedTuple):
    """What passed, and the metadata it passed by; the store makes other metadata of other rows."""

    metadata: pa.Table
    allowed: IdSet


@final
class FilterShelf:
    """Sets of the items that pass filters, kept until an item changes; safe for several threads.

    Parameters
    ----------
    store : Store
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, where: str, space: str) -> IdSet:
        """Items of a space that pass; see `latentdb.filters.filter_ids` for the errors."""
        metadata = self._store.look.once(("metadata", space), lambda: self._store.metadata(space))
        with self._lock:
            kept = self._kept.get((where, space))
            if kept is not None and kept.metadata is metadata:
                self._kept.move_to_end((where, space))
                return kept.allowed
        found = passing(self._store, where, space)
        allowed = IdSet(found.ids)
        # Energies change without the metadata, when they are measured otherwise.
        if not found.asks_energies:
            with self._lock:
                self._kept[where, space] = _Kept(metadata, allowed)
                while len(self._kept) > _MOST:
                    self._kept.popitem(last=False)
        return allowed
