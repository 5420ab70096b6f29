"""A sample of a space: what profiles and directions measure where all of it would be too much."""

from __future__ import annotations

from typing import Final

import numpy as np

from latentdb.arrays import IdArray
from latentdb.store import Store
from latentdb.types import SpaceRows

MAX_ROWS: Final = 20_000


def sample_of(store: Store, space: str, *, seed: int) -> SpaceRows:
    """At most 20,000 items of a space with their vectors, drawn by `seed`."""
    ids = drawn(store.vector_ids(space), seed=seed)
    return SpaceRows(ids, store.vectors(space, ids))


def drawn(ids: IdArray, *, seed: int) -> IdArray:
    """At most 20,000 of `ids` (n,), sorted; all of them, as they are, where there are no more."""
    if len(ids) <= MAX_ROWS:
        return ids
    some: IdArray = np.sort(np.random.default_rng(seed).permutation(ids)[:MAX_ROWS])
    return some
