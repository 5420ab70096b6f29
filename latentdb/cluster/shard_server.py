"""What a worker of a search does: it holds one shard, and is asked."""

from __future__ import annotations

from pathlib import Path
from typing import final

import numpy as np

from indexers.index import VectorIndex
from indexers.persistence import load_index
from indexers.stage import AbstractIndexConfig
from indexers.types import IdArray, SearchResult
from latentdb.cluster.database import opened
from latentdb.errors import ClusterError
from latentdb.index.build import row_reader
from latentdb.model import Vectors
from latentdb.space import Space


@final
class ShardServer:
    """Lives in an actor, on whichever machine has room for its shard.

    Parameters
    ----------
    uri : str
        Of the database, which the machine must see.
    space : Space
    folder : Path
        Of the shard.
    config : AbstractIndexConfig
        Effort that it is searched with.
    """

    def __init__(self, uri: str, space: Space, folder: Path, config: AbstractIndexConfig) -> None:
        self._uri = uri
        self._space = space
        self._folder = folder
        self._config = config
        self._index: VectorIndex | None = None
        self._shown: tuple[bytes, VectorIndex] | None = None

    def ready(self) -> IdArray:
        """Load the shard; the ids in it.

        Raises
        ------
        ClusterError
            This machine does not see the database or the shard.
        IndexFileError
            Its files are torn.
        """
        if not self._folder.is_dir():
            raise ClusterError(
                f"a worker does not see {self._folder}: shards are searched by a cluster where the "
                "folder of the database is on a file system that all of its machines share"
            )
        reader = row_reader(opened(self._uri, [self._space]), self._space)
        self._index = load_index(self._folder, mmap=True, reader=reader).at_effort(self._config)
        return self._index.ids

    def search(
        self,
        queries: Vectors,
        k: int,
        allowed: IdArray | None,
        max_distance: float | None,
        hidden: IdArray,
    ) -> SearchResult:
        """The nearest rows of the shard that are not `hidden`; see `AbstractIndex.search`."""
        index = self._without(hidden)
        return index.search(queries, k, allowed_ids=allowed, max_distance=max_distance)

    def _without(self, hidden: IdArray) -> VectorIndex:
        """The shard without some rows; the last such is kept, since they seldom change."""
        assert self._index is not None
        if not len(hidden):
            return self._index
        key = np.ascontiguousarray(hidden).tobytes()
        if self._shown is None or self._shown[0] != key:
            own = hidden[np.isin(hidden, self._index.ids)]
            self._shown = key, self._index.without(own) if len(own) else self._index
        return self._shown[1]
