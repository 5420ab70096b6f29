"""An index in shards answers as one of one piece does, certificates included."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from paired_spaces import paired_database
from typer.testing import CliRunner

from api.cli.main import app
from indexers.errors import IndexFileError, IndexKindError, ParameterError
from indexers.persistence import load_index
from indexers.sharded import ShardedIndex
from indexers.shards import load_any
from latentdb.database import LatentDB
from latentdb.errors import NotEnoughDataError, QueryError

N = 1200


@pytest.fixture
def db(tmp_path: Path) -> LatentDB:
    return paired_database(tmp_path / "db.ldb", n=N)


def queries(dim: int = 24) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(8).standard_normal((12, dim)).astype(np.float32)


def answers(db: LatentDB, metric: Any, **how: Any) -> Any:
    live = db.catalog.indexes.live(db.store.space("left"), metric, None)
    return live.search(queries(), 10, **how)


@pytest.mark.parametrize("metric", ["cosine", "euclidean", "nao"])
def test_exact_shards_answer_as_one_piece_does(db: LatentDB, metric: Any) -> None:
    db.build_index("left", metric=metric)
    whole = answers(db, metric)
    info = db.build_index("left", metric=metric, shards=4)
    parted = answers(db, metric)
    assert isinstance(
        db.catalog.indexes.live(db.store.space("left"), metric, None).index, ShardedIndex
    )
    assert (info.count, info.newer_rows, info.recall_at_10) == (N, 0, 1.0)
    np.testing.assert_array_equal(parted.ids, whole.ids)
    np.testing.assert_allclose(parted.distances, whole.distances, rtol=1e-6)
    assert parted.exact
    if metric == "nao":
        np.testing.assert_allclose(parted.angular, whole.angular, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(parted.radial, whole.radial, rtol=1e-5, atol=1e-7)


def test_rows_that_come_and_go_after_the_build_are_minded(db: LatentDB, tmp_path: Path) -> None:
    db.build_index("left", metric="cosine", shards=3)
    paired_database(tmp_path, n=N + 50, into=db)
    gone = db.store.vector_ids("left")[::7]
    db.delete([int(one) for one in gone])
    parted = answers(db, "cosine")
    (info,) = db.indexes()
    assert info.newer_rows + info.count - info.removed_rows == len(db.store.vector_ids("left"))
    db.build_index("left", metric="cosine")
    np.testing.assert_array_equal(parted.ids, answers(db, "cosine").ids)
    assert parted.exact


def test_a_filter_and_a_limit_hold_over_all_shards(db: LatentDB) -> None:
    db.build_index("left", metric="cosine", shards=4)
    allowed = db.store.vector_ids("left")[:40]
    found = answers(db, "cosine", allowed_ids=allowed, max_distance=0.9)
    assert set(found.ids[found.ids >= 0].tolist()) <= set(allowed.tolist())
    assert (found.distances[found.ids >= 0] <= 0.9).all()


def test_approximate_shards_are_tuned_and_say_so(db: LatentDB) -> None:
    info = db.build_index("left", metric="cosine", kind="hnsw", shards=2, target_recall=0.9)
    found = answers(db, "cosine")
    assert info.recall_at_10 >= 0.9
    assert info.tuning is not None
    # What it is measured by stays out of the shards, and is searched beside them.
    assert info.newer_rows > 0
    assert not found.exact


def test_an_index_in_shards_is_built_anew_in_as_many(db: LatentDB, tmp_path: Path) -> None:
    db.build_index("left", metric="cosine", shards=3)
    paired_database(tmp_path, n=N + 50, into=db)
    info = db.upkeep.refresh_index("left", metric="cosine")
    live = db.catalog.indexes.live(db.store.space("left"), "cosine", None)
    assert (info.count, info.newer_rows) == (N + 50, 0)
    assert len(live.index.shards) == 3


def test_a_file_of_a_shard_that_changed_is_found(db: LatentDB) -> None:
    db.build_index("left", metric="cosine", shards=2)
    folder = db.store.path / "indexes" / "left--cosine"
    rows = next(folder.rglob("shard-0001/**/rows.faiss"))
    content = bytearray(rows.read_bytes())
    content[-1] ^= 1
    rows.write_bytes(content)
    with pytest.raises(IndexFileError, match="does not match its checksum"):
        load_any(folder)
    assert [problem.kind for problem in db.check()] == ["torn_index"]
    assert db.check(repair=True) == []
    assert len(load_any(folder)) == N


def test_shards_are_not_taken_for_one_piece(db: LatentDB) -> None:
    db.build_index("left", metric="cosine", shards=2)
    with pytest.raises(IndexKindError, match="is of 2 shards"):
        load_index(db.store.path / "indexes" / "left--cosine")


def test_what_cannot_be_sharded_is_refused(db: LatentDB) -> None:
    with pytest.raises(NotEnoughDataError, match="1201 shards cannot be made of 1200"):
        db.build_index("left", metric="cosine", shards=1201)
    with pytest.raises(ParameterError, match="at least one shard"):
        db.build_index("left", metric="cosine", shards=0)
    with pytest.raises(QueryError, match="auto chooses for one piece"):
        db.build_index("left", metric="cosine", kind="auto", shards=2)
    with pytest.raises(QueryError, match="say in how many"):
        db.build_index("left", metric="cosine", engine="ray")


def test_the_command_line_builds_shards(db: LatentDB) -> None:
    asked = ["index", db.uri, "--space", "left", "--metric", "nao", "--shards", "2", "--json"]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["count"] == N
