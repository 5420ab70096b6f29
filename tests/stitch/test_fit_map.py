"""fit_map and LinearMap: honest splits, fingerprints, files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics.pairwise import cosine_similarity

from indexers.errors import (
    DimensionError,
    DuplicateIdError,
    NonFiniteError,
    ParameterError,
)
from latentdb.directions import DirectionOptions, fit_direction
from latentdb.errors import ArtefactError, NotEnoughDataError, SpaceMismatchError
from latentdb.held_out import split_by_item
from latentdb.space import Space
from latentdb.stitch import LinearMap, MapOptions, fit_map

NOISE = Space("noise", "noise", 48, "noise", {"steps": 30})
CLIP = Space("clip", "embedding", 16, "clip", {"model": "tiny"})


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(700, 8))
    X = Z @ rng.normal(size=(8, 48)) + rng.normal(size=(700, 48))
    Y = Z @ rng.normal(size=(8, 16)) + 0.3 * rng.normal(size=(700, 16)) + 4.0
    ids = rng.choice(2**62, size=700, replace=False)
    return X.astype(np.float32), Y.astype(np.float32), ids


@pytest.fixture(scope="module")
def fitted(rows):
    X, Y, ids = rows
    return fit_map(X, Y, spaces=(NOISE, CLIP), ids=ids)


def test_map_is_fitted_on_the_training_items_alone(rows, fitted):
    X, Y, ids = rows
    is_test = split_by_item(ids, seed=0)
    expected = Ridge(fitted.regularisation).fit(X[~is_test], Y[~is_test])
    np.testing.assert_allclose(fitted.weight, expected.coef_, atol=1e-4)
    assert (fitted.fitted_on.n_train, fitted.fitted_on.n_held_out) == (560, 140)


def test_held_out_targets_do_not_reach_the_map(rows, fitted):
    X, Y, ids = rows
    spoiled = np.where(split_by_item(ids, seed=0)[:, None], Y[::-1], Y)
    other = fit_map(X, spoiled, spaces=(NOISE, CLIP), ids=ids)
    np.testing.assert_array_equal(other.weight, fitted.weight)
    assert other.scores.r2.value < fitted.scores.r2.value


def test_scores_are_those_of_the_held_out_items(rows, fitted):
    X, Y, ids = rows
    is_test = split_by_item(ids, seed=0)
    mapped = fitted.transform(X[is_test])
    mean = Y[~is_test].mean(0)
    r2 = 1 - ((Y[is_test] - mapped) ** 2).sum() / ((Y[is_test] - mean) ** 2).sum()
    assert fitted.scores.r2.value == pytest.approx(r2, abs=1e-4)


def test_a_real_map_beats_its_null_which_stays_near_chance(fitted):
    null, chance = fitted.scores.null, fitted.scores.chance_at(10)
    assert fitted.scores.beats_null
    assert null.recall_at_10_mean == pytest.approx(chance, abs=0.03)
    assert null.r2_max < 0.05
    assert fitted.scores.recall_at_10.value > 0.9


def test_a_map_between_unrelated_spaces_does_not_beat_its_null(rows):
    X, Y, ids = rows
    unrelated = np.random.default_rng(5).normal(size=Y.shape)
    scores = fit_map(X, unrelated, spaces=(NOISE, CLIP), ids=ids).scores
    assert not scores.beats_null
    assert abs(scores.r2.value) < 0.1


def test_plain_cosine_flatters_where_centred_cosine_does_not(rows):
    X, Y, ids = rows
    unrelated = np.random.default_rng(5).normal(size=Y.shape) + 5.0
    scores = fit_map(X, unrelated, spaces=(NOISE, CLIP), ids=ids).scores
    assert scores.cosine.value > 0.95
    assert scores.cosine.value == pytest.approx(scores.baseline_cosine, abs=0.02)
    assert abs(scores.centred_cosine.value) < 0.1


def test_order_of_rows_does_not_matter(rows, fitted):
    X, Y, ids = rows
    other = fit_map(
        X[::-1], Y[::-1], spaces=(NOISE, CLIP), ids=ids[::-1], options=MapOptions(n_permutations=0)
    )
    assert other.fitted_on == fitted.fitted_on
    assert other.scores.null is None
    np.testing.assert_allclose(other.weight, fitted.weight, atol=1e-6)


def test_maps_and_directions_hold_out_the_same_items(rows):
    X, Y, ids = rows
    y = Y[:, 0] > 4
    strata = split_by_item(ids, seed=0, strata=y)
    plain = split_by_item(ids, seed=0)
    assert (strata == plain).mean() > 0.97
    direction = fit_direction(
        X, y, name="a", space=NOISE, ids=ids, options=DirectionOptions(method="mean_difference")
    )
    assert direction.fitted_on.n_held_out == strata.sum()


def test_held_out_part_is_capped(rows):
    X, Y, ids = rows
    capped = fit_map(X, Y, spaces=(NOISE, CLIP), ids=ids, options=MapOptions(max_held_out=50))
    assert capped.fitted_on.n_held_out == 50


def test_transform_keeps_dtype_and_input(rows, fitted):
    X = rows[0][:5].copy()
    X.setflags(write=False)
    assert fitted.transform(X).dtype == np.float32
    assert fitted.transform(X.astype(np.float64)).dtype == np.float64


def test_norm_and_spread_are_restored_only_when_asked_for(rows, fitted):
    X, Y, _ = rows
    plain, restored = fitted.transform(X), fitted.transform(X, restore_norm=True)
    assert fitted.target_norm == pytest.approx(np.linalg.norm(Y, axis=1).mean(), rel=0.02)
    spread = np.linalg.norm(Y - Y.mean(0), axis=1).mean()
    assert fitted.target_spread == pytest.approx(spread, rel=0.03)
    away = plain - fitted.target_mean
    moved = fitted.target_mean + away * (
        fitted.target_spread / np.linalg.norm(away, axis=1, keepdims=True)
    )
    expected = moved * (fitted.target_norm / np.linalg.norm(moved, axis=1, keepdims=True))
    np.testing.assert_allclose(restored, expected, rtol=1e-4, atol=1e-4)


def test_recall_is_what_the_restored_map_finds(rows, fitted):
    X, Y, ids = rows
    is_test = split_by_item(ids, seed=0)
    similarity = cosine_similarity(fitted.transform(X[is_test], restore_norm=True), Y[is_test])
    first = similarity.argmax(axis=1) == np.arange(is_test.sum())
    assert fitted.scores.recall_at_1.value == pytest.approx(first.mean(), abs=1e-6)


def test_a_map_refuses_vectors_of_other_settings(fitted):
    fitted.require_source(replace(NOISE, name="renamed"))
    fitted.require_target(CLIP)
    with pytest.raises(SpaceMismatchError, match=r"noise → clip was fitted on .* latentdb stitch"):
        fitted.require_source(replace(NOISE, settings={"steps": 50}))
    with pytest.raises(SpaceMismatchError, match="'noise'"):
        fitted.require_target(NOISE)


def test_transform_refuses_a_wrong_dimension_and_non_finite_vectors(fitted):
    with pytest.raises(DimensionError, match=r"noise → clip: expected .*\(n, 48\), got \(2, 16\)"):
        fitted.transform(np.ones((2, 16), np.float32))
    with pytest.raises(NonFiniteError, match="1 of 1"):
        fitted.transform(np.full((1, 48), np.nan, np.float32))


def test_a_saved_map_answers_the_same(tmp_path, rows, fitted):
    path = tmp_path / "map.safetensors"
    fitted.save(path)
    read = LinearMap.load(path)
    np.testing.assert_array_equal(read.transform(rows[0]), fitted.transform(rows[0]))
    assert read.to_json() == fitted.to_json()
    read.require_source(NOISE)


def test_a_direction_is_not_a_map(tmp_path, rows):
    X, Y, ids = rows
    path = tmp_path / "direction.safetensors"
    fit_direction(X, Y[:, 0] > 4, name="a", space=NOISE, ids=ids).save(path)
    with pytest.raises(ArtefactError, match="holds a direction, expected a linear_map"):
        LinearMap.load(path)


def test_what_does_not_fit_together_is_refused(rows):
    X, Y, ids = rows
    spaces = (NOISE, CLIP)
    with pytest.raises(NotEnoughDataError, match=r"11 held-out items .* 50 items .* leave 10"):
        fit_map(X[:50], Y[:50], spaces=spaces, ids=ids[:50])
    with pytest.raises(NotEnoughDataError, match="0 items"):
        fit_map(X[:0], Y[:0], spaces=spaces, ids=ids[:0])
    with pytest.raises(DimensionError, match="700 vectors of noise, 699 of clip"):
        fit_map(X, Y[1:], spaces=spaces, ids=ids)
    with pytest.raises(DimensionError, match="vectors of noise"):
        fit_map(Y, X, spaces=spaces, ids=ids)
    with pytest.raises(DuplicateIdError, match="2 times"):
        fit_map(X, Y, spaces=spaces, ids=np.where(np.arange(700) == 1, ids[0], ids))
    with pytest.raises(ParameterError, match="unknown method 'magic': one of ridge"):
        fit_map(X, Y, spaces=spaces, ids=ids, method="magic")


def test_more_dimensions_than_items_are_solved():
    rng = np.random.default_rng(1)
    Z = rng.normal(size=(150, 4))
    wide = Space("wide", "noise", 400, "wide", {})
    X = Z @ rng.normal(size=(4, 400)) + rng.normal(size=(150, 400))
    Y = Z @ rng.normal(size=(4, 16))
    fitted = fit_map(X, Y, spaces=(wide, CLIP), ids=np.arange(150))
    assert fitted.scores.r2.value > 0.8
