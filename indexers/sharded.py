"""One index of several: its rows lie in shards, its answers are those of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import numpy as np
import numpy.typing as npt

from indexers.checks import check_ids
from indexers.errors import ParameterError, UnknownIdError
from indexers.id_set import IdSet
from indexers.index import VectorIndex
from indexers.merging import search_parts
from indexers.metric.abstract import AbstractMetric
from indexers.stage import AbstractIndexConfig
from indexers.types import IdArray, SearchResult


@final
class ShardedIndex:
    """Searches every shard and merges what they find; exact where all of them are.

    For more rows than one build should hold in memory, or one machine. It does not change: rows
    come and go beside it.

    Parameters
    ----------
    shards : sequence of VectorIndex
        At least one; of different ids, under one metric, of one kind.
    """

    def __init__(self, shards: Sequence[VectorIndex]) -> None:
        if not shards:
            raise ParameterError("expected at least one shard, got none")
        self._shards = tuple(shards)

    @property
    def shards(self) -> tuple[VectorIndex, ...]:
        """The parts."""
        return self._shards

    @property
    def dim(self) -> int:
        """Width of the vectors."""
        return self._shards[0].dim

    @property
    def metric(self) -> AbstractMetric:
        """What distances are measured by."""
        return self._shards[0].metric

    @property
    def config(self) -> AbstractIndexConfig:
        """Kind and settings, of every shard."""
        return self._shards[0].config

    @property
    def ids(self) -> IdArray:
        """Ids of all vectors, in no particular order. A copy."""
        return np.concatenate([shard.ids for shard in self._shards])

    def __len__(self) -> int:
        return sum(map(len, self._shards))

    def search(
        self,
        queries: npt.NDArray[Any],
        k: int,
        *,
        allowed_ids: npt.NDArray[Any] | IdSet | None = None,
        max_distance: float | None = None,
    ) -> SearchResult:
        """The nearest vectors of each query; see `AbstractIndex.search`."""
        return search_parts(
            self._shards, queries, k, allowed_ids=allowed_ids, max_distance=max_distance
        )

    def without(self, ids: npt.NDArray[Any]) -> ShardedIndex:
        """An index that does not find these ids, over the same rows; this one stays as it is.

        Raises
        ------
        UnknownIdError
            An id is in no shard.
        """
        gone = check_ids(ids, None)
        there = [gone[np.isin(gone, shard.ids)] for shard in self._shards]
        if sum(map(len, there)) < len(gone):
            missing = np.setdiff1d(gone, np.concatenate(there))
            raise UnknownIdError(f"{len(missing)} ids are in no shard, such as {missing[0]}")
        return ShardedIndex(
            [
                shard.without(own) if len(own) else shard
                for shard, own in zip(self._shards, there, strict=True)
            ]
        )

    def at_effort(self, config: AbstractIndexConfig) -> ShardedIndex:
        """The same rows searched with other effort settings; see `VectorIndex.at_effort`."""
        return ShardedIndex([shard.at_effort(config) for shard in self._shards])
