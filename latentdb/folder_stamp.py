"""Whether anything in a folder changed, told by its time of change: one look of a microsecond."""

from __future__ import annotations

import os
import time
from pathlib import Path

# File systems round times to the tick of a clock, 10 ms at most: a change within the same tick
# leaves the same time behind.
_TICK_NS = 50_000_000


def folder_stamp(folder: Path | str) -> int | None:
    """When something in the folder was last made, renamed or deleted, in ns; None without one."""
    try:
        return os.stat(folder).st_mtime_ns  # noqa: PTH116 - three times as fast as a Path's
    except (FileNotFoundError, NotADirectoryError):
        return None


def is_settled(stamp: int | None) -> bool:
    """Whether every change from now on leaves another stamp behind.

    What is read after this was found true may be kept for as long as the stamp is the same.
    """
    return stamp is None or time.time_ns() - stamp > _TICK_NS
