"""Searches scattered over workers that hold a shard each, and gathered into one answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, final

import numpy as np

from indexers.id_set import IdSet
from indexers.kinds import config_from_settings
from indexers.merging import merged
from indexers.metric import AbstractMetric
from indexers.metric.registry import metric_from_settings
from indexers.persistence import read_manifest
from indexers.shards import shard_folders
from indexers.stage import AbstractIndexConfig
from indexers.types import IdArray, MetricName, PriorName, SearchResult
from latentdb.catalog import Catalog
from latentdb.cluster.ray_library import (
    LostError,
    Resources,
    answer,
    end_actor,
    joined,
    start_actor,
)
from latentdb.cluster.shard_server import ShardServer
from latentdb.errors import ClusterError, QueryError
from latentdb.index.name import IndexName
from latentdb.model import Vectors
from latentdb.space import Space

_NOTHING: IdArray = np.empty(0, np.int64)


@final
@dataclass(frozen=True, eq=False)
class PartialAnswer:
    """What the shards that answered found.

    Attributes
    ----------
    result : SearchResult
        Not `exact` where a shard is missing.
    missing : tuple of int
        Shards that did not answer, counted from 0; none where the answer is whole.
    shards : int
        How many there are.
    """

    result: SearchResult
    missing: tuple[int, ...]
    shards: int


class ShardQuestion(NamedTuple):
    """What every shard is asked; see `ShardServer.search`."""

    queries: Vectors
    k: int
    allowed: IdArray | None
    max_distance: float | None
    hidden: IdArray


@final
@dataclass(eq=False)
class _Shard:
    """One shard: where it lies, who holds it, and whether that one has loaded it."""

    folder: Path
    actor: Any
    ready: Any
    ids: IdArray


@final
class ShardFleet:
    """Workers that hold a shard each; safe for several threads.

    A worker that is lost, or answers too late, is replaced by one that loads its shard elsewhere,
    and asked once more.

    Parameters
    ----------
    uri : str
        Of the database.
    space : Space
    folder : Path
        Of an index in shards.
    timeout_s : float
        How long a worker may take to load its shard, and to answer, in seconds.

    Raises
    ------
    QueryError
        The index is of one piece.
    ClusterError
        A worker could not load its shard.
    """

    def __init__(self, uri: str, space: Space, folder: Path, *, timeout_s: float) -> None:
        manifest, folders = read_manifest(folder), shard_folders(folder)
        if not folders:
            raise QueryError(
                f"the index in {folder} is of one piece: build it in shards to search it by a "
                "cluster, with latentdb index DB --shards N"
            )
        self._uri = uri
        self._space = space
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self.metric: AbstractMetric = metric_from_settings(manifest["metric"])
        self.config: AbstractIndexConfig = config_from_settings(manifest["config"])
        self._shards = [self._started(place) for place in folders]
        for shard in self._shards:
            shard.ids = self._loaded(shard)

    @property
    def ids(self) -> IdArray:
        """Ids of all rows, in no particular order. A copy."""
        return np.concatenate([shard.ids for shard in self._shards])

    def ask(self, question: ShardQuestion) -> PartialAnswer:
        """Ask every shard, and merge what they find; those that do not answer are named."""
        asked = [(shard, self._asked(shard, question)) for shard in self._shards]
        told = [self._told(shard, reference) for shard, reference in asked]
        again = [
            (at, self._asked(self._shards[at], question))
            for at, result in enumerate(told)
            if result is None
        ]
        for at, reference in again:
            told[at] = self._told(self._shards[at], reference)
        found = None
        for result in told:
            if result is not None:
                found = result if found is None else merged(found, result, question.k)
        missing = tuple(at for at, result in enumerate(told) if result is None)
        if found is None:
            raise ClusterError(f"none of {len(told)} shards answers")
        if missing:
            found = replace(found, exact=False)
        return PartialAnswer(found, missing, len(told))

    def close(self) -> None:
        """End the workers."""
        for shard in self._shards:
            end_actor(shard.actor)

    def _asked(self, shard: _Shard, question: ShardQuestion) -> tuple[Any, Any]:
        """The worker that holds a shard now, and its promise of an answer."""
        with self._lock:
            return shard.actor, shard.actor.search.remote(*question)

    def _told(self, shard: _Shard, asked: tuple[Any, Any]) -> SearchResult | None:
        """An answer; None of a worker that is lost, which has another in its place then."""
        actor, reference = asked
        try:
            result: SearchResult = answer(reference, timeout_s=self._timeout_s)
        except LostError:
            with self._lock:
                if shard.actor is actor:
                    end_actor(actor)
                    fresh = self._started(shard.folder)
                    shard.actor, shard.ready = fresh.actor, fresh.ready
            return None
        return result

    def _started(self, folder: Path) -> _Shard:
        bytes_held = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        actor = start_actor(
            ShardServer,
            self._uri,
            self._space,
            folder,
            self.config,
            resources=Resources(cpus=0.0, memory=bytes_held),
        )
        # Calls of an actor are answered in their order: a question waits until it has loaded.
        return _Shard(folder, actor, actor.ready.remote(), _NOTHING)

    def _loaded(self, shard: _Shard) -> IdArray:
        try:
            ids: IdArray = answer(shard.ready, timeout_s=self._timeout_s)
        except LostError as error:
            self.close()
            raise ClusterError(f"{shard.folder.name} could not be loaded: {error}") from error
        return ids


@final
@dataclass(frozen=True, eq=False)
class RemoteShards:
    """The shards of an index on the workers of a cluster: a `latentdb.index.live.Part`.

    Attributes
    ----------
    fleet : ShardFleet
    hidden : (n,) int64
        Ids that are not to be found, sorted.
    """

    fleet: ShardFleet
    hidden: IdArray = field(default_factory=lambda: _NOTHING)

    @property
    def metric(self) -> AbstractMetric:
        """What distances are measured by."""
        return self.fleet.metric

    @property
    def config(self) -> AbstractIndexConfig:
        """Kind and settings, of every shard."""
        return self.fleet.config

    @property
    def ids(self) -> IdArray:
        """Ids of all rows, in no particular order. A copy."""
        return np.setdiff1d(self.fleet.ids, self.hidden, assume_unique=True)

    def __len__(self) -> int:
        return len(self.fleet.ids) - len(self.hidden)

    def search(
        self,
        queries: Vectors,
        k: int,
        *,
        allowed_ids: IdArray | IdSet | None = None,
        max_distance: float | None = None,
    ) -> SearchResult:
        """The nearest rows of each query.

        Raises
        ------
        ClusterError
            A shard does not answer, and no other worker could take its place in time.
        """
        allowed = allowed_ids.ids if isinstance(allowed_ids, IdSet) else allowed_ids
        asked = ShardQuestion(queries, k, allowed, max_distance, self.hidden)
        told = self.fleet.ask(asked)
        if told.missing:
            lost = ", ".join(map(str, told.missing))
            raise ClusterError(
                f"shards {lost} of {told.shards} do not answer: ask again when the cluster has "
                "room for them, or take what the others found with `ShardFleet.ask`"
            )
        return told.result

    def without(self, ids: IdArray) -> RemoteShards:
        """The same without these rows; this one stays as it is."""
        return replace(self, hidden=np.union1d(self.hidden, ids))


@contextmanager
def scattered(
    catalog: Catalog,
    space: str,
    *,
    metric: MetricName = "cosine",
    prior: PriorName | None = None,
    address: str | None = None,
    timeout_s: float = 60.0,
) -> Iterator[ShardFleet]:
    """Have searches of a space answered by the workers of a cluster, for the length of the block.

    The index is one in shards; each is held by a worker on whichever machine has memory for it.
    Rows that are newer are searched here, exactly, as beside any index. All that searches is
    meant: `db.search` with filters, directions and text, and what the server does.

    Parameters
    ----------
    catalog : Catalog
        Of the database, as `db.catalog`.
    space, metric, prior
        Which index.
    address : str, optional
        Of the cluster; one of this machine alone where not given.
    timeout_s : float
        See `ShardFleet`.

    Yields
    ------
    ShardFleet
        For answers that may be partial, which `db.search` never gives.

    Raises
    ------
    QueryError
        There is no such index, or it is of one piece.
    ClusterError
        There is no cluster, or a worker cannot load its shard.
    """
    store = catalog.store
    name = IndexName.of(store.space(space).name, metric, prior)
    folder = store.artefact_dir("indexes") / str(name)
    if not folder.is_dir():
        raise QueryError(f"there is no index {name}: build it, with latentdb index DB --shards N")
    with joined(address):
        fleet = ShardFleet(store.uri, store.space(space), folder, timeout_s=timeout_s)
        try:
            catalog.indexes.open_by(name, lambda *_: RemoteShards(fleet))
            yield fleet
        finally:
            catalog.indexes.open_by(name, None)
            fleet.close()
