"""An index that is searched while its table grows."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import latentdb
from indexers.flat import FlatConfig
from indexers.index import build_index
from indexers.metric import make_metric
from latentdb.database import LatentDB
from latentdb.index.live import LiveFacts, LiveIndex, RowTimes
from latentdb.index.name import IndexName
from latentdb.space import Space
from latentdb.store import Store
from latentdb.types import ItemRow, SpaceRows

DIM = 16
SPACE = "vectors"


def vectors_of(ids, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((1000, DIM)).astype(np.float32)[np.asarray(ids)]


def write(db: LatentDB, ids, vectors=None) -> None:
    rows = vectors_of(ids) if vectors is None else vectors
    items = [ItemRow(int(i), f"{i}.png", 1, 1, b"") for i in ids]
    kept = SpaceRows(np.asarray(ids, np.int64), rows)
    db.store.write_batch(items=items, sources=[], vectors={SPACE: kept}, quarantine=[])


@pytest.fixture
def db(tmp_path) -> LatentDB:
    made = latentdb.create(tmp_path / "live.ldb")
    made.store.add_space(Space(SPACE, "embedding", DIM, spec="none", settings={}))
    write(made, range(100))
    return made


def ask(db: LatentDB, item: int, **where) -> list[int]:
    found = db.search(vector=vectors_of([item])[0], space=SPACE, k=1, **where)
    return [hit.id for hit in found.hits]


def read_by(monkeypatch) -> list[int]:
    """How many vectors each read of the store asks for, from now on."""
    read: list[int] = []
    vectors = Store.vectors
    monkeypatch.setattr(
        Store, "vectors", lambda self, s, ids: read.append(len(ids)) or vectors(self, s, ids)
    )
    return read


@pytest.mark.parametrize("saved", [False, True])
@pytest.mark.parametrize("metric", ["cosine", "euclidean", "nao"])
def test_only_rows_that_came_are_read(db, monkeypatch, saved, metric):
    if saved:
        db.build_index(SPACE, metric=metric)
    ask(db, 0, metric=metric)
    read = read_by(monkeypatch)
    write(db, range(100, 130))
    assert ask(db, 120, metric=metric) == [120]
    write(db, range(130, 135))
    db.delete([120, 3])
    assert ask(db, 134, metric=metric) == [134]
    assert 120 not in ask(db, 120, metric=metric)
    assert ask(db, 3, metric=metric) != [3]
    assert read == [30, 5]


@pytest.mark.parametrize("saved", [False, True])
def test_an_index_that_grew_answers_as_one_made_anew(db, saved):
    if saved:
        db.build_index(SPACE)
    rng = np.random.default_rng(1)
    first = 100
    for count in (7, 1, 40, 3):
        write(db, range(first, first + count))
        db.delete(rng.choice(first, 4, replace=False).tolist())
        first += count
        ask(db, 0)
    fresh = latentdb.open(db.uri)
    query = rng.standard_normal(DIM).astype(np.float32)
    one, other = (each.search(vector=query, space=SPACE, k=60) for each in (db, fresh))
    assert [hit.id for hit in one.hits] == [hit.id for hit in other.hits]
    np.testing.assert_allclose(
        [hit.distance for hit in one.hits], [hit.distance for hit in other.hits], atol=1e-6
    )


def test_an_id_that_went_and_came_back_has_its_new_vector(db):
    ask(db, 0)
    db.delete([5])
    write(db, [5], vectors_of([777]))
    assert ask(db, 777) == [5]
    assert ask(db, 5) != [5]


def test_a_fitted_prior_is_fitted_to_the_rows_there_are(db):
    asked = {"vector": vectors_of([0])[0], "space": SPACE, "metric": "nao", "prior": "fitted"}
    db.search(**asked)
    write(db, range(100, 200), 3.0 * vectors_of(range(100, 200)))
    one, other = db.search(**asked), latentdb.open(db.uri).search(**asked)
    assert [hit.distance for hit in one.hits] == [hit.distance for hit in other.hits]


def test_an_index_built_meanwhile_answers_from_then_on(db):
    ask(db, 0)
    elsewhere = latentdb.open(db.uri)
    elsewhere.build_index(SPACE)
    ask(db, 0)
    assert [one.facts.is_saved for one in db.catalog.indexes.loaded()] == [True]
    write(db, range(100, 103))
    ask(db, 0)
    assert [one.newer_rows for one in db.catalog.indexes.loaded()] == [3]
    assert [one.count for one in db.catalog.indexes.loaded()] == [103]


def grown_by(live: LiveIndex, ids) -> LiveIndex:
    now = RowTimes(np.arange(ids, dtype=np.int64), np.zeros(ids, np.int64))
    return live.grown(now, vectors_of)


def live_of(count: int) -> LiveIndex:
    ids = np.arange(count)
    index = build_index(vectors_of(ids), ids, metric=make_metric("cosine"), config=FlatConfig())
    return LiveIndex((index,), RowTimes(ids, np.zeros(count, np.int64)), None, LiveFacts())


def test_a_search_under_way_ends_in_the_index_it_began_with():
    before = live_of(10)
    after = grown_by(before, 20)
    assert (len(before), len(after)) == (10, 20)
    assert before.search(vectors_of([15]), 20).ids.max() == 9
    assert after.search(vectors_of([15]), 1).ids[0, 0] == 15


def test_small_parts_are_joined_and_a_large_one_is_left(monkeypatch):
    monkeypatch.setattr("latentdb.index.live._SMALL_VALUES", 0)
    live = live_of(400)
    for count in range(401, 480):
        live = grown_by(live, count)
    sizes = [len(part) for part in live._parts]
    assert sizes[0] == 400
    assert sum(sizes) == 479
    assert len(sizes) <= 6


def test_loading_one_index_does_not_stop_searches_of_another(db, monkeypatch):
    ask(db, 0)
    shelf = db.catalog.indexes._live
    begun, may_end = threading.Event(), threading.Event()
    in_memory = type(shelf)._in_memory

    def slow(self, space, name, now):
        if name.metric == "euclidean":
            begun.set()
            may_end.wait(10)
        return in_memory(self, space, name, now)

    monkeypatch.setattr(type(shelf), "_in_memory", slow)
    loading = threading.Thread(target=ask, args=(db, 0), kwargs={"metric": "euclidean"})
    loading.start()
    assert begun.wait(10)
    assert ask(db, 7) == [7]
    may_end.set()
    loading.join()


def test_names_of_indexes_are_folders_and_back():
    for name in (IndexName.of("a", "cosine", None), IndexName.of("b-c", "nao", "fitted")):
        assert IndexName.parse(str(name)) == name
    assert str(IndexName.of("noise", "nao", None)) == "noise--nao--chi"
    assert IndexName.parse("notes") is None
