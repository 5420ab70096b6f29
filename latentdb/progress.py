"""How long work tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

#: Told how much is done, of how much, and what is being done; raising in it ends the work.
Progress = Callable[[int, int, str], None]


def silent(done: int, total: int, doing: str) -> None:
    """Progress that nobody follows."""
    del done, total, doing
