"""Answering a resolved question: filter, nearest neighbours, the items behind them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from indexers.types import IdArray
from latentdb.catalog import Catalog
from latentdb.filters import filter_ids
from latentdb.query import Query
from latentdb.resolve import resolve
from latentdb.store import Store
from latentdb.succession.routing import active
from latentdb.types import Answer, Hit

_SCAN_ROWS = 8192


def run_search(catalog: Catalog, query: Query) -> Answer:
    """The items nearest to a question: resolve, filter, search, describe.

    Without an index the answer is computed exactly from the stored vectors. Rows newer than an
    index are searched beside it, so the answer is never silently incomplete.

    Raises
    ------
    QueryError, FilterError, UnknownSpaceError, UnknownItemError, UnknownMapError, …
        The question contradicts itself, or names something that is not in the database.
    """
    resolved = resolve(catalog, query)
    space = resolved.space
    live = catalog.indexes.live(space, query.metric, query.prior)
    store, where = catalog.store, query.where
    allowed = filter_ids(store, where, space.name) if where is not None else None
    # The item a question is asked by is its own nearest neighbour: ask for one more, drop it.
    extra = 1 if query.id is not None else 0
    found = live.search(
        resolved.vector[None],
        query.k + extra,
        allowed_ids=allowed,
        max_distance=query.max_distance,
    )
    keep = found.ids[0] >= 0
    if query.id is not None:
        keep &= found.ids[0] != query.id
    first = np.flatnonzero(keep)[: query.k]
    hits = _hits(
        store,
        found.ids[0][first],
        found.distances[0][first],
        None if found.angular is None else found.angular[0][first],
        None if found.radial is None else found.radial[0][first],
    )
    asked = {**query.to_json(), **resolved.steps}
    if live.prior is not None:
        asked["prior"] = live.prior
    recall = 1.0 if found.exact else live.facts.recall_at_10
    return Answer(space.name, live.metric.name, found.exact, asked, hits, recall)


def run_rank(
    catalog: Catalog,
    name: str,
    *,
    space: str | None = None,
    where: str | None = None,
    k: int = 10,
    descending: bool = True,
) -> Answer:
    """Items by their signed distance to a direction's boundary, the most so first.

    Parameters
    ----------
    catalog : Catalog
    name, space : str
        A fitted direction; its space is needed only when it was fitted in several.
    where, k, descending
        SQL condition on labels and quality; how many; False puts the least so first.

    Returns
    -------
    Answer
        With metric "direction"; `distance` is minus the signed distance to the boundary in
        standard deviations (plus it when `descending` is false), so lower still comes first.

    Raises
    ------
    UnknownDirectionError, QueryError, FilterError, SpaceMismatchError
        See `Catalog.direction`; the condition cannot be understood; the direction was fitted on
        other vectors than the space holds now.
    """
    store = catalog.store
    direction = catalog.direction(
        name, None if space is None else active(catalog.migrations, space, store)
    )
    home = store.space(direction.space)
    direction.require_space(home)
    allowed = filter_ids(store, where, home.name) if where is not None else None
    ids = np.empty(0, dtype=np.int64)
    order = np.empty(0)
    for rows in store.iter_vectors(home.name, _SCAN_ROWS):
        score = direction.project(rows.vectors)
        ids = np.concatenate([ids, rows.ids])
        order = np.concatenate([order, -score if descending else score])
        keep = np.isin(ids, allowed) if allowed is not None else np.ones(len(ids), dtype=bool)
        ids, order = _foremost(ids[keep], order[keep], k)
    asked = {"kind": "rank", "value": direction.name, "k": k, "descending": descending}
    if where is not None:
        asked["where"] = where
    return Answer(home.name, "direction", True, asked, _hits(store, ids, order, None, None))


def _foremost(
    ids: IdArray, order: NDArray[np.float64], k: int
) -> tuple[IdArray, NDArray[np.float64]]:
    """The `k` rows of least `order`, sorted."""
    first = np.argsort(order, kind="stable")[:k]
    return ids[first], order[first]


def _hits(
    store: Store,
    ids: IdArray,
    distances: NDArray[np.float64],
    angular: NDArray[np.float64] | None,
    radial: NDArray[np.float64] | None,
) -> list[Hit]:
    """Hits with the source and labels of their items."""
    items = store.items(ids)
    return [
        Hit(
            id=item.id,
            distance=float(distances[i]),
            angular=None if angular is None else float(angular[i]),
            radial=None if radial is None else float(radial[i]),
            source=item.source,
            labels=item.labels,
        )
        for i, item in enumerate(items)
    ]
