"""The process that does jobs: `python -m api.jobs.runner DB`, started by a server.

One per database: a file lock that dies with its holder says so. It leaves when it has had nothing
to do for a while, when its standard input ends (the server that started it is gone, however it
went), or at SIGTERM; a job under way then waits for the next runner, which begins it again.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any, Final, final

from filelock import Timeout

import latentdb
from api.http.problems import INTERNAL, status_of
from api.jobs.book import JobBook
from api.jobs.job import Job
from api.jobs.kinds import kind_of
from api.jobs.reporter import CancelledError, Reporter, StoppedError
from api.jobs.tray import sweep
from api.jsonable import jsonable
from latentdb.database import LatentDB
from latentdb.error_codes import code_of
from latentdb.errors import LatentDBError, StoreLockedError, StoreNotFoundError

IDLE_SECONDS: Final = 300.0
_POLL_SECONDS = 0.2
_LOCK_SECONDS = 20.0
_GRACE_SECONDS = 5.0
# Answering comes before this.
_NICENESS = 5
_EXIT_NO_DATABASE = 2

_log = logging.getLogger("latentdb.jobs")


@final
class Runner:
    """Does the jobs of one database, one after the other.

    Parameters
    ----------
    db : LatentDB
    book : JobBook
    name : str
        What the book calls this runner.
    stopping : threading.Event
        Set once it is to end.
    """

    def __init__(self, db: LatentDB, book: JobBook, name: str, stopping: threading.Event) -> None:
        self._db = db
        self._book = book
        self._name = name
        self._stopping = stopping
        self._current: str | None = None

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
        self._current = job.id
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
        finally:
            self._current = None

    def put_back(self) -> None:
        """Have the job under way, if any, wait for the next runner."""
        current = self._current
        if current is not None:
            self._book.put_back(current)

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
        text = str(error).replace(f"{self._db.uri}/", "")
        detail = "the server could not do this; its log says why" if is_ours else text
        return {"code": code_of(type(error)), "detail": detail}

    def _wait_for_work(self, until: float) -> None:
        while time.monotonic() < until and not self._book.unfinished():
            if self._stopping.wait(_POLL_SECONDS):
                return


def main(arguments: Sequence[str] | None = None) -> int:
    """Do the jobs of a database; the exit status."""
    asked = _parsed(arguments)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s")
    _log.setLevel(logging.INFO)
    stopping = threading.Event()
    # Ctrl-C goes to the whole group; the server stops its runner by itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    if asked.follow_stdin:
        threading.Thread(target=_follow_stdin, args=(stopping,), daemon=True).start()
    os.nice(_NICENESS)
    try:
        db = latentdb.open(asked.database, device=asked.device)
    except StoreNotFoundError as error:
        _log.error("%s", error)
        return _EXIT_NO_DATABASE
    book = JobBook(db.store.path)
    try:
        with book.runner_lock().acquire(timeout=_LOCK_SECONDS):
            sweep(db.store.path)
            runner = Runner(db, book, asked.name, stopping)
            ended = threading.Event()
            threading.Thread(
                target=_end_in_time, args=(runner, stopping, ended), daemon=True
            ).start()
            runner.work(idle_seconds=asked.idle)
            ended.set()
    except Timeout:
        _log.info("another process does the jobs of this database")
    return 0


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="api.jobs.runner", description="Do a database's jobs.")
    parser.add_argument("database")
    parser.add_argument("--device", default="auto", help="where models run")
    parser.add_argument(
        "--name", default=f"runner-{os.getpid()}", help="what the job book calls it"
    )
    parser.add_argument("--idle", type=float, default=IDLE_SECONDS, help="seconds before it leaves")
    parser.add_argument(
        "--follow-stdin", action="store_true", help="leave once standard input ends"
    )
    return parser.parse_args(arguments)


def _follow_stdin(stopping: threading.Event) -> None:
    """Wait for the server that holds the other end; nothing is ever written there."""
    sys.stdin.buffer.read()
    stopping.set()


def _end_in_time(runner: Runner, stopping: threading.Event, ended: threading.Event) -> None:
    """End in the middle of a long step, such as a fit: what was begun is begun again."""
    stopping.wait()
    if not ended.wait(_GRACE_SECONDS):
        runner.put_back()
        _log.info("ended in the middle of a job, which was put back")
        os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
