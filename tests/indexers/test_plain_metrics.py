"""Euclidean and cosine distances, names and settings."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import pairwise_distances

from indexers.errors import DimensionError, MetricError, NonFiniteError, ZeroVectorError
from indexers.metric import (
    ChiPrior,
    CosineMetric,
    EuclideanMetric,
    FittedPrior,
    NaoMetric,
    NoPrior,
    make_metric,
    make_prior,
    metric_from_settings,
)
from tests.indexers.conftest import make_vectors


@pytest.mark.parametrize("metric", [EuclideanMetric(), CosineMetric()], ids=lambda m: m.name)
def test_pairwise_agrees_with_scikit_learn(metric):
    x, y = make_vectors(20, seed=1), make_vectors(30, seed=2)
    expected = pairwise_distances(x.astype(float), y.astype(float), metric=metric.name)
    np.testing.assert_allclose(metric.pairwise(x, y), expected, rtol=1e-9)
    np.testing.assert_allclose(metric.rows(x[0], y), expected[0], rtol=1e-9)
    assert metric.distance(x[0], y[0]) == pytest.approx(expected[0, 0])


@pytest.mark.parametrize("angle", [1e-9, 1e-6, 1e-3, 0.02, 1.0, 3.1, np.pi - 1e-6])
def test_cosine_distance_is_accurate_at_every_angle(angle):
    x, y = np.array([2.0, 0.0]), 3 * np.array([np.cos(angle), np.sin(angle)])
    expected = 2 * np.sin(angle / 2) ** 2
    assert CosineMetric().distance(x, y) == pytest.approx(expected, rel=1e-7)


def test_norms_whose_squares_leave_float64_still_have_a_direction():
    x, y = np.array([3e200, 4e200]), np.array([4e-200, 3e-200])
    assert CosineMetric().distance(x, y) == pytest.approx(0.04)


def test_a_zero_vector_has_no_cosine():
    with pytest.raises(ZeroVectorError, match="row 1 of Y"):
        CosineMetric().pairwise(np.ones((1, 2)), [[1.0, 0.0], [0.0, 0.0]])


def test_wrong_inputs_are_refused():
    with pytest.raises(DimensionError, match=r"\(2,\) and \(3,\)"):
        EuclideanMetric().distance([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(DimensionError, match="one query"):
        EuclideanMetric().rows(np.ones((1, 2)), np.ones((1, 2)))
    with pytest.raises(NonFiniteError, match="finite Y"):
        EuclideanMetric().pairwise([[1.0]], [[np.nan]])


@pytest.mark.parametrize(
    "metric",
    [
        EuclideanMetric(),
        CosineMetric(),
        NaoMetric(ChiPrior(64)),
        NaoMetric(FittedPrior(8.0, 0.5)),
        NaoMetric(NoPrior()),
    ],
    ids=lambda m: str(m.settings()),
)
def test_settings_make_the_same_metric_again(metric):
    again = metric_from_settings(metric.settings())
    assert type(again) is type(metric)
    assert again.settings() == metric.settings()


def test_unknown_names_are_refused():
    with pytest.raises(MetricError, match="euclidean, cosine, nao, got 'l2'"):
        make_metric("l2")
    with pytest.raises(MetricError, match="chi, fitted, none, got 'gauss'"):
        make_prior("gauss", dim=4)
    with pytest.raises(MetricError, match="expected a prior"):
        make_metric("nao")
    with pytest.raises(MetricError, match="expected no prior"):
        make_metric("cosine", ChiPrior(4))
    with pytest.raises(MetricError, match="norms of a corpus"):
        make_prior("fitted", dim=4)
