"""Work beside the event loop: in threads, so many at once, and a bounded number waiting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias, TypeVar, final

import anyio.to_thread
from anyio import CapacityLimiter

from api.settings import ServerSettings

T = TypeVar("T")
Lane: TypeAlias = Literal["light", "heavy"]


@final
class OverloadedError(Exception):
    """More is waiting than the server will hold; told as 503 with Retry-After."""

    def __init__(self, lane: str, retry_after_s: int) -> None:
        super().__init__(f"too many {lane} requests are waiting; try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


@final
class Workbench:
    """Threads for what reads (light) and for what computes pictures (heavy).

    Parameters
    ----------
    settings : ServerSettings
        How many at once, and how many may wait.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self._sizes: dict[Lane, tuple[int, int]] = {
            "light": (settings.light, settings.light_waiting),
            "heavy": (settings.heavy, settings.heavy_waiting),
        }
        self._limiters: dict[Lane, CapacityLimiter] = {}
        self._inside: dict[Lane, int] = {"light": 0, "heavy": 0}

    def inside(self, lane: Lane) -> int:
        """How many are running or waiting."""
        return self._inside[lane]

    async def run(self, work: Callable[[], T], *, lane: Lane = "light") -> T:
        """The result of `work`, done in a thread once there is room.

        Raises
        ------
        OverloadedError
            As many wait as may.
        """
        running, waiting = self._sizes[lane]
        if self._inside[lane] >= running + waiting:
            raise OverloadedError(lane, 1 if lane == "light" else 5)
        if lane not in self._limiters:  # made here, because it belongs to the running event loop
            self._limiters[lane] = CapacityLimiter(running)
        self._inside[lane] += 1
        try:
            return await anyio.to_thread.run_sync(work, limiter=self._limiters[lane])
        finally:
            self._inside[lane] -= 1
