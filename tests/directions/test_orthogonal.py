"""Orthogonality in its three senses: what is zero afterwards, and what it cost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import DIM, NOISE, coloured, made, unit

from indexers.errors import ParameterError, ZeroVectorError
from latentdb.artefacts import SpaceRef
from latentdb.directions import (
    Direction,
    DirectionOptions,
    Nuisances,
    fit_direction,
    orthogonal_part,
)
from latentdb.directions.lda import discriminant
from latentdb.errors import SpaceMismatchError
from latentdb.held_out import split_by_item

HOME = SpaceRef.of(NOISE)


def _part(vector, others, kind, sample=None, is_reading=False):
    rows = coloured() if sample is None else sample
    return orthogonal_part(
        vector, HOME, Nuisances(tuple(others), kind), sample=rows, is_reading=is_reading
    )


@settings(deadline=None, max_examples=30)
@given(count=st.integers(1, 6), seed=st.integers(0, 1000), doubled=st.booleans())
def test_vectors_are_at_right_angles_to_every_nuisance(count, seed, doubled):
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=DIM)
    others = [made(rng.normal(size=DIM) + 2 * shared) for _ in range(count)]
    others += others[:1] * doubled
    vector = rng.normal(size=DIM) + shared
    part = _part(vector, others, "vectors")
    B = np.stack([other.vector for other in others], axis=1)
    np.testing.assert_allclose(B.T @ part, 0.0, atol=1e-12)
    # Least squares leaves the same residual.
    coefficients = np.linalg.lstsq(B, vector, rcond=None)[0]
    np.testing.assert_allclose(part, unit(vector - B @ coefficients), atol=1e-9)


def test_one_nuisance_is_the_formula_of_the_paper():
    w1, w2 = np.random.default_rng(0).normal(size=(2, DIM))
    part = _part(w1, [made(w2)], "vectors")
    np.testing.assert_allclose(part, unit(w1 - (w1 @ w2) / (w2 @ w2) * w2), atol=1e-12)


@pytest.mark.parametrize("is_reading", [False, True])
def test_scores_are_uncorrelated_on_rows_never_seen(is_reading):
    rng = np.random.default_rng(3)
    others = [made(v) for v in rng.normal(size=(3, DIM))]
    vector = others[0].vector + 0.3 * rng.normal(size=DIM)
    part = _part(vector, others, "scores", is_reading=is_reading)
    fresh = coloured(20_000, seed=1)
    for other in others:
        before = np.corrcoef(fresh @ vector, fresh @ other.vector)[0, 1]
        after = np.corrcoef(fresh @ part, fresh @ other.vector)[0, 1]
        assert abs(after) < 0.06
        assert abs(after) < abs(before) + 0.02


def test_a_movement_that_leaves_readings_alone_changes_no_regression_on_the_nuisance():
    X = coloured()
    rng = np.random.default_rng(4)
    truth = rng.normal(size=(2, DIM))
    scores = X @ truth.T
    # Movements of two scores: their covariances with the vectors. A regression reads them back.
    moves = [(X - 3.0).T @ (s - s.mean()) / len(X) for s in scores.T]
    part = _part(moves[0], [made(moves[1])], "readings", sample=X)
    assert abs(truth[1] @ part) < 0.05 * abs(truth[1] @ unit(moves[0]))
    assert truth[0] @ part > 0


def test_a_reading_leaves_readings_alone_at_right_angles():
    rng = np.random.default_rng(5)
    vector, other = rng.normal(size=(2, DIM))
    nuisance = made(other, method="lda")
    part = _part(vector, [nuisance], "readings", is_reading=True)
    np.testing.assert_allclose(
        part, _part(vector, [nuisance], "vectors", is_reading=True), atol=1e-12
    )


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 1000), kind=st.sampled_from(["readings", "scores", "vectors"]))
def test_what_is_orthogonal_already_stays(seed, kind):
    rng = np.random.default_rng(seed)
    others = [made(v) for v in rng.normal(size=(2, DIM))]
    once = _part(rng.normal(size=DIM), others, kind)
    np.testing.assert_allclose(_part(once, others, kind), once, atol=1e-9)


@pytest.mark.parametrize("kind", ["readings", "vectors"])
def test_a_direction_in_the_span_of_its_nuisances_vanishes(kind):
    a, b = np.eye(DIM)[:2]
    with pytest.raises(ZeroVectorError, match="once left, right are taken off"):
        _part(a + b, [made(a, "left"), made(a - b, "right")], kind)


def test_unknown_senses_and_nuisances_of_another_space_are_refused():
    with pytest.raises(ParameterError, match="one of readings, scores, vectors"):
        Nuisances((made(np.ones(DIM)),), "magic")
    foreign = made(np.ones(DIM), space=replace(NOISE, settings={"steps": 50}))
    with pytest.raises(SpaceMismatchError, match="'made' lives in space 'noise'"):
        _part(np.eye(DIM)[0], [foreign], "vectors")


@pytest.fixture(scope="module")
def faces():
    """Coloured rows in which "scarf" often comes with "hat"."""
    rng = np.random.default_rng(6)
    n = 4000
    hat = rng.random(n) < 0.5
    scarf = rng.random(n) < np.where(hat, 0.7, 0.2)
    moves = np.random.default_rng(7).normal(size=(2, DIM))
    X = coloured(n, seed=8) + np.outer(hat, 2 * moves[0]) + np.outer(scarf, 1.5 * moves[1])
    return X, {"hat": hat, "scarf": scarf}, np.arange(n)


def _fit(faces, name, **options):
    X, labels, ids = faces
    return fit_direction(
        X, labels[name], name=name, space=NOISE, ids=ids, options=DirectionOptions(**options)
    )


@pytest.mark.parametrize("kind", ["readings", "scores", "vectors"])
def test_the_cost_is_kept_with_the_direction(faces, kind, tmp_path):
    hat, plain = _fit(faces, "hat"), _fit(faces, "scarf")
    clean = _fit(
        faces,
        "scarf",
        nuisances=Nuisances((hat,), kind),
        nuisance_labels={"hat": faces[1]["hat"].astype(float)},
    )
    cost = clean.cost
    assert (cost.kind, cost.n_items) == (kind, 800)
    assert cost.auc.before.value == pytest.approx(plain.scores.auc.value)
    assert cost.auc.after == clean.scores.auc
    assert cost.auc.difference.value == cost.auc.after.value - cost.auc.before.value
    assert cost.auc.difference.low <= cost.auc.difference.value <= cost.auc.difference.high
    taken = cost.nuisances[0]
    assert (taken.name, taken.label) == ("hat", "hat")
    assert abs(taken.correlation.after.value) < abs(taken.correlation.before.value)
    assert abs(taken.label_correlation.after.value) < abs(taken.label_correlation.before.value)
    clean.save(tmp_path / "scarf.safetensors")
    assert Direction.load(tmp_path / "scarf.safetensors").to_json() == clean.to_json()


def test_the_correlations_are_those_of_the_held_out_items(faces):
    hat, plain = _fit(faces, "hat"), _fit(faces, "scarf")
    clean = _fit(faces, "scarf", nuisances=Nuisances((hat,), "scores"))
    X, labels, ids = faces
    held = X[split_by_item(ids, seed=0, strata=labels["scarf"])]
    taken = clean.cost.nuisances[0]
    for one, figure in ((plain, taken.correlation.before), (clean, taken.correlation.after)):
        expected = np.corrcoef(held @ one.vector, held @ hat.vector)[0, 1]
        assert figure.value == pytest.approx(expected, abs=1e-9)
    assert taken.label_correlation is None


def test_a_classifier_of_the_nuisance_sees_moves_that_leave_vectors_but_not_readings_alone(faces):
    X, labels, _ = faces
    hat = _fit(faces, "hat")
    judge = discriminant(X[::2], labels["hat"][::2])
    leak = {
        kind: abs(judge @ _fit(faces, "scarf", nuisances=Nuisances((hat,), kind)).vector)
        for kind in ("readings", "vectors")
    }
    assert leak["readings"] < 0.5 * leak["vectors"]
