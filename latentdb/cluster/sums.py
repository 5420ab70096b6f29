"""The sums that a map is fitted from, taken by tasks over parts of the items and added up here."""

from __future__ import annotations

from typing import Any

import numpy as np

from latentdb.arrays import IdArray
from latentdb.cluster.database import opened
from latentdb.cluster.ray_library import cluster_has, joined, run_tasks
from latentdb.stitch.from_store import BATCH_ROWS, AddPairs, Pair, add_stored_pairs
from latentdb.stitch.split import SplitMoments
from latentdb.store import Store

# Parts per core: the last to end keeps the others waiting for a part alone.
_PARTS_PER_CPU = 4


def adder(address: str | None) -> AddPairs:
    """What adds pairs to a stream by the workers of the cluster at `address`.

    The sums are those of one pass but for rounding in float64, and so is the map.
    """

    def add(store: Store, spaces: Pair, stream: SplitMoments, among: IdArray) -> None:
        with joined(address):
            _add(store, spaces, stream, among)

    return add


def _add(store: Store, spaces: Pair, stream: SplitMoments, among: IdArray) -> None:
    stored = store.vector_ids(spaces[0].name, as_stored=True)
    paired = stored[np.isin(stored, among)]
    count = min(-(-len(paired) // BATCH_ROWS), _PARTS_PER_CPU * max(1, cluster_has("CPU")))
    settings = {
        "seed": stream.seed,
        "n_kept": stream.n_kept,
        "with_target_gram": stream.moments.target.gram is not None,
        "limits": stream.moments.limits,
    }
    parts = np.array_split(paired, count) if count else []
    done: dict[int, SplitMoments] = {}
    merged = 0
    for place, sums in run_tasks(
        sums_of, ((store.uri, spaces, settings, np.sort(part)) for part in parts)
    ):
        done[place] = sums
        # Always in one order: rounding is the same however long each part took.
        while merged in done:
            stream.merge(done.pop(merged))
            merged += 1


def sums_of(uri: str, spaces: Pair, settings: dict[str, Any], ids: IdArray) -> SplitMoments:
    """The sums over the pairs of `ids`; runs on a worker.

    Raises
    ------
    ClusterError
        The worker does not find the database there.
    SpaceMismatchError
        It finds another one.
    """
    store = opened(uri, spaces)
    stream = SplitMoments(spaces[0].dim, spaces[1].dim, **settings)
    add_stored_pairs(store, spaces, stream, ids)
    return stream
