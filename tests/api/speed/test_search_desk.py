"""Questions that wait together are answered together, and never more than may wait."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any

import pytest

from api.http import search_desk
from api.http.metrics import Metrics
from api.http.search_desk import SearchDesk
from api.http.work import OverloadedError
from api.settings import ServerSettings
from latentdb.catalog import Catalog
from latentdb.database import LatentDB
from latentdb.errors import LatentDBError, UnknownItemError
from latentdb.query import Query
from latentdb.search import run_searches
from latentdb.types import Answer


class Watched:
    """`run_searches`, held back until told to go on; counts what it was asked with."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.begun = threading.Event()
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def __call__(self, catalog: Catalog, queries: Sequence[Query]) -> list[Answer | LatentDBError]:
        self.batches.append(len(queries))
        self.begun.set()
        assert self.may_go_on.wait(20)
        return run_searches(catalog, queries)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    one = Watched()
    monkeypatch.setattr(search_desk, "run_searches", one)
    yield one
    one.may_go_on.set()


def desk_of(db: LatentDB, **settings: Any) -> SearchDesk:
    return SearchDesk(db, ServerSettings(**settings), Metrics())


def run(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return asyncio.run(asyncio.wait_for(work(), 30))


async def held(desk: SearchDesk, watched: Watched) -> asyncio.Task[Answer | None]:
    """A first question that keeps the desk busy."""
    watched.may_go_on.clear()
    first = asyncio.create_task(desk.answer(Query(text="first", k=1)))
    while not watched.begun.is_set():
        await asyncio.sleep(0.002)
    return first


def test_what_waits_while_another_is_answered_is_answered_together(
    db: LatentDB, watched: Watched
) -> None:
    desk = desk_of(db, max_batch=4)

    async def work() -> list[Answer | None]:
        first = await held(desk, watched)
        others = [asyncio.create_task(desk.answer(Query(text=f"hat {i}", k=2))) for i in range(6)]
        await asyncio.sleep(0.02)
        assert desk.waiting == 6
        watched.may_go_on.set()
        return await asyncio.gather(first, *others)

    answers = run(work)
    assert watched.batches == [1, 4, 2]
    for i, answer in enumerate(answers[1:]):
        alone = db.search(text=f"hat {i}", k=2)
        assert [hit.id for hit in answer.hits] == [hit.id for hit in alone.hits]


def test_one_question_alone_waits_for_no_other(db: LatentDB, watched: Watched) -> None:
    desk = desk_of(db)

    async def work() -> None:
        for word in ("a", "b", "c"):
            assert await desk.answer(Query(text=word, k=1))

    run(work)
    assert watched.batches == [1, 1, 1]


def test_each_question_gets_its_own_error(db: LatentDB, watched: Watched) -> None:
    desk = desk_of(db)

    async def work() -> list[Any]:
        first = await held(desk, watched)
        asked = [Query(text="a", k=1), Query(id=1, k=1), Query(text="b", k=1)]
        others = [asyncio.create_task(desk.answer(query)) for query in asked]
        await asyncio.sleep(0.02)
        watched.may_go_on.set()
        return await asyncio.gather(first, *others, return_exceptions=True)

    kinds = [type(one) for one in run(work)]
    assert kinds == [Answer, Answer, UnknownItemError, Answer]


def test_one_more_than_may_wait_is_refused_and_told_when_to_come_back(
    db: LatentDB, watched: Watched
) -> None:
    desk = desk_of(db, max_waiting=2)

    async def work() -> None:
        first = await held(desk, watched)
        others = [asyncio.create_task(desk.answer(Query(text=w, k=1))) for w in ("a", "b")]
        await asyncio.sleep(0.02)
        with pytest.raises(OverloadedError, match="too many search") as refused:
            await desk.answer(Query(text="c", k=1))
        assert 1 <= refused.value.retry_after_s <= 60
        watched.may_go_on.set()
        await asyncio.gather(first, *others)
        assert await desk.answer(Query(text="c", k=1))

    run(work)


def test_a_question_that_nobody_waits_for_is_dropped(db: LatentDB, watched: Watched) -> None:
    desk = desk_of(db)

    async def work() -> None:
        first = await held(desk, watched)
        gone = asyncio.create_task(desk.answer(Query(text="gone", k=1)))
        await asyncio.sleep(0.02)
        gone.cancel()
        left = asyncio.create_task(
            desk.answer(Query(text="left", k=1), gone=lambda: asyncio.sleep(0))
        )
        assert await left is None
        assert desk.waiting == 0
        watched.may_go_on.set()
        await first

    run(work)
    assert watched.batches == [1]


def test_who_waits_long_and_stays_is_answered(db: LatentDB, watched: Watched) -> None:
    desk = desk_of(db)

    async def work() -> None:
        first = await held(desk, watched)
        stays = asyncio.create_task(
            desk.answer(Query(text="stays", k=1), gone=lambda: asyncio.sleep(20))
        )
        await asyncio.sleep(0.3)
        watched.may_go_on.set()
        assert (await stays) is not None
        await first

    run(work)


def test_a_failure_is_told_to_all_and_the_next_are_answered(
    db: LatentDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_of(db)

    def fail(*_: object) -> None:
        raise RuntimeError("out of memory")

    async def work() -> None:
        monkeypatch.setattr(search_desk, "run_searches", fail)
        with pytest.raises(RuntimeError, match="out of memory"):
            await desk.answer(Query(text="a", k=1))
        monkeypatch.setattr(search_desk, "run_searches", run_searches)
        assert await desk.answer(Query(text="a", k=1))

    run(work)
