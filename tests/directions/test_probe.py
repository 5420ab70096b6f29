"""Probes: the fold is exact, the scores are scikit-learn's, chance is chance."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.covariance import ledoit_wolf
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from indexers.errors import DtypeError
from latentdb.directions import ProbeScore, probe, probe_many, score_ranking
from latentdb.directions.probe import WhitenedBasis, fit_logistic
from latentdb.errors import NotEnoughDataError


def _rows(n=600, dim=20, seed=0, signal=1.0, rare=0.0):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=n) > rare
    X = rng.normal(size=(n, dim)) * rng.uniform(0.2, 5, dim) + 7.0
    X[:, 3] += signal * X[:, 3].std() * (2.0 * y - 1.0)
    return X, y


@pytest.mark.parametrize(("n", "dim"), [(300, 20), (60, 200)])
def test_folded_weight_predicts_exactly_what_the_pipeline_does(n, dim):
    X, y = _rows(n, dim)
    basis = WhitenedBasis.of(X, n_components=15, seed=0)
    model = fit_logistic(basis.features(X), y, seed=0)
    weight, bias = basis.fold(model.coef_[0], model.intercept_[0])
    pipeline = make_pipeline(
        PCA(15, svd_solver="full"),
        FunctionTransformer(lambda components: components / basis.scale),
        LogisticRegression(C=model.C, class_weight="balanced", tol=1e-10, max_iter=5000),
    ).fit(X, y)
    fresh = X[::-1] + 0.5
    # The fold itself is exact; the two optimisers stop within their tolerance of each other.
    logits = basis.features(fresh) @ model.coef_[0] + model.intercept_[0]
    np.testing.assert_allclose(fresh @ weight + bias, logits, atol=1e-9)
    np.testing.assert_allclose(fresh @ weight + bias, pipeline.decision_function(fresh), atol=2e-2)


def test_features_are_white_but_for_the_shrinkage_of_their_scale():
    X, _ = _rows()
    basis = WhitenedBasis.of(X, n_components=10, seed=0)
    features = basis.features(X)
    covariance, _ = ledoit_wolf(X)
    variances = np.sort(np.linalg.eigvalsh(np.cov(X.T, bias=True)))[::-1][:10]
    np.testing.assert_allclose(basis.scale**2, np.sort(np.linalg.eigvalsh(covariance))[::-1][:10])
    np.testing.assert_allclose(
        features.T @ features / len(X), np.diag(variances / basis.scale**2), atol=1e-9
    )


def test_as_many_rows_as_dimensions_still_read_the_attribute():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4000, 100)) * np.geomspace(3.0, 0.1, 100)
    y = X[:, 0] + rng.normal(size=4000) > 0
    basis = WhitenedBasis.of(X[:101], n_components=310, seed=0)
    model = fit_logistic(basis.features(X[:101]), y[:101], seed=0)
    weight, _ = basis.fold(model.coef_[0], 0.0)
    assert roc_auc_score(y[101:], X[101:] @ weight) > 0.8


def test_dimensions_without_spread_are_left_out():
    X, _ = _rows(dim=8)
    X[:, 5] = 3.0
    basis = WhitenedBasis.of(X, n_components=8, seed=0)
    assert basis.components.shape == (7, 8)
    with pytest.raises(NotEnoughDataError, match="all vectors are the same"):
        WhitenedBasis.of(np.full((30, 4), 0.1), n_components=4, seed=0)


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 10_000), levels=st.integers(2, 30), n=st.integers(4, 60))
def test_auc_and_balanced_accuracy_are_those_of_scikit_learn(seed, levels, n):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3 == 0
    scores = (rng.integers(0, levels, n) - levels // 2) / 4.0 + 0.3 * y
    auc, accuracy = score_ranking(scores, y, n_resamples=20)
    assert auc.value == pytest.approx(roc_auc_score(y, scores))
    assert accuracy.value == pytest.approx(balanced_accuracy_score(y, scores > 0))


def test_auc_interval_is_that_of_resampling_by_hand():
    rng = np.random.default_rng(0)
    y = rng.random(200) < 0.3
    scores = rng.normal(size=200) + y
    auc, _ = score_ranking(scores, y, n_resamples=2000)
    above, below = scores[y], scores[~y]
    drawn = [
        roc_auc_score(
            y[np.argsort(~y)], np.r_[rng.choice(above, len(above)), rng.choice(below, len(below))]
        )
        for _ in range(400)
    ]
    np.testing.assert_allclose([auc.low, auc.high], np.percentile(drawn, [2.5, 97.5]), atol=0.015)


def test_one_class_has_no_auc():
    with pytest.raises(NotEnoughDataError, match="3 positive and 0 negative"):
        score_ranking(np.arange(3.0), np.ones(3, bool))


def test_probe_reaches_what_the_signal_allows():
    X, y = _rows(n=4000, signal=1.0)
    # Two Gaussians 2 deviations apart, where the shift enlarged the deviation it was given in.
    score = probe(X, y)
    assert score.auc.value == pytest.approx(norm.cdf(2 / np.sqrt(2)), abs=0.03)
    assert score.balanced_accuracy.value == pytest.approx(norm.cdf(1.0), abs=0.04)
    assert (score.n_positive, score.n_negative) == (y.sum(), (~y).sum())
    assert score.n_held_out == 800


def test_probe_of_nothing_is_chance_however_wide_the_vectors():
    rng = np.random.default_rng(0)
    score = probe(rng.normal(size=(800, 400)), rng.random(800) < 0.3)
    assert score.auc.low < 0.5 < score.auc.high


def test_balanced_accuracy_of_a_rare_attribute_is_not_its_majority_rate():
    X, y = _rows(n=3000, signal=1.0, rare=1.6)
    assert y.mean() < 0.07
    assert probe(X, y).balanced_accuracy.value == pytest.approx(norm.cdf(1.0), abs=0.08)


def test_probing_many_shares_one_split():
    X, y = _rows()
    other = X[:, 0] > 7
    found = probe_many(X, {"hat": y, "smile": other}, ids=np.arange(600) * 17, n_components=10)
    assert list(found) == ["hat", "smile"]
    assert found["smile"].n_held_out == found["hat"].n_held_out == 120
    assert found["smile"].auc.value > 0.95


def test_probe_depends_on_the_seed_alone():
    X, y = _rows()
    assert probe(X, y, seed=3) == probe(X, y, seed=3)
    assert probe(X, y, seed=3) != probe(X, y, seed=4)


def test_probe_names_the_counts_when_there_are_too_few():
    X, _ = _rows(n=100)
    with pytest.raises(NotEnoughDataError, match="9 positive and 91 negative"):
        probe(X, np.arange(100) < 9)
    with pytest.raises(NotEnoughDataError, match="100 positive and 0 negative"):
        probe(X, np.ones(100, bool))
    with pytest.raises(DtypeError, match="booleans"):
        probe(X, np.ones(100))


def test_many_refuses_an_attribute_that_one_part_lacks():
    X, y = _rows(n=600)
    rare = np.zeros(600, bool)
    from latentdb.held_out import split_by_item

    rare[np.flatnonzero(~split_by_item(np.arange(600), seed=0))[:12]] = True
    with pytest.raises(NotEnoughDataError, match="held-out rows hold 0 positive"):
        probe_many(X, {"hat": y, "rare": rare})
    assert probe(X, rare).n_positive == 12


def test_score_round_trips_through_json():
    score = probe(*_rows())
    assert ProbeScore.from_json(json.loads(json.dumps(score.to_json()))) == score
