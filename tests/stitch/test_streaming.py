"""One pass over batches: the same split, the same map, new rows alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import latentdb
from indexers.errors import DuplicateIdError
from latentdb.held_out import split_by_item
from latentdb.space import Space
from latentdb.stitch import MapOptions, SplitMoments, fit_map, fit_map_stream
from latentdb.stitch.evaluate import permuted_null
from latentdb.stitch.from_store import stitch_spaces
from latentdb.stitch.ridge import RidgeStitcher
from latentdb.store import Store
from latentdb.types import ItemRow, SpaceRows

A = Space("a", "embedding", 12, "none")
B = Space("b", "embedding", 8, "none")
METHODS = ["ridge", "reduced_rank", "procrustes", "cca"]


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(900, 6))
    X = Z @ rng.normal(size=(6, 12)) + 0.5 * rng.normal(size=(900, 12)) + 2.0
    Y = Z @ rng.normal(size=(6, 8)) + 0.5 * rng.normal(size=(900, 8))
    ids = rng.choice(2**62, size=900, replace=False)
    return ids, X.astype(np.float32), Y.astype(np.float32)


def _batches(rows, cuts):
    return zip(*(np.split(part, cuts) for part in rows), strict=True)


@pytest.mark.parametrize("method", METHODS)
def test_a_stream_gives_the_map_of_all_rows_at_once(rows, method):
    ids, X, Y = rows
    whole = fit_map(X, Y, spaces=(A, B), ids=ids, method=method)
    options = MapOptions(max_held_out=180)
    shuffled = [part[np.random.default_rng(1).permutation(900)] for part in rows]
    streamed = fit_map_stream(
        _batches(shuffled, [5, 300, 301, 640]), spaces=(A, B), method=method, options=options
    )
    np.testing.assert_allclose(streamed.weight, whole.weight, atol=1e-5)
    assert streamed.fitted_on == whole.fitted_on
    assert streamed.scores.recall_at_10.value == pytest.approx(whole.scores.recall_at_10.value)


def test_kept_rows_are_the_items_of_lowest_hash_whatever_the_order(rows):
    ids, X, _ = rows
    stream = SplitMoments(12, 8, n_kept=100, seed=3)
    for batch in _batches(rows, [400, 450]):
        stream.update(*batch)
    split = stream.split(60, 40)
    lowest = split_by_item(ids, seed=3, fraction=60 / 900)
    assert set(split.held_out_ids) == set(ids[lowest])
    assert (split.train.n, len(split.validation), stream.n) == (800, 40, 900)
    kept = split_by_item(ids, seed=3, fraction=100 / 900)
    np.testing.assert_allclose(split.train.source.mean, X[~kept].mean(0), atol=1e-5)


def test_memory_of_a_stream_is_flat_but_for_the_ids(rows):
    _, X, Y = rows
    stream = SplitMoments(12, 8, n_kept=100)
    held = []
    for start in range(0, 9000, 900):
        stream.update(np.arange(start, start + 900), X, Y)
        held.append(sum(a.nbytes for a in stream.moments.to_arrays().values()))
        assert len(stream.kept) == 100
    assert len(set(held)) == 1


def test_an_item_that_comes_twice_is_refused(rows):
    ids, X, Y = rows
    batches = [(ids, X, Y), (ids[:1], X[:1], Y[:1])]
    with pytest.raises(DuplicateIdError, match="2 times"):
        fit_map_stream(batches, spaces=(A, B))


def test_the_drawn_null_is_spread_like_that_of_permuted_pairs(rows):
    ids, X, Y = rows
    options = MapOptions(n_permutations=60)
    drawn = fit_map(X, Y, spaces=(A, B), ids=ids, options=options).scores.null
    is_test = split_by_item(ids, seed=0)
    fitted = fit_map(X, Y, spaces=(A, B), ids=ids, options=MapOptions(n_permutations=0))

    def refit_predict(shuffled):
        strength = [fitted.regularisation]
        return RidgeStitcher(strength).fit(X[~is_test], shuffled).predict(X[is_test])

    true = permuted_null(
        refit_predict, Y[~is_test], Y[is_test].astype(float), seed=0, n_permutations=60
    )
    assert drawn.r2_max == pytest.approx(true.r2_max, abs=0.01)
    assert drawn.centred_cosine_max == pytest.approx(true.centred_cosine_max, abs=0.06)
    assert drawn.recall_at_10_mean == pytest.approx(true.recall_at_10_mean, abs=0.01)


@pytest.fixture
def db(tmp_path: Path, rows):
    made = latentdb.create(tmp_path / "made.ldb")
    made.store.add_space(A)
    made.store.add_space(B)
    _add(made, rows, slice(0, 500))
    return made


def _add(db, rows, part):
    ids, X, Y = (column[part] for column in rows)
    items = [ItemRow(int(i), f"{i}.png", 8, 8, b"", {}) for i in ids]
    vectors = {"a": SpaceRows(ids, X), "b": SpaceRows(ids, Y)}
    db.store.write_batch(items=items, sources=[], vectors=vectors, quarantine=[])


def _read_ids(db, monkeypatch, **options):
    """Ids whose vectors are read from the store during a stitch, and the map."""
    seen: list[int] = []
    vectors = Store.vectors

    def recorded(self, space, ids):
        seen.extend(np.asarray(ids).tolist())
        return vectors(self, space, ids)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "vectors", recorded)
        fitted = stitch_spaces(db.store, "a", "b", **options)
    return set(seen), fitted


def test_an_update_reads_new_rows_alone_and_gives_the_map_of_all(db, rows, monkeypatch):
    ids, X, Y = rows
    db.stitch("a", "b", update=True)
    _add(db, rows, slice(500, 900))
    seen, fitted = _read_ids(db, monkeypatch, update=True)
    assert seen == set(ids[500:].tolist())
    whole = fit_map(X, Y, spaces=(A, B), ids=ids)
    np.testing.assert_allclose(fitted.weight, whole.weight, atol=1e-5)
    assert fitted.fitted_on == whole.fitted_on
    assert [one.source for one in db.maps()] == ["a"]


def test_a_deleted_item_makes_an_update_start_over(db, rows, monkeypatch):
    ids = rows[0]
    db.stitch("a", "b", update=True)
    db.store.delete(ids[:10])
    seen, fitted = _read_ids(db, monkeypatch, update=True)
    assert seen == set(ids[10:500].tolist())
    assert fitted.fitted_on.n_train + fitted.fitted_on.n_held_out == 490


def test_an_update_of_another_seed_reads_everything(db, rows, monkeypatch):
    db.stitch("a", "b", update=True)
    seen, _ = _read_ids(db, monkeypatch, update=True, seed=5)
    assert seen == set(rows[0][:500].tolist())
