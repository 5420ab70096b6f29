"""Shards of an index built by the workers of a cluster, each where there is room."""

from __future__ import annotations

from collections.abc import Sequence

from latentdb.cluster.database import opened
from latentdb.cluster.ray_library import joined, run_tasks
from latentdb.errors import ClusterError
from latentdb.index.shards import ShardTask, WriteShards, write_shard
from latentdb.space import Space
from latentdb.store import Store


def writer(address: str | None) -> WriteShards:
    """What writes shards by the workers of the cluster at `address`.

    Their files are those that this process would write.
    """

    def write(store: Store, space: Space, tasks: Sequence[ShardTask]) -> None:
        with joined(address):
            for _ in run_tasks(write_there, ((store.uri, space, task) for task in tasks)):
                pass

    return write


def write_there(uri: str, space: Space, task: ShardTask) -> None:
    """Build and save one shard; runs on a worker.

    Raises
    ------
    ClusterError
        The worker does not see the database, or the folder that the shard belongs in.
    """
    if not task.folder.parent.is_dir():
        raise ClusterError(
            f"a worker does not see {task.folder.parent}: shards are built by a cluster where the "
            "folder of the database is on a file system that all of its machines share"
        )
    write_shard(opened(uri, [space]), space, task)
