"""Answering a resolved question: filter, nearest neighbours, the items behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from indexers.types import IdArray
from latentdb.directions.direction import Direction
from latentdb.filters import filter_ids
from latentdb.query import Query, resolve
from latentdb.types import Answer, Hit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from latentdb.database import LatentDB

_SCAN_ROWS = 8192


def run_search(db: LatentDB, query: Query) -> Answer:
    """Resolve, filter, search and describe; see `LatentDB.search`."""
    resolved = resolve(db, query)
    space = resolved.space
    live = db.indexes_.live(space, query.metric, query.prior)
    allowed = filter_ids(db.store, query.where, space.name) if query.where is not None else None
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
    where = np.flatnonzero(keep)[: query.k]
    hits = _hits(
        db,
        found.ids[0][where],
        found.distances[0][where],
        None if found.angular is None else found.angular[0][where],
        None if found.radial is None else found.radial[0][where],
    )
    asked = {**query.to_json(), **resolved.steps}
    if live.prior is not None:
        asked["prior"] = live.prior
    recall = 1.0 if found.exact else live.facts.recall_at_10
    return Answer(space.name, live.metric.name, found.exact, asked, hits, recall)


def run_rank(
    db: LatentDB, direction: Direction, *, where: str | None, k: int, descending: bool
) -> Answer:
    """Scan the space along a direction, keeping the `k` foremost; see `LatentDB.rank`."""
    space = db.store.space(direction.space)
    direction.require_space(space)
    allowed = filter_ids(db.store, where, space.name) if where is not None else None
    ids = np.empty(0, dtype=np.int64)
    order = np.empty(0)
    for rows in db.store.iter_vectors(space.name, _SCAN_ROWS):
        score = direction.project(rows.vectors)
        ids = np.concatenate([ids, rows.ids])
        order = np.concatenate([order, -score if descending else score])
        keep = np.isin(ids, allowed) if allowed is not None else np.ones(len(ids), dtype=bool)
        ids, order = _foremost(ids[keep], order[keep], k)
    asked = {"kind": "rank", "value": direction.name, "k": k, "descending": descending}
    if where is not None:
        asked["where"] = where
    return Answer(space.name, "direction", True, asked, _hits(db, ids, order, None, None))


def _foremost(
    ids: IdArray, order: NDArray[np.float64], k: int
) -> tuple[IdArray, NDArray[np.float64]]:
    """The `k` rows of least `order`, sorted."""
    first = np.argsort(order, kind="stable")[:k]
    return ids[first], order[first]


def _hits(
    db: LatentDB,
    ids: IdArray,
    distances: NDArray[np.float64],
    angular: NDArray[np.float64] | None,
    radial: NDArray[np.float64] | None,
) -> list[Hit]:
    """Hits with the source and labels of their items."""
    items = db.store.items(ids)
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
