"""A shared space in a database: stored, searched, filled, asked from its members."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import latentdb
from indexers.errors import DuplicateIdError, ParameterError
from latentdb.errors import ModelError, QueryError, SpaceExistsError, WorthlessMapError
from latentdb.shared_space import SharedSpace
from latentdb.shared_space_fit import fill_shared, shared_shelf
from latentdb.space import Space
from latentdb.types import ItemRow, SpaceRows

DIMS = {"a": 12, "b": 9, "c": 15}


@pytest.fixture(scope="module")
def views():
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(700, 5))
    return {
        name: (Z @ rng.normal(size=(5, dim)) + 0.2 * rng.normal(size=(700, dim)) + 1.0).astype(
            np.float32
        )
        for name, dim in DIMS.items()
    }


def _add(db, views, part, names=tuple(DIMS)):
    ids = np.arange(700, dtype=np.int64)[part] + 1
    items = [ItemRow(int(i), f"{i}.png", 8, 8, b"", {}) for i in ids]
    vectors = {name: SpaceRows(ids, views[name][part]) for name in names}
    db.store.write_batch(items=items, sources=[], vectors=vectors, quarantine=[])


@pytest.fixture
def db(tmp_path: Path, views):
    made = latentdb.create(tmp_path / "made.ldb")
    for name, dim in DIMS.items():
        made.store.add_space(Space(name, "embedding", dim, spec="none", settings={"of": name}))
    _add(made, views, slice(0, 600))
    return made


def test_a_query_of_any_member_is_answered_in_the_shared_space(db, views):
    shared = db.share(["a", "b", "c"])
    assert db.spaces()["shared"].kind == "shared"
    assert db.spaces()["shared"].dim == shared.dim
    for name in DIMS:
        answer = db.search(vector=views[name][11], from_space=name, space="shared", k=3)
        assert 12 in [hit.id for hit in answer.hits]
        assert answer.query["map"]["recall_at_10"] > 0.9
    assert db.search(id=12, space="shared", k=1).hits


def test_stored_vectors_are_the_mean_of_the_projections(db, views):
    shared = db.share(["a", "b", "c"], name="une", dim=4)
    expected = np.mean([shared.project(name, views[name][:5]) for name in DIMS], axis=0)
    np.testing.assert_allclose(db.store.vectors("une", [1, 2, 3, 4, 5]), expected, atol=1e-5)


def test_it_can_be_indexed_like_any_other(db):
    db.share(["a", "b"])
    db.build_index("shared", metric="cosine")
    assert db.search(id=7, space="shared", k=5).exact


def test_maps_into_it_are_scored_on_the_other_members_and_beat_their_null(db):
    db.share(["a", "b", "c"])
    maps = [one for one in db.maps() if one.target == "shared"]
    assert [one.source for one in maps] == ["a", "b", "c"]
    assert all(one.scores.beats_null for one in maps)
    assert maps[0].scores.null.recall_at_10_mean == pytest.approx(10 / 120, abs=0.06)


def test_items_that_come_later_are_filled_from_the_views_they_have(db, views):
    shared = db.share(["a", "b", "c"])
    _add(db, views, slice(600, 700), names=("a", "b"))
    assert fill_shared(db.store) == 100
    assert fill_shared(db.store) == 0
    expected = np.mean([shared.project(name, views[name][600:601]) for name in "ab"], axis=0)
    np.testing.assert_allclose(db.store.vectors("shared", [601]), expected, atol=1e-5)


def test_a_saved_shared_space_projects_the_same(db, views):
    shared = db.share(["a", "b"])
    read = shared_shelf(db.store).get("shared")
    assert isinstance(read, SharedSpace)
    np.testing.assert_array_equal(read.project("a", views["a"]), shared.project("a", views["a"]))
    assert read.to_json() == shared.to_json()
    assert read.space.fingerprint == db.spaces()["shared"].fingerprint


def test_what_cannot_be_shared_is_refused(db, views):
    with pytest.raises(QueryError, match="two or more"):
        db.share(["a"])
    with pytest.raises(DuplicateIdError, match="given twice"):
        db.share(["a", "a"])
    with pytest.raises(SpaceExistsError, match="another --name"):
        db.share(["a", "b"], name="c")
    shared = db.share(["a", "b"])
    with pytest.raises(ParameterError, match="is shared by a, b; got 'c'"):
        shared.project("c", views["c"])
    with pytest.raises(ModelError, match="--from"):
        db.model("shared")


def test_a_member_that_shares_nothing_is_refused_and_nothing_is_stored(db):
    stray = Space("d", "embedding", 10, spec="none", settings={"of": "d"})
    db.store.add_space(stray)
    noise = np.random.default_rng(5).normal(size=(700, 10)).astype(np.float32)
    _add(db, {"d": noise}, slice(0, 600), names=("d",))
    with pytest.raises(WorthlessMapError, match="d → shared does no better"):
        db.share(["a", "b", "d"])
    assert "shared" not in db.spaces()
    assert db.maps() == []
    assert db.share(["a", "b", "d"], force=True).dim >= 1
