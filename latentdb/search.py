"""Answering questions: filter, nearest neighbours, the items behind them; many at once.

What questions share is done once: parts of one kind are embedded together, one search of an index
finds the neighbours of all questions that are asked of it alike, one read describes all hits.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple, final

import numpy as np

from indexers.metric import AbstractMetric
from indexers.types import IdArray, SearchResult
from latentdb.catalog import Catalog
from latentdb.diversity import candidates_for, choose_diverse
from latentdb.errors import LatentDBError, UnknownItemError
from latentdb.explain import explain
from latentdb.hits import Found, describe
from latentdb.index.live import LiveIndex
from latentdb.nearest import Comparison, compared
from latentdb.query import Query
from latentdb.resolve import Resolved, or_error, resolve_all
from latentdb.types import Answer, Hit

# Questions that are worked on together: what they hold in memory meanwhile stays small.
_TOGETHER = 128


def run_search(catalog: Catalog, query: Query) -> Answer:
    """The items nearest to a question: resolve, filter, search, describe.

    Without an index the answer is computed exactly from the stored vectors. Rows newer than an
    index are searched beside it, so the answer is never silently incomplete.

    Raises
    ------
    QueryError, FilterError, UnknownSpaceError, UnknownItemError, UnknownMapError, …
        The question contradicts itself, or names something that is not in the database.
    """
    return raise_first(run_searches(catalog, [query]))[0]


def run_searches(catalog: Catalog, queries: Sequence[Query]) -> list[Answer | LatentDBError]:
    """An answer to every question, or the error that its asker is to see.

    Answers are those of `run_search` for each, up to the rounding of products of matrices (1e-6).
    One question that cannot be answered leaves the others be.
    """
    answers: list[Answer | LatentDBError] = []
    for start in range(0, len(queries), _TOGETHER):
        with catalog.store.look.block():
            answers += _together(catalog, queries[start : start + _TOGETHER])
    return answers


def raise_first(answers: Sequence[Answer | LatentDBError]) -> list[Answer]:
    """The answers, where there is no error among them; else the first error is raised."""
    good = []
    for one in answers:
        if isinstance(one, LatentDBError):
            raise one
        good.append(one)
    return good


@final
class _Asked(NamedTuple):
    """A question in the space that answers it, and its place among those it came with."""

    at: int
    query: Query
    resolved: Resolved

    @property
    def wanted(self) -> int:
        """Hits to look for.

        Items that a question is asked with are their own nearest neighbours: as many more are
        looked for, and those are left out.
        """
        query = self.query
        count = query.k if query.diverse is None else candidates_for(query.k)
        return count + len(query.item_ids)


@final
class _Answered(NamedTuple):
    """A question with the rows that answer it, yet to be described."""

    asked: _Asked
    live: LiveIndex
    found: Found
    said: dict[str, object]


def _together(catalog: Catalog, queries: Sequence[Query]) -> list[Answer | LatentDBError]:
    answers: list[Answer | LatentDBError | None] = [None] * len(queries)
    groups: dict[Comparison, list[_Asked]] = {}
    for at, resolved in enumerate(resolve_all(catalog, queries)):
        if isinstance(resolved, LatentDBError):
            answers[at] = resolved
            continue
        query = queries[at]
        alike = Comparison(
            resolved.space.name, query.metric, query.prior, query.where, query.max_distance
        )
        groups.setdefault(alike, []).append(_Asked(at, query, resolved))
    answered = [
        one
        for alike, asked in groups.items()
        for one in _answers_of(catalog, alike, asked, answers)
    ]
    for one, answer in zip(answered, _described(catalog, answered), strict=True):
        answers[one.asked.at] = answer
    return [one for one in answers if one is not None]


def _answers_of(
    catalog: Catalog,
    alike: Comparison,
    asked: list[_Asked],
    answers: list[Answer | LatentDBError | None],
) -> list[_Answered]:
    """Rows for questions alike; where that fails, `answers` gets the error of each."""
    together = or_error(partial(_found, catalog, alike, asked))
    if not isinstance(together, LatentDBError):
        return together
    if len(asked) == 1:
        answers[asked[0].at] = together
        return []
    return [found for one in asked for found in _answers_of(catalog, alike, [one], answers)]


def _found(catalog: Catalog, alike: Comparison, asked: Sequence[_Asked]) -> list[_Answered]:
    """The rows that answer questions alike: one search for all of them."""
    vectors = [one.resolved.vector for one in asked]
    rows = np.stack(vectors) if len(vectors) > 1 else vectors[0][None]
    live, found = compared(catalog, alike, rows, max(one.wanted for one in asked))
    return [_chosen(catalog, one, live, found, row) for row, one in enumerate(asked)]


def _chosen(
    catalog: Catalog, one: _Asked, live: LiveIndex, found: SearchResult, row: int
) -> _Answered:
    """Those of a row of found ones that are the question's hits."""
    query = one.query
    said: dict[str, object] = {**query.to_json(), **one.resolved.steps}
    hits = Found.at(found, row, _hit_places(found.ids[row, : one.wanted], query.item_ids))
    if query.diverse is not None:
        said["candidates"] = len(hits.ids)
        hits = hits.take(_diverse(catalog, one.resolved, live.metric, hits, query))
    if live.prior is not None:
        said["prior"] = live.prior
    return _Answered(one, live, hits, said)


def _hit_places(ids: IdArray, asked_with: tuple[int, ...]) -> slice | IdArray:
    """Places of hits in a row of found ids, which is padded: not of items that are asked with."""
    if not asked_with:
        return slice(len(ids) if ids[-1] >= 0 else int(np.count_nonzero(ids >= 0)))
    places = np.flatnonzero((ids >= 0) & ~np.isin(ids, asked_with))
    return places[: len(ids) - len(asked_with)]


def _described(catalog: Catalog, answered: Sequence[_Answered]) -> list[Answer | LatentDBError]:
    """The answers, all hits read at once; of items deleted meanwhile, each by itself."""
    if not answered:
        return []
    described = or_error(lambda: describe(catalog.store, [one.found for one in answered]))
    if isinstance(described, UnknownItemError) and len(answered) > 1:
        return [_described(catalog, [one])[0] for one in answered]
    if isinstance(described, LatentDBError):
        return [described for _ in answered]
    return [
        or_error(partial(_answer, catalog, one, hits))
        for one, hits in zip(answered, described, strict=True)
    ]


def _answer(catalog: Catalog, one: _Answered, hits: list[Hit]) -> Answer:
    resolved, exact = one.asked.resolved, one.found.exact
    if one.asked.query.explain:
        hits = _explained(catalog, resolved, hits)
    recall = 1.0 if exact else one.live.facts.recall_for(resolved.question_kinds)
    return Answer(resolved.space.name, one.live.metric.name, exact, one.said, hits, recall)


def _diverse(
    catalog: Catalog, resolved: Resolved, metric: AbstractMetric, found: Found, query: Query
) -> IdArray:
    """Places of those that are near the question and unlike one another."""
    assert query.diverse is not None
    return choose_diverse(
        metric,
        found.distances,
        catalog.store.vectors(resolved.space.name, found.ids),
        k=query.k,
        trade_off=query.diverse,
    )


def _explained(catalog: Catalog, resolved: Resolved, hits: list[Hit]) -> list[Hit]:
    """The hits, each with what every part of the question did for it."""
    vectors = catalog.store.vectors(resolved.space.name, [hit.id for hit in hits])
    return [
        hit._replace(explanation=one)
        for hit, one in zip(hits, explain(resolved, vectors), strict=True)
    ]
