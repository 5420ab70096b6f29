"""Shrunk covariances: Ledoit and Wolf's strength, products and quotients by either Gram matrix."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.covariance import ledoit_wolf

from latentdb.directions import covariance as module
from latentdb.directions.covariance import Shrinkage, ShrunkCovariance
from latentdb.directions.lda import discriminant
from latentdb.errors import NotEnoughDataError


def _centred(n, dim, seed=0):
    X = np.random.default_rng(seed).normal(size=(n, dim)) * np.geomspace(1.0, 0.05, dim)
    return X - X.mean(axis=0)


@pytest.mark.parametrize(("n", "dim"), [(300, 20), (20, 60), (50, 50)])
def test_the_covariance_is_that_of_scikit_learn(n, dim):
    Z = _centred(n, dim)
    expected, strength = ledoit_wolf(Z, assume_centered=True)
    found = ShrunkCovariance.of(Z)
    assert found.shrinkage.strength == pytest.approx(strength, rel=1e-9)
    np.testing.assert_allclose(found.times(np.eye(dim)), expected, atol=1e-12)
    np.testing.assert_allclose(found.solve(np.eye(dim)), np.linalg.inv(expected), rtol=1e-6)


def test_the_strength_of_many_dimensions_is_estimated_from_some_rows(monkeypatch):
    Z = _centred(1500, 400)
    exact = Shrinkage.of(Z)
    monkeypatch.setattr(module, "_EXACT_SIDE", 300)
    estimated = Shrinkage.of(Z)
    assert estimated.strength == pytest.approx(exact.strength, rel=0.1)
    assert estimated.average == exact.average


def test_vectors_without_spread_have_no_covariance():
    with pytest.raises(NotEnoughDataError, match="5 vectors do not spread"):
        ShrunkCovariance.of(np.zeros((5, 3)))


@pytest.mark.parametrize(("n", "dim"), [(400, 12), (60, 150)])
def test_the_discriminant_is_the_shrunk_covariances_quotient(n, dim):
    rng = np.random.default_rng(1)
    y = rng.random(n) < 0.5
    X = rng.normal(size=(n, dim))
    X[:, 0] += 2.0 * y
    before = X.copy()
    weight = discriminant(X, y)
    Z = X - np.where(y[:, None], X[y].mean(axis=0), X[~y].mean(axis=0))
    within, _ = ledoit_wolf(Z, assume_centered=True)
    expected = np.linalg.solve(within, X[y].mean(axis=0) - X[~y].mean(axis=0))
    np.testing.assert_allclose(weight, expected, rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(X, before)
