"""Directions: recovery, distance, moving, orthogonalisation, files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexers.errors import DimensionError, NonFiniteError, ParameterError
from latentdb.artefacts import FittedOn, SpaceRef
from latentdb.directions import Direction, DirectionOptions, Nuisances, fit_direction
from latentdb.errors import ArtefactError, NotEnoughDataError, SpaceMismatchError
from latentdb.space import Space

DIM = 32
NOISE = Space("noise", "noise", DIM, "noise", {"steps": 30})
METHODS = ("logistic", "lda", "mean_difference")


def _unit(vector):
    return vector / np.linalg.norm(vector)


@pytest.fixture(scope="module")
def world():
    """White noise in which "hat" is axis 0, and "smile" axis 1 with half of hat mixed in."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, DIM)).astype(np.float32)
    hat = X[:, 0] + 0.3 * rng.normal(size=3000) > 0.5
    smile = X[:, 1] + 0.5 * X[:, 0] + 0.3 * rng.normal(size=3000) > 0
    return X, {"hat": hat, "smile": smile}, rng.choice(2**62, 3000, replace=False)


def _fit(world, name, **options):
    X, labels, ids = world
    return fit_direction(
        X, labels[name], name=name, space=NOISE, ids=ids, options=DirectionOptions(**options)
    )


def _made(vector, name="made", space=NOISE, offset=0.0, std=1.0):
    ref = SpaceRef.of(space)
    return Direction(name, ref, _unit(vector), offset, std, "ids", "", FittedOn(1, 0, "", 0))


@pytest.mark.parametrize("method", METHODS)
def test_known_direction_is_recovered(world, method):
    hat = _fit(world, "hat", method=method)
    assert np.linalg.norm(hat.vector) == pytest.approx(1.0)
    assert hat.vector[0] > 0.98
    assert hat.std == pytest.approx(1.0, abs=0.05)
    assert hat.scores.auc.low > 0.95
    smile = _fit(world, "smile", method=method)
    assert smile.vector[:2] @ _unit([0.5, 1.0]) > 0.98


@pytest.mark.parametrize("method", METHODS)
def test_positives_lie_on_the_positive_side(world, method):
    X, labels, _ = world
    distance = _fit(world, "hat", method=method).project(X)
    accuracy = ((distance > 0)[labels["hat"]].mean() + (distance <= 0)[~labels["hat"]].mean()) / 2
    assert accuracy > 0.85


def test_mean_difference_is_the_difference_of_the_training_means(world):
    X, labels, _ = world
    hat = _fit(world, "hat", method="mean_difference", held_out=1e-3)
    y = labels["hat"]
    expected = _unit(X[y].mean(0) - X[~y].mean(0))
    np.testing.assert_allclose(hat.vector, expected, atol=5e-3)


def test_held_out_items_do_not_reach_the_direction(world):
    X, labels, ids = world
    hat = _fit(world, "hat", method="mean_difference")
    from latentdb.held_out import split_by_item

    held = split_by_item(ids, seed=0, strata=labels["hat"])
    spoiled = np.where(held[:, None], -X, X)
    other = fit_direction(
        spoiled,
        labels["hat"],
        name="hat",
        space=NOISE,
        ids=ids,
        options=DirectionOptions(method="mean_difference"),
    )
    np.testing.assert_array_equal(other.vector, hat.vector)
    assert other.scores.auc.value == pytest.approx(1 - hat.scores.auc.value, abs=1e-9)


def test_projection_is_the_signed_distance_in_deviations():
    made = _made(np.eye(DIM)[0], offset=2.0, std=4.0)
    X = np.zeros((2, DIM))
    X[1, 0] = 10.0
    np.testing.assert_allclose(made.project(X), [-0.5, 2.0])


@given(strength=st.floats(-5, 5))
def test_moving_adds_the_strength_to_the_distance(strength):
    rng = np.random.default_rng(0)
    made = _made(rng.normal(size=DIM), offset=0.3, std=1.7)
    X = rng.normal(size=(4, DIM))
    moved = made.move(X, strength, keep_norm=False)
    np.testing.assert_allclose(made.project(moved), made.project(X) + strength, atol=1e-9)
    restored = made.move(X, strength)
    np.testing.assert_allclose(np.linalg.norm(restored, axis=1), np.linalg.norm(X, axis=1))
    np.testing.assert_allclose(_unit(restored[0]), _unit(moved[0]), atol=1e-12)


def test_moving_back_undoes_a_move_that_kept_no_norm():
    made, X = _made(np.ones(DIM)), np.random.default_rng(0).normal(size=(3, DIM))
    there = made.move(X, 2.0, keep_norm=False)
    np.testing.assert_allclose(made.move(there, -2.0, keep_norm=False), X, atol=1e-12)


def test_moving_keeps_dtype_and_leaves_the_callers_array_alone():
    X = np.ones((2, DIM), np.float32)
    X.setflags(write=False)
    assert _made(np.ones(DIM)).move(X, 1.0).dtype == np.float32


def test_a_direction_refuses_vectors_of_other_settings():
    made = _made(np.ones(DIM))
    made.require_space(replace(NOISE, name="renamed"))
    with pytest.raises(SpaceMismatchError, match="direction 'made' was fitted on"):
        made.require_space(replace(NOISE, settings={"steps": 50}))


def test_vectors_that_do_not_fit_are_refused():
    made = _made(np.ones(DIM))
    with pytest.raises(DimensionError, match=r"\(n, 32\), got \(32,\)"):
        made.project(np.ones(DIM))
    with pytest.raises(NonFiniteError, match="direction 'made'"):
        made.move(np.full((1, DIM), np.inf), 1.0)
    with pytest.raises(ParameterError, match="finite"):
        made.move(np.ones((1, DIM)), np.nan)


def test_a_saved_direction_is_the_same(tmp_path, world):
    hat = _fit(world, "hat")
    clean = _fit(world, "smile", nuisances=Nuisances((hat,)), label="smiling")
    clean.save(tmp_path / "smile.safetensors")
    read = Direction.load(tmp_path / "smile.safetensors")
    assert read.to_json() == clean.to_json()
    np.testing.assert_array_equal(read.vector, clean.vector)


def test_a_torn_direction_is_refused(tmp_path):
    path = tmp_path / "made.safetensors"
    _made(np.ones(DIM)).save(path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ArtefactError, match="cannot be read as a direction"):
        Direction.load(path)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("positives", [0, 9, 3000])
def test_too_few_of_one_class_are_counted(world, method, positives):
    X, _, ids = world
    text = f"{positives} positive and {3000 - positives} negative"
    with pytest.raises(NotEnoughDataError, match=text):
        fit_direction(
            X,
            np.arange(3000) < positives,
            name="x",
            space=NOISE,
            ids=ids,
            options=DirectionOptions(method=method),
        )


def test_twenty_rows_are_enough(world):
    X, labels, ids = world
    rows = np.r_[np.flatnonzero(labels["hat"])[:10], np.flatnonzero(~labels["hat"])[:10]]
    for method in METHODS:
        fitted = fit_direction(
            X[rows],
            labels["hat"][rows],
            name="hat",
            space=NOISE,
            ids=ids[rows],
            options=DirectionOptions(method=method),
        )
        assert fitted.fitted_on.n_held_out == 4
        assert fitted.vector[0] > 0


def test_random_labels_give_chance(world):
    X, _, ids = world
    y = np.random.default_rng(7).random(3000) < 0.4
    scores = fit_direction(X, y, name="x", space=NOISE, ids=ids).scores
    assert scores.auc.low < 0.5 < scores.auc.high


def test_unknown_method_is_refused(world):
    with pytest.raises(ParameterError, match="one of logistic, lda, mean_difference"):
        _fit(world, "hat", method="magic")
