"""How a job tells how far it is, and learns that it is to end."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import final

from api.jobs.book import JobBook
from api.jobs.job import Progress

_SECONDS_BETWEEN = 0.2


@final
class CancelledError(Exception):
    """Somebody wants the job to end."""


@final
class StoppedError(Exception):
    """The runner is to end; the job waits for the next one."""


@final
class Reporter:
    """A `latentdb.ingest.ProgressListener` that writes to the job book.

    Each call is a moment at which the job may be interrupted: with nothing written by halves.

    Parameters
    ----------
    book : JobBook
    job_id : str
    stopping : threading.Event
        Set once the runner is to end.
    """

    def __init__(self, book: JobBook, job_id: str, stopping: threading.Event) -> None:
        self.job_id = job_id
        self._book = book
        self._stopping = stopping
        self._progress = Progress()
        self._told_at = 0.0

    def total(self, files: int | None) -> None:
        """It begins anew, of so many steps."""
        self._change(Progress(0, files), at_once=True)

    def advance(self, *, files: int = 1, quarantined: int = 0) -> None:  # noqa: ARG002
        """So many more steps are done."""
        self._change(replace(self._progress, done=self._progress.done + files))

    def at(self, done: int, total: int, doing: str) -> None:
        """How much is done, of how much, and what is being done."""
        is_new = doing != self._progress.message
        self._change(Progress(done, total, doing), at_once=is_new)

    def message(self, text: str) -> None:
        """What it is at."""
        if text != self._progress.message:
            self._change(replace(self._progress, message=text), at_once=True)

    def wait(self, seconds: float, why: str) -> None:
        """Let some time pass."""
        self.message(why)
        self._stopping.wait(seconds)
        self.require_going_on()

    def require_going_on(self) -> None:
        """Raise where the job is not to go on.

        Raises
        ------
        StoppedError, CancelledError
        """
        if self._stopping.is_set():
            raise StoppedError("the runner is to end")
        if self._book.is_cancelled(self.job_id):
            raise CancelledError("the job is to end")

    def end(self) -> None:
        """Write down the last that was told."""
        self._book.tell(self.job_id, self._progress)

    def _change(self, progress: Progress, *, at_once: bool = False) -> None:
        self._progress = progress
        if at_once or time.monotonic() - self._told_at >= _SECONDS_BETWEEN:
            self._book.tell(self.job_id, progress)
            self._told_at = time.monotonic()
            self.require_going_on()
