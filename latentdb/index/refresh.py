"""Bringing an index on disk up to its table, at the cost of what changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypedDict, final

import numpy as np

from indexers.index import VectorIndex
from indexers.persistence import load_index, read_manifest
from indexers.shards import shard_folders
from indexers.stage import AbstractIndexConfig
from indexers.types import IdArray, MetricName, PriorName
from latentdb.index.live import RowTimes
from latentdb.index.name import IndexName
from latentdb.index.row_times import read_row_times, rows_now
from latentdb.index.shelf import require_fingerprint
from latentdb.progress import Progress
from latentdb.space import Space
from latentdb.store import Store

LAID_OUT: Final = "laid_out"
"""In the manifest's `extra`: rows that the structure was laid out for, when it was built."""
# Cells, codes and links are fitted to the rows of the first day. Past these shares of them what is
# found gets worse, or takes longer, than in an index that was built anew.
_MOST_GROWN = 1.0
_MOST_REMOVED = 0.2
_BLOCK_VALUES = 1 << 23


class RefreshOptions(TypedDict, total=False):
    """Which index of a space: metric and prior, those of the one that searches use by default.

    `progress` is told what is being done.
    """

    metric: MetricName | None
    prior: PriorName | None
    progress: Progress


@final
@dataclass(frozen=True, eq=False)
class Refreshed:
    """An index that is up to its table again.

    Attributes
    ----------
    index : VectorIndex
        In memory, and no other's.
    rows : RowTimes
        What is in it.
    added, removed : int
        Rows put in and taken out; one that came again with other content is in both.
    extra : mapping
        Of the manifest that it was loaded with.
    """

    index: VectorIndex
    rows: RowTimes
    added: int
    removed: int
    extra: dict[str, Any]


def refreshed(store: Store, space: Space, name: IndexName, folder: Path) -> Refreshed | str:
    """The index in `folder` with the rows that its table has now, or why it is to be built anew.

    Rows are read a block at a time: beside the index itself it takes some 64 MB of memory.

    Parameters
    ----------
    store, space
        Where the vectors are.
    name : IndexName
    folder : Path
        Of the index; it is not changed.

    Raises
    ------
    IndexFileError
        The files are torn; building the index again mends it.
    SpaceMismatchError
        It was built from vectors of other settings.
    """
    extra = read_manifest(folder)["extra"]
    require_fingerprint(extra, space)
    if shard_folders(folder):
        return "it is of shards, which are built and do not change"
    # Before any vector is read: what comes again meanwhile is found changed by the next refresh.
    now = rows_now(store, space)

    def read(ids: IdArray) -> np.typing.NDArray[np.float32]:
        return store.vectors(space.name, ids)

    index = load_index(folder, reader=read)
    then = read_row_times(folder, extra, np.sort(index.ids))
    if then is None:
        return "it does not know when its rows came: an earlier version built it"
    gone, new = then.lacking_in(now), now.lacking_in(then)
    if reason := _too_much(name, index, extra, len(gone), len(new)):
        return reason
    if len(gone):
        index.remove(gone)
    rows = max(1, _BLOCK_VALUES // index.dim)
    for start in range(0, len(new), rows):
        block = new[start : start + rows]
        index.add(read(block), block)
    return Refreshed(index, now, len(new), len(gone), extra)


def _too_much(
    name: IndexName, index: VectorIndex, extra: dict[str, Any], gone: int, new: int
) -> str:
    """Why an index is to be built anew instead; empty where it need not."""
    if name.prior == "fitted" and gone + new:
        return "its prior is fitted to the norms of its rows, which are others now"
    config: AbstractIndexConfig = index.config
    laid_out = int(extra.get(LAID_OUT, len(index)))
    if gone >= len(index):
        return "none of its rows is left"
    if config.is_exact:
        return ""
    # Removed rows stay in most structures, as signposts that no search may return.
    positions = len(index.position_ids) + new
    hidden = positions - (len(index) - gone + new)
    if hidden > _MOST_REMOVED * positions:
        return f"{hidden} of its {positions} rows would be removed ones, more than a fifth"
    if len(index) - gone + new > (1 + _MOST_GROWN) * laid_out:
        return f"it was laid out for {laid_out} rows and would hold more than twice as many"
    return ""
