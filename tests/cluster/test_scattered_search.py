"""Shards on the workers of a cluster: built there, asked there, and never silently incomplete."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from paired_spaces import paired_database

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
    made.build_index("left", metric="nao", shards=3)
    return made


def ask(db: LatentDB) -> list[tuple[int, float]]:
    vector = db.store.vectors("left", db.store.item_ids()[:1])[0]
    answer = db.search(vector=vector, space="left", metric="nao", k=12)
    assert answer.exact
    return [(hit.id, round(hit.distance, 9)) for hit in answer.hits]


def question(db: LatentDB) -> ShardQuestion:
    return ShardQuestion(db.store.vectors("left", db.store.item_ids()[:4]), 5, None, None, NOTHING)


def test_shards_that_workers_build_are_those_built_here(cluster: Any, tmp_path: Path) -> None:
    there = paired_database(tmp_path / "db.ldb", n=N)
    info = there.build_index("left", metric="nao", shards=3, engine="ray")
    over_ray = ask(there)
    live = there.catalog.indexes.live(there.store.space("left"), "nao", None)
    assert isinstance(live.index, ShardedIndex)
    assert (info.count, there.check()) == (N, [])
    there.build_index("left", metric="nao", shards=3)
    assert ask(there) == over_ray


def test_a_search_by_workers_answers_as_one_here_and_keeps_its_certificate(
    cluster: Any, db: LatentDB, tmp_path: Path
) -> None:
    here = ask(db)
    with scattered(db.catalog, "left", metric="nao"):
        live = db.catalog.indexes.live(db.store.space("left"), "nao", None)
        assert isinstance(live.index, fleet_module.RemoteShards)
        assert ask(db) == here
        gone = here[0][0]
        db.delete([gone])
        assert ask(db) == [hit for hit in ask(db) if hit[0] != gone]
        paired_database(tmp_path, n=N, into=db)
        assert ask(db) == here
    assert ask(db) == here


def test_a_worker_that_is_lost_is_replaced_and_the_answer_is_whole(
    cluster: Any, db: LatentDB
) -> None:
    with scattered(db.catalog, "left", metric="nao") as fleet:
        whole = fleet.ask(question(db)).result
        end_actor(fleet._shards[1].actor)
        again = fleet.ask(question(db))
    assert again.missing == ()
    assert again.result.exact
    np.testing.assert_array_equal(again.result.ids, whole.ids)


def test_a_shard_that_cannot_be_had_is_an_error_or_a_partial_answer_that_says_so(
    cluster: Any, db: LatentDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scattered(db.catalog, "left", metric="nao") as fleet:
        whole = fleet.ask(question(db)).result
        lost = fleet._shards[2]
        # No machine has that much memory: nobody comes to take its place.
        monkeypatch.setattr(fleet_module, "Resources", lambda **_: NO_ROOM)
        monkeypatch.setattr(fleet, "_timeout_s", 1.0)
        end_actor(lost.actor)
        partial = fleet.ask(question(db))
        with pytest.raises(ClusterError, match="shards 2 of 3 do not answer"):
            ask(db)
    assert partial.missing == (2,)
    assert not partial.result.exact
    found = set(partial.result.ids.ravel().tolist())
    assert found.isdisjoint(lost.ids.tolist())
    kept = [one for one in whole.ids[0] if one not in set(lost.ids.tolist())]
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
