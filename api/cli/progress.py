"""A bar on stderr for work that is counted; nothing where stderr is no terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn


@contextmanager
def counted(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar inside the block; what it gives is told how many more are done.

    Parameters
    ----------
    what : str
        Said before the bar.
    total : int
        How many there are.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with _bar(*columns) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.advance(task, done)


@contextmanager
def transferred(what: str) -> Iterator[Callable[[int, int, str], None]]:
    """Show a bar of bytes inside the block; what it gives is told how many of how many are done.

    Parameters
    ----------
    what : str
        Said before the bar.
    """
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with _bar(*columns) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total, _: bar.update(task, completed=done, total=total)


@contextmanager
def steps() -> Iterator[Callable[[int, int, str], None]]:
    """Show inside the block what is being done; what it gives is told so, and how far that is.

    A total of 0 is one that is not known.
    """
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn()
    )  # fmt: skip
    with _bar(*columns) as bar:
        task = bar.add_task("", total=None)

        def tell(done: int, total: int, doing: str) -> None:
            bar.update(task, completed=done, total=total or None, description=doing)

        yield tell


def _bar(*columns: ProgressColumn) -> Progress:
    """A bar on stderr that goes when it is over; nothing where stderr is no terminal."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
