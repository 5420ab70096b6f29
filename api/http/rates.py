"""How often somebody may ask: buckets that fill with time."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import final

# Of so many callers the fill is remembered; the one longest not seen is forgotten.
_REMEMBERED = 10_000


@final
class Buckets:
    """A token bucket a caller: a minute's worth at once, then as it fills again.

    Used by the event loop alone, hence without a lock.

    Parameters
    ----------
    clock : callable
        Seconds, monotonic.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._fill: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, caller: str, per_minute: float) -> float:
        """Seconds until `caller` may ask again; 0 where it may now, without counting it."""
        level = self._level(caller, per_minute)
        return 0.0 if level >= 1.0 else (1.0 - level) * 60.0 / per_minute

    def take(self, caller: str, per_minute: float) -> float:
        """Count one request, and say 0; or say how long to wait, and count none."""
        wait_s = self.wait_s(caller, per_minute)
        if wait_s == 0.0:
            self._fill[caller] = (self._level(caller, per_minute) - 1.0, self._clock())
            self._fill.move_to_end(caller)
            if len(self._fill) > _REMEMBERED:
                self._fill.popitem(last=False)
        return wait_s

    def _level(self, caller: str, per_minute: float) -> float:
        most = max(per_minute, 1.0)
        level, seen_at = self._fill.get(caller, (most, 0.0))
        return min(most, level + (self._clock() - seen_at) * per_minute / 60.0)
