"""Questions as they come in, and their answers: all that wait are answered together.

One thread computes. As soon as it is free it takes what waits, up to a number, and nothing is held
back to wait for more: one question alone is answered at once, and the more clients ask, the more
questions share a call of the model and a search of the index.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, final

from api.http.metrics import Metrics
from api.http.work import OverloadedError
from api.settings import ServerSettings
from latentdb.database import LatentDB
from latentdb.query import Query
from latentdb.search import run_searches
from latentdb.types import Answer

# Most answers are there before; only of others it is asked whether anybody waits for them still.
_PATIENCE_S = 0.2
_LONGEST_RETRY_S = 60
# Weight of the last batch in the time that a question is expected to take.
_LATEST = 0.2


@final
@dataclass(frozen=True, eq=False)
class _Question:
    """A question that waits for its answer."""

    query: Query
    answer: asyncio.Future[Answer]
    since: float = field(default_factory=time.perf_counter)


@final
class SearchDesk:
    """Answers questions of many clients at once.

    Parameters
    ----------
    db : LatentDB
    settings : ServerSettings
        How many are answered together, and how many may wait.
    metrics : Metrics
    """

    def __init__(self, db: LatentDB, settings: ServerSettings, metrics: Metrics) -> None:
        self._db = db
        self._max_batch = settings.max_batch
        self._max_waiting = settings.max_waiting
        self._metrics = metrics
        # A batch may be done before it is told what follows, which then follows at once.
        self._lock = threading.RLock()
        self._waiting: dict[int, _Question] = {}
        self._is_busy = False
        self._question_s = 0.0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="search")

    @property
    def waiting(self) -> int:
        """How many questions wait to be begun."""
        return len(self._waiting)

    async def answer(
        self, query: Query, *, gone: Callable[[], Awaitable[object]] | None = None
    ) -> Answer | None:
        """The answer to one question; errors are those of `run_search`.

        Parameters
        ----------
        query : Query
        gone : callable, optional
            Returns once nobody waits for the answer any more, which then is None; a question that
            was not begun by then is dropped.

        Raises
        ------
        OverloadedError
            As many wait as may.
        """
        if len(self._waiting) >= self._max_waiting:
            raise OverloadedError("search", self._retry_after_s())
        question = _Question(query, asyncio.get_running_loop().create_future())
        with self._lock:
            self._waiting[id(question)] = question
            if not self._is_busy:
                self._begin()
        try:
            return await _while_wanted(question.answer, gone)
        finally:
            with self._lock:
                self._waiting.pop(id(question), None)

    def _begin(self) -> None:
        """Have what waits answered; called with the lock held, by any thread."""
        some = [key for key, _ in zip(self._waiting, range(self._max_batch), strict=False)]
        batch = [self._waiting.pop(key) for key in some]
        self._is_busy = bool(batch)
        if batch:
            queries = [question.query for question in batch]
            work = self._thread.submit(run_searches, self._db.catalog, queries)
            work.add_done_callback(partial(self._done, batch, time.perf_counter()))

    def _done(self, batch: list[_Question], begun: float, work: Future[list[Answer]]) -> None:
        """Begin the next batch, then hand out this one; called by whichever thread is there."""
        with self._lock:
            self._begin()
        taken = (time.perf_counter() - begun) / len(batch)
        self._question_s += _LATEST * (taken - self._question_s)
        self._metrics.batch_sizes.observe(len(batch))
        self._metrics.waited.observe(begun - batch[0].since)
        loop = batch[0].answer.get_loop()
        if not loop.is_closed():
            loop.call_soon_threadsafe(_hand_out, batch, work)

    def _retry_after_s(self) -> int:
        """Until about all that waits now is answered."""
        return min(max(1, math.ceil(self._question_s * len(self._waiting))), _LONGEST_RETRY_S)


async def _while_wanted(
    answer: asyncio.Future[Answer], gone: Callable[[], Awaitable[object]] | None
) -> Answer | None:
    """The answer, or None once nobody waits for it."""
    done, _ = await asyncio.wait({answer}, timeout=_PATIENCE_S)
    if done or gone is None:
        return await answer
    leaving = asyncio.ensure_future(gone())
    try:
        either: set[asyncio.Future[Any]] = {answer, leaving}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    finally:
        leaving.cancel()
    return await answer if answer.done() else None


def _hand_out(batch: list[_Question], work: Future[list[Answer]]) -> None:
    """Give every question its answer, or its error; called by the event loop."""
    error = work.exception()
    answers: Sequence[Answer | BaseException] = (
        [error] * len(batch) if error is not None else work.result()
    )
    for question, answer in zip(batch, answers, strict=True):
        if question.answer.done():  # cancelled: whoever asked has gone
            continue
        if isinstance(answer, BaseException):
            question.answer.set_exception(answer)
        else:
            question.answer.set_result(answer)
