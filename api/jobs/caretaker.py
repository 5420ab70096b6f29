"""Upkeep that a server begins by itself: indexes that fell behind, tables of many small commits."""

from __future__ import annotations

import logging
from typing import Final, final

from api.jobs.book import JobBook
from api.jobs.errors import TooManyJobsError
from api.jobs.fits import IndexJob
from api.jobs.kind import AbstractKind
from api.jobs.upkeep import CompactJob
from latentdb.database import LatentDB
from latentdb.errors import LatentDBError
from latentdb.index import IndexName, LoadedIndex
from latentdb.index.shelf import pointer_stamp
from latentdb.store.compaction import is_due

LEAST_ROWS: Final = 1000
"""Rows that an index may be behind however few it has: searching them beside it costs little."""

_log = logging.getLogger("latentdb.jobs")


@final
class Caretaker:
    """Looks whether upkeep is due, and has it done as a job.

    Parameters
    ----------
    db : LatentDB
    book : JobBook
    share : float
        An index is refreshed once it is behind by this share of its rows; 0 for never.
    most : int
        Jobs that may wait.
    """

    def __init__(self, db: LatentDB, book: JobBook, *, share: float, most: int) -> None:
        self._db = db
        self._book = book
        self._share = share
        self._most = most

    def look(self) -> None:
        """Write down the jobs that are due, once each however many servers look."""
        if self._db.store.location.is_read_only:
            return
        try:
            if self._share:
                for loaded in self._db.catalog.indexes.loaded():
                    self._look_at(loaded)
            if is_due(self._db.store):
                self._want(CompactJob(), f"{self._db.store.items_version()}")
        except LatentDBError as error:
            _log.warning("upkeep could not be looked after", exc_info=error)

    def _look_at(self, loaded: LoadedIndex) -> None:
        facts = loaded.facts
        behind = loaded.newer_rows + facts.removed_rows
        if not facts.is_saved or behind < max(LEAST_ROWS, self._share * loaded.count):
            return
        name = IndexName.parse(loaded.name)
        if name is None:
            return
        folder = self._db.store.artefact_dir("indexes") / loaded.name
        work = IndexJob(space=name.space, metric=name.metric, prior=name.prior, refresh=True)
        # One that failed is not begun again before the index is another, or twice as far behind.
        self._want(work, f"{loaded.name} {pointer_stamp(folder)} {behind.bit_length()}")

    def _want(self, work: AbstractKind, state: str) -> None:
        """Write a job down, unless it was already for this state of things."""
        arguments = work.model_dump(mode="json", by_alias=True)
        waiting = self._book.unfinished()
        if any((job.kind, job.arguments) == (work.name, arguments) for job in waiting):
            return
        key = f"upkeep\n{work.name} {state}"
        try:
            job = self._book.create(work.name, arguments, most=self._most, key=key)
        except TooManyJobsError:
            return
        if not job.is_over:
            _log.info("job %s: %s is due (%s)", job.id, work.name, state)
