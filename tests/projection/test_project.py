"""Projections of stored rows: made, kept, brought up to date, filtered and sampled."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

import latentdb
from latentdb.database import LatentDB
from latentdb.errors import (
    FilterError,
    NotEnoughDataError,
    QueryError,
    UnknownProjectionError,
    UnknownSpaceError,
)
from latentdb.migrate.dropping import drop_space
from latentdb.projection import points as module
from latentdb.projection import umap_layout
from latentdb.space import Space
from latentdb.types import ItemRow, SpaceRows

DIM, N = 8, 120
SPACE = Space("codes", "embedding", DIM, "imported:", {"made": "here"})


def vectors_of(ids):
    """Two groups, odd and even ids, far apart along one axis."""
    made = np.array([np.random.default_rng(one).normal(size=DIM) for one in ids])
    made[:, 0] += 12.0 * (np.asarray(ids) % 2)
    return made.astype(np.float32)


def add(db, ids):
    ids = [int(one) for one in ids]
    items = [ItemRow(one, f"{one}.png", 1, 1, b"png", {"odd": one % 2 == 1}) for one in ids]
    rows = SpaceRows(np.array(ids, np.int64), vectors_of(ids))
    db.store.write_batch(items=items, sources=[], vectors={"codes": rows}, quarantine=[])


@pytest.fixture
def db(tmp_path) -> LatentDB:
    made = latentdb.create(tmp_path / "codes.ldb")
    made.store.add_space(SPACE)
    add(made, range(N))
    return made


def test_points_are_the_principal_components_of_the_rows(db):
    found = db.project("codes")
    expected = PCA(2).fit(vectors_of(found.ids))
    there = np.abs(found.xy)
    np.testing.assert_allclose(
        there, np.abs(expected.transform(vectors_of(found.ids))), atol=1e-4 * there.max()
    )
    assert found.explained == pytest.approx(expected.explained_variance_ratio_, rel=1e-5)
    assert (found.method, found.count, found.n_missing) == ("pca", N, 0)
    assert found.xy.dtype == np.float32
    assert found.fingerprint == SPACE.fingerprint


def test_it_is_made_once(db, monkeypatch):
    first = db.project("codes")
    monkeypatch.setattr(module, "fit_components", None)
    again = latentdb.open(db.uri).project("codes")
    np.testing.assert_array_equal(first.xy, again.xy)
    assert again.created_at == first.created_at != ""


def test_a_condition_chooses_points_and_leaves_the_plane(db):
    everything, odd = db.project("codes"), db.project("codes", where="odd")
    assert odd.ids.tolist() == list(range(1, N, 2))
    np.testing.assert_array_equal(odd.xy, everything.xy[1::2])


def test_a_limit_draws_the_same_points_again_and_most_of_them_later(db):
    some = db.project("codes", limit=50)
    assert (len(some.ids), some.count) == (50, N)
    assert (np.diff(some.ids) > 0).all()
    np.testing.assert_array_equal(some.ids, db.project("codes", limit=50).ids)
    assert some.ids.tolist() != db.project("codes", limit=50, seed=1).ids.tolist()
    add(db, range(N, N + 5))
    assert len(np.intersect1d(some.ids, db.project("codes", limit=50).ids)) >= 45


def test_a_few_new_rows_are_placed_by_the_same_axes(db):
    before = db.project("codes")
    add(db, range(N, N + 6))
    db.delete([3])
    now = db.project("codes")
    assert now.ids.tolist() == [one for one in range(N + 6) if one != 3]
    np.testing.assert_array_equal(now.xy[:3], before.xy[:3])
    assert now.xy[-1, 0] == pytest.approx(before.xy[1::2, 0].mean(), abs=4)


def test_after_a_tenth_of_changes_the_axes_are_new(db):
    db.project("codes")
    add(db, range(N, N + 10))
    db.project("codes")
    add(db, range(N + 10, N + 20))
    now = db.project("codes")
    expected = PCA(2).fit(vectors_of(range(N + 20)))
    assert now.explained == pytest.approx(expected.explained_variance_ratio_, rel=1e-5)


def test_progress_is_told_and_can_end_it(db):
    told = []
    db.project("codes", again=True, progress=lambda *said: told.append(said))
    assert told[-1] == (N, N, "reading vectors")

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        db.project("codes", again=True, progress=stop)


def test_it_goes_with_its_space(db):
    db.project("codes")
    drop_space(db.catalog, "codes")
    assert list(db.store.artefact_dir("priors").rglob("*.safetensors")) == []


def test_a_read_only_database_answers_too(db, monkeypatch, caplog):
    def refuse(*_):
        raise module.ArtefactError("read-only")

    monkeypatch.setattr(module.ProjectionShelf, "put", refuse)
    assert len(db.project("codes").ids) == N
    assert "not kept" in caplog.text


@pytest.mark.parametrize(
    ("space", "options", "error", "said"),
    [
        ("nope", {}, UnknownSpaceError, "nope"),
        ("codes", {"where": "nope"}, FilterError, "no column"),
        ("codes", {"limit": 0}, QueryError, "at least 1"),
        ("codes", {"method": "tsne"}, QueryError, "pca or umap"),
        ("codes", {"method": "umap", "only_kept": True}, UnknownProjectionError, "no umap"),
    ],
)
def test_what_cannot_be_is_refused(db, space, options, error, said):
    with pytest.raises(error, match=said):
        db.project(space, **options)


def test_an_empty_space_cannot_be_projected(tmp_path):
    db = latentdb.create(tmp_path / "empty.ldb")
    db.store.add_space(SPACE)
    with pytest.raises(NotEnoughDataError, match="two different rows"):
        db.project("codes")


@pytest.mark.slow  # umap-learn compiles itself for ten seconds
def test_umap_keeps_groups_apart_and_is_of_equal_seeds_equal(db):
    told = []
    first = db.project("codes", method="umap", progress=lambda *said: told.append(said))
    even, odd = first.xy[::2], first.xy[1::2]
    apart = np.linalg.norm(even.mean(axis=0) - odd.mean(axis=0))
    assert apart > 2 * max(even.std(), odd.std())
    assert {what for *_, what in told} >= {"reading vectors", "finding neighbours", "laying out"}
    np.testing.assert_array_equal(first.xy, db.project("codes", method="umap", again=True).xy)
    assert (first.explained, first.params["seed"]) == (None, 0)

    add(db, range(N, N + 3))
    db.delete([0])
    kept = db.project("codes", method="umap", only_kept=True)
    assert (len(kept.ids), kept.n_missing) == (N - 1, 3)
    assert db.project("codes", method="umap").n_missing == 0


@pytest.mark.slow
@pytest.mark.parametrize("rows", [np.arange(6.0)[:, None], np.outer(np.arange(9.0), [1, 0, 0])])
def test_umap_lays_out_rows_on_a_line_too(rows):
    xy, params = umap_layout.lay_out(rows.astype(np.float32), seed=0, progress=lambda *_: None)
    assert np.isfinite(xy).all()
    assert params["n_neighbors"] == len(rows) - 1


def test_umap_of_hardly_any_rows_is_refused():
    with pytest.raises(NotEnoughDataError, match="needs 5 rows"):
        umap_layout.lay_out(np.ones((4, 3), np.float32), seed=0, progress=lambda *_: None)


def test_without_umap_the_error_says_what_to_install(db, monkeypatch):
    monkeypatch.setattr(umap_layout.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(QueryError, match=r"pip install 'latentdb\[map\]'"):
        db.project("codes", method="umap")
