"""Found rows as hits: with the source and the labels of their items."""

from __future__ import annotations

from dataclasses import replace

from indexers.types import FloatArray, IdArray, SearchResult
from latentdb.store import Store
from latentdb.types import Hit


def hits_of(store: Store, ids: IdArray, distances: FloatArray) -> list[Hit]:
    """Hits in the order of `ids` (n,), at `distances` (n,)."""
    return [
        Hit(item.id, float(distances[at]), None, None, item.source, item.labels)
        for at, item in enumerate(store.items(ids))
    ]


def hits_at(store: Store, found: SearchResult, places: IdArray) -> list[Hit]:
    """Hits at these places of the first row of `found`, in their order."""
    hits = hits_of(store, found.ids[0][places], found.distances[0][places])
    if found.angular is None or found.radial is None:
        return hits
    return [
        replace(hit, angular=float(found.angular[0][at]), radial=float(found.radial[0][at]))
        for hit, at in zip(hits, places, strict=True)
    ]
