"""The parent's end of a decoding process."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any, final

from latentdb.errors import SourceError
from latentdb.ingest.chunk import Decoded, DecodeSettings, Refused, Wanted
from latentdb.ingest.recipes import AbstractRecipe
from latentdb.ingest.worker import receive, send

_START_SECONDS = 120.0


class WorkerDiedError(Exception):
    """The process crashed, was killed or took too long; never leaves this package."""


@final
class WorkerProcess:
    """A `Decoder` in a process of its own.

    Parameters
    ----------
    settings : DecodeSettings
        Transforms and limits.
    timeout_s : float
        Seconds after which a request counts as hung and the process is killed.

    Raises
    ------
    SourceError
        The process did not start.
    """

    def __init__(self, settings: DecodeSettings, *, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "latentdb.ingest.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment(),
            # Ctrl-C at a terminal is for the group of the parent, which then closes the pipes.
            process_group=0,
        )
        try:
            self._ask(settings, timeout_s=_START_SECONDS)
        except WorkerDiedError as death:
            raise SourceError(
                f"a decoding process could not be started: it {death}; what it said is above. "
                "Decode in this process instead with workers=0"
            ) from death

    def read(self, recipes: Sequence[AbstractRecipe]) -> list[str | Refused]:
        """Content hash of each, or why it cannot be read."""
        answer: list[str | Refused] = self._ask(("read", recipes), timeout_s=self._timeout_s)
        return answer

    def decode(self, wanted: Sequence[Wanted | None]) -> list[Decoded | Refused | None]:
        """The chunk last read, decoded; None stays None."""
        answer: list[Decoded | Refused | None] = self._ask(
            ("decode", wanted), timeout_s=self._timeout_s
        )
        return answer

    def kill(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:
                # What was still to be sent is of no use to anybody now.
                continue

    def _ask(self, message: Any, *, timeout_s: float) -> Any:
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None
        assert answers is not None
        overdue = threading.Event()

        def stop() -> None:
            overdue.set()
            self._process.kill()

        timer = threading.Timer(timeout_s, stop)
        timer.daemon = True
        timer.start()
        try:
            send(requests, message)
            return receive(answers)
        # A closed pipe is a ValueError; an answer cut short is an unpickling error.
        except (EOFError, OSError, ValueError, pickle.UnpicklingError) as error:
            self._process.kill()
            code = self._process.wait()
            said = f"took longer than {timeout_s:g} s" if overdue.is_set() else _cause(code)
            raise WorkerDiedError(said) from error
        finally:
            timer.cancel()


def _cause(code: int) -> str:
    return f"died of signal {-code}" if code < 0 else f"ended with status {code}"


def _environment() -> dict[str, str]:
    """The environment and import path of this process; one thread: the cores are the models'."""
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)  # noqa: PTH109 - a str
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    return {**os.environ, **one_thread, "PYTHONPATH": path}
