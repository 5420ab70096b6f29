"""Maps fitted from sums that workers took are those that one pass gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from paired_spaces import paired_database

from latentdb.cluster import sums
from latentdb.database import LatentDB
from latentdb.errors import ClusterError, QueryError
from latentdb.stitch.fit import new_stream
from latentdb.stitch.split import SplitMoments

N = 3000


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> LatentDB:
    return paired_database(tmp_path_factory.mktemp("paired") / "db.ldb", n=N)


@pytest.mark.parametrize("method", ["ridge", "procrustes"])
def test_a_map_over_ray_is_the_local_one_but_for_rounding(
    cluster: Any, db: LatentDB, method: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sums, "BATCH_ROWS", 400)
    here = db.stitch("left", "right", method=method)
    there = db.stitch("left", "right", method=method, engine="ray")
    np.testing.assert_allclose(there.weight, here.weight, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(there.source_mean, here.source_mean, rtol=1e-12, atol=1e-13)
    assert there.fitted_on == here.fitted_on
    assert there.scores.r2.value == pytest.approx(here.scores.r2.value, abs=1e-9)


def test_an_update_over_ray_reads_new_items_alone(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sums, "BATCH_ROWS", 400)
    growing = paired_database(tmp_path / "db.ldb", n=1000)
    growing.stitch("left", "right", update=True)
    paired_database(tmp_path / "db.ldb", n=1500, into=growing)
    updated = growing.stitch("left", "right", update=True, engine="ray")
    whole = growing.stitch("left", "right")
    np.testing.assert_allclose(updated.weight, whole.weight, rtol=1e-5, atol=1e-6)
    assert updated.fitted_on == whole.fitted_on


def test_streams_that_are_merged_keep_the_rows_of_lowest_hash(db: LatentDB) -> None:
    spaces = (db.store.space("left"), db.store.space("right"))
    ids = db.store.item_ids()
    X, Y = db.store.vectors("left", ids), db.store.vectors("right", ids)
    whole, merged = new_stream(spaces), new_stream(spaces)
    whole.update(ids, X, Y)
    for part in np.array_split(np.random.default_rng(0).permutation(N), 5):
        one = new_stream(spaces)
        one.update(ids[part], X[part], Y[part])
        merged.merge(one)
    assert merged.n == whole.n
    np.testing.assert_array_equal(np.sort(merged.kept_ids), np.sort(whole.kept_ids))
    np.testing.assert_array_equal(np.sort(merged.ids()), ids)


def test_streams_of_two_seeds_do_not_merge() -> None:
    with pytest.raises(ValueError, match="other seeds"):
        SplitMoments(3, 2, seed=1).merge(SplitMoments(3, 2, seed=2))


def test_a_database_that_workers_do_not_find_is_said(db: LatentDB, tmp_path: Path) -> None:
    spaces = (db.store.space("left"), db.store.space("right"))
    with pytest.raises(ClusterError, match="a worker finds no database at"):
        sums.sums_of(str(tmp_path / "elsewhere.ldb"), spaces, {}, db.store.item_ids())


def test_an_engine_there_is_none_of_is_refused(db: LatentDB) -> None:
    with pytest.raises(QueryError, match="there is no engine 'spark': local or ray"):
        db.stitch("left", "right", engine="spark")  # type: ignore[typeddict-item]
