"""A server's side of jobs: it starts the runner when there is work, and another where one died."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from secrets import token_hex
from typing import final

from api.jobs.book import JobBook

_LOOK_SECONDS = 1.0
_CARE_SECONDS = 30.0
_LONGEST_PAUSE = 60.0
_STOP_SECONDS = 10.0

_log = logging.getLogger("latentdb.jobs")


@final
class Keeper:
    """Keeps a runner for one database; several keepers, of several processes, share one.

    Parameters
    ----------
    book : JobBook
    device : str
        Where the runner's models run.
    idle_seconds : float, optional
        After which the runner leaves; its own default where not given.
    look : callable
        Called every half a minute, to write down the jobs that are due.
    """

    def __init__(
        self,
        book: JobBook,
        *,
        device: str,
        idle_seconds: float | None = None,
        look: Callable[[], None] = lambda: None,
    ) -> None:
        self._book = book
        self._care = look
        self._care_at = time.monotonic() + _CARE_SECONDS
        self._device = device
        self._idle = [] if idle_seconds is None else ["--idle", str(idle_seconds)]
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._runner: subprocess.Popen[bytes] | None = None
        self._name = ""
        self._deaths = 0
        self._not_before = 0.0

    def start(self) -> None:
        """Begin to look after the jobs."""
        self._ending.clear()
        self._thread = threading.Thread(target=self._keep, name="job-keeper", daemon=True)
        self._thread.start()

    def poke(self) -> None:
        """There is work."""
        self._wake.set()

    def stop(self) -> None:
        """End, and the runner with it; a job under way waits for the next server."""
        self._ending.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._runner is not None:
            self._end_runner(self._runner)
            self._runner = None

    def _keep(self) -> None:
        while not self._ending.is_set():
            if time.monotonic() >= self._care_at:
                self._care_at = time.monotonic() + _CARE_SECONDS
                self._care()
            self._look()
            self._wake.wait(_LOOK_SECONDS)
            self._wake.clear()

    def _look(self) -> None:
        """See to it that what waits is being done."""
        if self._runner is not None:
            status = self._runner.poll()
            if status is None:
                return
            self._bury(self._runner, status)
            self._runner = None
        if time.monotonic() < self._not_before or not self._book.unfinished():
            return
        if not self._book.has_runner():
            self._start_runner()

    def _bury(self, runner: subprocess.Popen[bytes], status: int) -> None:
        if runner.stdin is not None:
            runner.stdin.close()
        if status == 0:
            self._deaths = 0
            return
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        _log.error("the runner of jobs died (%s)", how)
        self._book.blame(self._name)
        self._deaths += 1
        self._not_before = time.monotonic() + min(_LONGEST_PAUSE, 0.5 * 2**self._deaths)

    def _start_runner(self) -> None:
        self._name = token_hex(8)
        command = [
            *(sys.executable, "-m", "api.jobs.runner", self._book.uri),
            *("--device", self._device, "--name", self._name, "--follow-stdin", *self._idle),
        ]
        # It ends when this process does, for then the other end of its standard input closes.
        self._runner = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)

    @staticmethod
    def _end_runner(runner: subprocess.Popen[bytes]) -> None:
        if runner.stdin is not None:
            runner.stdin.close()
        try:
            runner.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            runner.kill()
            runner.wait()
