"""Items page by page, in the order of their ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from latentdb.errors import QueryError
from latentdb.filters import filter_ids
from latentdb.store import Store
from latentdb.types import Item


@final
@dataclass(frozen=True)
class ItemPage:
    """Some of the items that qualify.

    Attributes
    ----------
    items : list of Item
        By id, ascending.
    count : int
        How many qualify, on all pages.
    next_after : int or None
        What the next page is asked with as `after`; None on the last one.
    """

    items: list[Item]
    count: int
    next_after: int | None


def list_items(
    store: Store, *, where: str | None = None, limit: int = 100, after: int | None = None
) -> ItemPage:
    """The first `limit` items above id `after` that pass a filter.

    A page is told by the id it follows, so that items which come or go meanwhile neither repeat
    others nor hide them.

    Raises
    ------
    QueryError
        `limit` is below 1.
    FilterError
        The condition cannot be understood.
    """
    if limit < 1:
        raise QueryError(f"limit is the number of items on a page, at least 1; got {limit}")
    ids = store.item_ids() if where is None else filter_ids(store, where, None)
    start = 0 if after is None else int(np.searchsorted(ids, after, side="right"))
    shown = ids[start : start + limit]
    is_last = start + limit >= len(ids)
    return ItemPage(store.items(shown), len(ids), None if is_last else int(shown[-1]))
