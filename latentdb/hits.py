"""Found rows as hits: with the source and the labels of their items."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple, final

import numpy as np

from indexers.types import FloatArray, IdArray, SearchResult
from latentdb.store import Store
from latentdb.types import Hit


@final
class Found(NamedTuple):
    """Rows that answer one question, in their order: ids, distances and their parts (n,) each."""

    ids: IdArray
    distances: FloatArray
    angular: FloatArray | None = None
    radial: FloatArray | None = None
    exact: bool = True

    @classmethod
    def at(cls, found: SearchResult, row: int, places: slice | IdArray) -> Found:
        """Those at some places of one row of what a search found."""
        return cls(
            found.ids[row][places],
            found.distances[row][places],
            None if found.angular is None else found.angular[row][places],
            None if found.radial is None else found.radial[row][places],
            found.exact,
        )

    def take(self, places: IdArray) -> Found:
        """Some of them, in this order."""
        return Found(
            self.ids[places],
            self.distances[places],
            None if self.angular is None else self.angular[places],
            None if self.radial is None else self.radial[places],
            self.exact,
        )


def hits_of(store: Store, ids: IdArray, distances: FloatArray) -> list[Hit]:
    """Hits in the order of `ids` (n,), at `distances` (n,)."""
    return describe(store, [Found(ids, distances)])[0]


def describe(store: Store, found: Sequence[Found]) -> list[list[Hit]]:
    """The hits of each of several questions, by one read of the items.

    Raises
    ------
    UnknownItemError
        One of them was deleted meanwhile.
    """
    told = store.told(found[0].ids if len(found) == 1 else np.concatenate([f.ids for f in found]))
    return [
        [
            Hit(item_id, distance, angular, radial, source, labels)
            for item_id, distance, angular, radial, (source, labels) in zip(
                one.ids.tolist(),
                one.distances.tolist(),
                _listed(one.angular, len(one.ids)),
                _listed(one.radial, len(one.ids)),
                islice(told, len(one.ids)),
                strict=True,
            )
        ]
        for one in found
    ]


def _listed(values: FloatArray | None, count: int) -> Sequence[float | None]:
    return [None] * count if values is None else values.tolist()
