"""Doing jobs, one after the other."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any, Final, final

from api.http.problems import INTERNAL, status_of
from api.jobs.book import JobBook
from api.jobs.job import Job
from api.jobs.kinds import kind_of
from api.jobs.reporter import CancelledError, Reporter, StoppedError
from api.jsonable import jsonable
from latentdb.database import LatentDB
from latentdb.error_codes import code_of
from latentdb.errors import LatentDBError, StoreLockedError

_POLL_SECONDS: Final = 0.2

_log = logging.getLogger("latentdb.jobs")


@final
class Worker:
    """Does the jobs of one database, one after the other.

    Parameters
    ----------
    db : LatentDB
    book : JobBook
    name : str
        What the book calls its process.
    stopping : threading.Event
        Set once it is to end.
    """

    def __init__(self, db: LatentDB, book: JobBook, name: str, stopping: threading.Event) -> None:
        self._db = db
        self._book = book
        self._name = name
        self._stopping = stopping

    def work(self, *, idle_seconds: float) -> None:
        """Do what there is, until there is nothing for so long, or it is to end."""
        idle_since = time.monotonic()
        while not self._stopping.is_set():
            job = self._book.take(self._name)
            if job is not None:
                self.do(job)
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since >= idle_seconds:
                return
            else:
                self._wait_for_work(idle_since + idle_seconds)

    def do(self, job: Job) -> None:
        """Do one job that was taken, and note how it ended."""
        reporter = Reporter(self._book, job.id, self._stopping)
        started = time.monotonic()
        _log.info("job %s: %s begins", job.id, job.kind)
        try:
            result = self._result_of(job, reporter)
        except StoppedError:
            self._book.put_back(job.id)
            _log.info("job %s: put back", job.id)
        except CancelledError:
            kind_of(job).on_cancelled(self._db, job.id)
            self._book.finish(job.id, "cancelled")
            _log.info("job %s: cancelled", job.id)
        except LatentDBError as error:
            self._book.finish(job.id, "failed", error=self._told(error))
            _log.warning("job %s: failed", job.id, exc_info=error)
        else:
            reporter.end()
            self._book.finish(job.id, "done", result=jsonable(result))
            _log.info("job %s: done in %.1f s", job.id, time.monotonic() - started)

    def _result_of(self, job: Job, reporter: Reporter) -> Any:
        """What a job comes to, once no other process writes."""
        work = kind_of(job)
        while True:
            reporter.require_going_on()
            try:
                return work.run(self._db, reporter)
            except StoreLockedError:
                reporter.wait(0.5, "another process is writing; waiting for it to end")

    def _told(self, error: LatentDBError) -> dict[str, str]:
        """An error as clients are told it: what is the server's own trouble may name its paths."""
        is_ours = status_of(type(error)) >= INTERNAL
        text = str(error)
        for folder in (self._db.uri, self._db.store.path):
            text = text.replace(f"{folder}/", "")
        detail = "the server could not do this; its log says why" if is_ours else text
        return {"code": code_of(type(error)), "detail": detail}

    def _wait_for_work(self, until: float) -> None:
        while time.monotonic() < until and not self._book.unfinished():
            if self._stopping.wait(_POLL_SECONDS):
                return
