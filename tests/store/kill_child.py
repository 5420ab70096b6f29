"""Writes the batches that are not known yet, for the test that kills it.

Not a test; started by test_store_kill.py with the database and the number of batches.
"""

from __future__ import annotations

import sys

from store_batches import make_batch

from latentdb.store import Store

BATCH_ROWS = 16


def main(uri: str, n_batches: int) -> None:
    store = Store.open(uri)
    with store.writer():
        known = set(store.known_sources().values())
        print("writing", flush=True)
        for number in range(n_batches):
            ids = range(number * BATCH_ROWS, (number + 1) * BATCH_ROWS)
            if not known.issuperset(ids):
                store.write_batch(**make_batch(ids))
            if number % 10 == 9:
                store.compact()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
