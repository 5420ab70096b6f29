"""Backs up or restores, slowly, for the tests that kill it.

Not a test; started with what to do, from where, and to where. Says `copying` at the first byte.
"""

from __future__ import annotations

import sys
import time

import latentdb


def slowly(done: int, _total: int, _doing: str) -> None:
    """Tell that it goes on, and take some time over it."""
    print(f"copying {done}", flush=True)
    time.sleep(0.01)


if __name__ == "__main__":
    action, source, target = sys.argv[1:]
    if action == "backup":
        latentdb.open(source).upkeep.backup(target, progress=slowly)
    else:
        latentdb.restore(source, target, progress=slowly)
