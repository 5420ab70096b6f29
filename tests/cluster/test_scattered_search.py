"""Shards on the workers of a cluster: built there, asked there, and never silently incomplete."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from paired_spaces import paired_database

import latentdb
from indexers.sharded import ShardedIndex
from latentdb.cluster import fleet as fleet_module
from latentdb.cluster.fleet import ShardFleet, ShardQuestion, scattered
from latentdb.cluster.index_shards import write_there
from latentdb.cluster.ray_library import end_actor
from latentdb.database import LatentDB
from latentdb.errors import ClusterError, QueryError
from latentdb.index.shards import ShardTask

N = 900
NOTHING = np.empty(0, np.int64)


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> LatentDB:
    made = paired_database(tmp_path_factory.mktemp("sharded") / "db.ldb", n=N)
    made.build_index("left", metric="nao", shards=2)
    return made


@pytest.fixture(scope="module")
def fleet(head: Any, db: LatentDB) -> Iterator[ShardFleet]:
    """Two workers with a shard each; searches of the database are theirs."""
    with scattered(db.catalog, "left", metric="nao") as scattered_over:
        yield scattered_over


def ask(db: LatentDB, vector: np.ndarray | None = None) -> list[tuple[int, float]]:
    if vector is None:
        vector = db.store.vectors("left", db.store.item_ids()[:1])[0]
    answer = db.search(vector=vector, space="left", metric="nao", k=12)
    assert answer.exact
    return [(hit.id, round(hit.distance, 9)) for hit in answer.hits]


def question(db: LatentDB) -> ShardQuestion:
    return ShardQuestion(db.store.vectors("left", db.store.item_ids()[:4]), 5, None, None, NOTHING)


def test_shards_that_workers_build_are_those_built_here(cluster: Any, tmp_path: Path) -> None:
    there = paired_database(tmp_path / "db.ldb", n=N)
    info = there.build_index("left", metric="nao", shards=2, engine="ray")
    over_ray = ask(there)
    live = there.catalog.indexes.live(there.store.space("left"), "nao", None)
    assert isinstance(live.index, ShardedIndex)
    assert (info.count, there.check()) == (N, [])
    there.build_index("left", metric="nao", shards=2)
    assert ask(there) == over_ray


def test_a_search_by_workers_answers_as_one_here_and_keeps_its_certificate(
    db: LatentDB, fleet: ShardFleet, tmp_path: Path
) -> None:
    vector = db.store.vectors("left", db.store.item_ids()[:1])[0]
    by_workers = ask(db, vector)
    live = db.catalog.indexes.live(db.store.space("left"), "nao", None)
    assert isinstance(live.index, fleet_module.RemoteShards)
    gone = by_workers[0][0]
    db.delete([gone])
    assert [hit[0] for hit in ask(db, vector)][:-1] == [hit[0] for hit in by_workers[1:]]
    paired_database(tmp_path, n=N, into=db)
    assert ask(db) == by_workers
    assert ask(latentdb.open(db.uri)) == by_workers


def test_a_worker_that_is_lost_is_replaced_and_the_answer_is_whole(
    db: LatentDB, fleet: ShardFleet
) -> None:
    whole = fleet.ask(question(db)).result
    end_actor(fleet._shards[1].actor)
    again = fleet.ask(question(db))
    assert again.missing == ()
    assert again.result.exact
    np.testing.assert_array_equal(again.result.ids, whole.ids)


def test_a_shard_that_cannot_be_had_is_an_error_or_a_partial_answer_that_says_so(
    db: LatentDB, fleet: ShardFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fleet.ask(question(db)).result
    lost = fleet._shards[1]
    # No machine has that much memory: nobody comes to take its place.
    monkeypatch.setattr(fleet_module, "Resources", lambda **_: NO_ROOM)
    monkeypatch.setattr(fleet, "_timeout_s", 3.0)
    end_actor(lost.actor)
    partial = fleet.ask(question(db))
    with pytest.raises(ClusterError, match="shards 1 of 2 do not answer"):
        ask(db)
    assert partial.missing == (1,)
    assert not partial.result.exact
    of_lost = set(lost.ids.tolist())
    assert of_lost.isdisjoint(partial.result.ids.ravel().tolist())
    kept = [one for one in whole.ids[0].tolist() if one not in of_lost]
    assert partial.result.ids[0, : len(kept)].tolist() == kept


NO_ROOM = fleet_module.Resources(cpus=0.0, memory=1 << 50)


def test_an_index_of_one_piece_is_not_scattered(db: LatentDB, tmp_path: Path) -> None:
    whole = paired_database(tmp_path / "db.ldb", n=50)
    with pytest.raises(QueryError, match="there is no index left--cosine"):
        next(iter(_entered(whole)))
    whole.build_index("left", metric="cosine")
    with pytest.raises(QueryError, match="is of one piece"):
        ShardFleet(
            whole.uri,
            whole.store.space("left"),
            whole.store.path / "indexes" / "left--cosine",
            timeout_s=1,
        )


def _entered(db: LatentDB) -> Any:
    with scattered(db.catalog, "left", metric="cosine") as fleet:
        yield fleet


def test_a_worker_that_does_not_see_the_database_says_so(db: LatentDB, tmp_path: Path) -> None:
    task = ShardTask(None, None, NOTHING, tmp_path / "nowhere" / "shard-0000")  # type: ignore[arg-type]
    with pytest.raises(ClusterError, match="file system that all of its machines share"):
        write_there(db.uri, db.store.space("left"), task)
