"""Answering a resolved question: filter, nearest neighbours, the items behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from indexers.metric import AbstractMetric
from indexers.types import IdArray, SearchResult
from latentdb.catalog import Catalog
from latentdb.diversity import candidates_for, choose_diverse
from latentdb.errors import LatentDBError
from latentdb.explain import explain
from latentdb.filters import filter_ids
from latentdb.hits import hits_at
from latentdb.query import Query
from latentdb.resolve import Resolved, resolve
from latentdb.types import Answer, Hit


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
    # Items that a question is asked with are their own nearest neighbours: ask for as many more,
    # and leave them out.
    asked_with = query.item_ids
    count = query.k if query.diverse is None else candidates_for(query.k)
    found = live.search(
        resolved.vector[None],
        count + len(asked_with),
        allowed_ids=allowed,
        max_distance=query.max_distance,
    )
    is_hit = (found.ids[0] >= 0) & ~np.isin(found.ids[0], asked_with)
    places = np.flatnonzero(is_hit)[:count]
    asked = {**query.to_json(), **resolved.steps}
    if query.diverse is not None:
        asked["candidates"] = len(places)
        places = _diverse(catalog, resolved, live.metric, found, places, query)
    if live.prior is not None:
        asked["prior"] = live.prior
    hits = hits_at(store, found, places)
    if query.explain:
        hits = _explained(catalog, resolved, hits)
    recall = 1.0 if found.exact else live.facts.recall_at_10
    return Answer(space.name, live.metric.name, found.exact, asked, hits, recall)


def run_searches(catalog: Catalog, queries: Sequence[Query]) -> list[Answer | LatentDBError]:
    """An answer to every question, or the error that its asker is to see.

    One question that cannot be answered leaves the others be.
    """
    return [_answer_or_error(catalog, query) for query in queries]


def raise_first(answers: Sequence[Answer | LatentDBError]) -> list[Answer]:
    """The answers, where there is no error among them; else the first error is raised."""
    good = []
    for one in answers:
        if isinstance(one, LatentDBError):
            raise one
        good.append(one)
    return good


def _answer_or_error(catalog: Catalog, query: Query) -> Answer | LatentDBError:
    try:
        return run_search(catalog, query)
    except LatentDBError as error:
        return error


def _diverse(
    catalog: Catalog,
    resolved: Resolved,
    metric: AbstractMetric,
    found: SearchResult,
    places: IdArray,
    query: Query,
) -> IdArray:
    """Those of the places that are near the question and unlike one another."""
    assert query.diverse is not None
    chosen = choose_diverse(
        metric,
        found.distances[0][places],
        catalog.store.vectors(resolved.space.name, found.ids[0][places]),
        k=query.k,
        trade_off=query.diverse,
    )
    return places[chosen]


def _explained(catalog: Catalog, resolved: Resolved, hits: list[Hit]) -> list[Hit]:
    """The hits, each with what every part of the question did for it."""
    vectors = catalog.store.vectors(resolved.space.name, [hit.id for hit in hits])
    return [
        replace(hit, explanation=one)
        for hit, one in zip(hits, explain(resolved, vectors), strict=True)
    ]
