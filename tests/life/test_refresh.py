"""Indexes that are brought up to their table, beside ones that are built anew."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from life_rows import NARROW, WIDE, make_db, vectors_of, write

import latentdb
from indexers.hnsw import HnswConfig
from indexers.ivf import IvfConfig
from indexers.persistence import load_index, read_manifest
from latentdb.database import LatentDB
from latentdb.errors import NotEnoughDataError
from latentdb.index.row_times import KEY
from latentdb.index.shelf import pointer_stamp

QUESTIONS = np.random.default_rng(5).standard_normal((20, 16), dtype=np.float32)


def _folder(db: LatentDB, name: str) -> Path:
    return Path(db.uri, "indexes", name)


def _change(db: LatentDB) -> None:
    """Delete some, add some, and have some come again with other vectors."""
    db.delete(range(20))
    write(db.store, range(300, 330))
    db.delete([100, 101])
    write(db.store, [100, 101], seed=9)


@pytest.mark.parametrize("metric", ["cosine", "euclidean", "nao"])
@pytest.mark.parametrize("kind", ["flat", "sq8", "hnsw"])
def test_a_refreshed_index_finds_what_one_built_anew_does(
    db: LatentDB, kind: str, metric: str
) -> None:
    prior = {"prior": "chi"} if metric == "nao" else {}
    built = db.build_index("wide", kind=kind, metric=metric, **prior)
    _change(db)
    refreshed = db.upkeep.refresh_index("wide", metric=metric)
    assert (refreshed.count, refreshed.newer_rows, refreshed.removed_rows) == (210, 0, 0)
    assert refreshed.kind == built.kind
    live = db.catalog.indexes.live(WIDE, metric, None)
    found = live.search(QUESTIONS, 10)
    db.build_index("wide", kind="flat", metric=metric, **prior)
    exact = db.catalog.indexes.live(WIDE, metric, None).search(QUESTIONS, 10)
    np.testing.assert_array_equal(found.ids, exact.ids)
    np.testing.assert_allclose(found.distances, exact.distances, atol=1e-5)


def test_an_id_that_came_again_with_another_vector_is_found_by_the_new_one(db: LatentDB) -> None:
    db.delete([7])
    write(db.store, [7], seed=3)
    new = vectors_of([7], 16, seed=3)
    for reopened in (db, latentdb.open(db.uri)):
        hit = reopened.search(vector=new, from_space="wide", space="wide", k=1).hits[0]
        assert (hit.id, hit.distance) == (7, pytest.approx(0, abs=1e-3))
    db.upkeep.refresh_index("wide")
    hit = db.search(vector=new, from_space="wide", space="wide", k=1).hits[0]
    assert (hit.id, hit.distance) == (7, pytest.approx(0, abs=1e-3))


def test_refreshing_what_is_up_to_date_writes_nothing(db: LatentDB) -> None:
    folder = _folder(db, "wide--cosine")
    stamp = pointer_stamp(folder)
    assert db.upkeep.refresh_index("wide").count == 200
    assert pointer_stamp(folder) == stamp


def test_a_structure_is_laid_out_anew_where_too_much_is_gone_or_came(db: LatentDB) -> None:
    db.build_index("wide", kind=HnswConfig(m=8))
    db.delete(range(80))
    db.upkeep.refresh_index("wide")
    index = load_index(_folder(db, "wide--cosine"))
    # No place of a removed row is left, and the settings are those of before.
    assert (len(index), len(index.position_ids)) == (120, 120)
    assert isinstance(index.config, HnswConfig)
    assert index.config.m == 8


def test_few_removed_rows_stay_as_places_that_no_search_returns(db: LatentDB) -> None:
    db.build_index("wide", kind=HnswConfig())
    db.delete(range(10))
    db.upkeep.refresh_index("wide")
    index = load_index(_folder(db, "wide--cosine"))
    assert (len(index), len(index.position_ids)) == (190, 200)
    assert not set(index.search(QUESTIONS, 20).ids.ravel()) & set(range(10))


def test_a_database_that_doubled_has_its_cells_laid_out_anew(db: LatentDB) -> None:
    db.build_index("wide", kind=IvfConfig(nlist=4))
    before = read_manifest(_folder(db, "wide--cosine"))["extra"]["laid_out"]
    write(db.store, range(300, 550))
    db.upkeep.refresh_index("wide")
    after = read_manifest(_folder(db, "wide--cosine"))["extra"]["laid_out"]
    assert (before, after) == (200, 450)


def test_an_index_of_an_earlier_version_is_built_anew(db: LatentDB) -> None:
    folder = _folder(db, "wide--cosine")
    extra = read_manifest(folder)["extra"]
    from indexers.persistence import save_index

    save_index(
        load_index(folder), folder, manifest_extra={k: v for k, v in extra.items() if k != KEY}
    )
    again = latentdb.open(db.uri)
    assert again.upkeep.refresh_index("wide").count == 200
    assert KEY in read_manifest(folder)["extra"]


def test_an_index_of_a_fitted_prior_is_fitted_anew(db: LatentDB) -> None:
    db.build_index("wide", metric="nao", prior="fitted")
    before = read_manifest(_folder(db, "wide--nao--fitted"))["metric"]
    write(db.store, range(300, 330))
    assert db.upkeep.refresh_index("wide", metric="nao", prior="fitted").count == 230
    assert read_manifest(_folder(db, "wide--nao--fitted"))["metric"] != before


def test_an_index_that_is_not_there_is_not_refreshed(db: LatentDB) -> None:
    with pytest.raises(NotEnoughDataError, match="no index wide--euclidean to refresh; build it"):
        db.upkeep.refresh_index("wide", metric="euclidean")


def found_by(db: LatentDB) -> set[int]:
    answer = db.search(vector=QUESTIONS[:1, :8], from_space="narrow", space="narrow")
    return {hit.id for hit in answer.hits}


def test_searches_go_on_while_an_index_is_refreshed(tmp_path: Path) -> None:
    db = make_db(tmp_path / "own.ldb", 1000)
    db.build_index("narrow", kind="hnsw")
    write(db.store, range(2000, 2600))
    wanted = found_by(db)
    answers: list[set[int]] = []
    ended = threading.Event()

    def search() -> None:
        while not ended.is_set():
            answers.append(found_by(db))

    thread = threading.Thread(target=search)
    thread.start()
    info = db.upkeep.refresh_in_background("narrow").result(timeout=60)
    ended.set()
    thread.join()
    assert info.count == 1600
    assert answers
    assert all(found == wanted for found in answers)
    assert db.catalog.indexes.live(NARROW, "cosine", None).newer_rows == 0
