"""Who is told how a run goes: nobody, or somebody at a terminal."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, final

if TYPE_CHECKING:
    from rich.progress import Task

_LINE_SECONDS = 30.0


class ProgressListener(Protocol):
    """Told of a run as it goes, always from the thread that called `ingest`."""

    def total(self, files: int | None) -> None:
        """The run begins; `files` is how many there are, or None where that is not known."""

    def advance(self, *, files: int = 1, quarantined: int = 0) -> None:
        """The fate of `files` more files is known; `quarantined` of them cannot be used."""

    def message(self, text: str) -> None:
        """Something worth a line, such as a batch size that was halved."""


@final
class SilentProgress:
    """Tells nobody."""

    def total(self, files: int | None) -> None:
        """Say nothing."""

    def advance(self, *, files: int = 1, quarantined: int = 0) -> None:
        """Say nothing."""

    def message(self, text: str) -> None:
        """Say nothing."""


@final
class RichProgress:
    """A bar on stderr with images/s, time left and the count of quarantined files.

    A context manager: the bar is there inside the `with`. Where stderr is no terminal, a line
    every half minute says the same.

    Parameters
    ----------
    what : str
        Said before the bar.
    counted, unit : str
        What is counted, and what its rate is called.
    """

    def __init__(
        self, what: str = "ingest", *, counted: str = "files", unit: str = "images"
    ) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._counted, self._unit = counted, unit
        self._console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[bad]}"),
            console=self._console,
            # A bar written into a log file is a line per refresh.
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task(what, total=None, rate="", bad="")
        self._quarantined = 0
        self._last_line = time.monotonic()

    def __enter__(self) -> RichProgress:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def total(self, files: int | None) -> None:
        """Start the clock."""
        self._bar.reset(self._task, total=files, rate="", bad="")

    def advance(self, *, files: int = 1, quarantined: int = 0) -> None:
        """Move the bar."""
        self._quarantined += quarantined
        bad = f"{self._quarantined} quarantined" if self._quarantined else ""
        task = self._bar.tasks[0]
        self._bar.update(self._task, advance=files, rate=self._rate(task), bad=bad)
        if not self._console.is_terminal and time.monotonic() - self._last_line > _LINE_SECONDS:
            self._last_line = time.monotonic()
            of = "" if task.total is None else f" of {task.total:.0f}"
            facts = [f"{task.completed:.0f}{of} {self._counted}", self._rate(task), bad]
            self._console.print(", ".join(filter(None, facts)), highlight=False)

    def message(self, text: str) -> None:
        """Write a line above the bar."""
        self._console.print(text, style="yellow", highlight=False, markup=False)

    def _rate(self, task: Task) -> str:
        """Images per second of late, or since the start while there is no estimate."""
        elapsed = task.elapsed or 0.0
        speed = task.speed or (task.completed / elapsed if elapsed else 0.0)
        return f"{speed:.1f} {self._unit}/s" if speed else ""
