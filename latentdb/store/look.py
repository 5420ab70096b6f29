"""Looks for what others wrote, each made once in the length of a block that asks many things."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager
from typing import Any, TypeVar, final

T = TypeVar("T")


@final
class _Present(threading.local):
    """What a thread has looked up in the block it is in, and since when; None outside of one."""

    found: dict[Hashable, Any] | None = None
    since: float = math.inf

    def begin(self) -> None:
        """Nothing is looked up yet."""
        self.found, self.since = {}, time.monotonic()

    def end(self) -> None:
        """The block is left."""
        self.found, self.since = None, math.inf


@final
class Look:
    """What a database's tables and files were found to be, thread by thread.

    Outside of a block every look is made anew. Within one, what was written before it is seen;
    what others write meanwhile may be; what the same thread writes is.
    """

    def __init__(self) -> None:
        self._present = _Present()

    def block(self) -> AbstractContextManager[None]:
        """A block in which this thread makes each look once; blocks within it are part of it."""
        return _Block(self._present)

    def once(self, key: Hashable, ask: Callable[[], T]) -> T:
        """What `ask` tells; in a block it is called once for each key."""
        found = self._present.found
        if found is None:
            return ask()
        if key not in found:
            found[key] = ask()
        known: T = found[key]
        return known

    def again(self) -> None:
        """Something was changed by this thread: look anew, also in the block it is in."""
        if self._present.found is not None:
            self._present.begin()

    @property
    def since(self) -> float:
        """`time.monotonic` when this thread's block began; infinite outside of one.

        What any thread has looked up since then is at least as new as what is seen in the block.
        """
        return self._present.since


@final
class _Block(AbstractContextManager[None]):
    """Every search has one, and a generator's takes microseconds."""

    def __init__(self, present: _Present) -> None:
        self._present = present
        self._is_outermost = False

    def __enter__(self) -> None:
        self._is_outermost = self._present.found is None
        if self._is_outermost:
            self._present.begin()

    def __exit__(self, *_: object) -> None:
        if self._is_outermost:
            self._present.end()
