"""The Gaussian of a space: its distances, its threshold, its shrinkage."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.covariance import ledoit_wolf

from indexers.errors import ParameterError
from latentdb.errors import NotEnoughDataError
from latentdb.held_out import split_by_item
from latentdb.space import Space
from latentdb.stitch.domain import SpaceProfile, conformal_threshold, fit_profile


def _space(dim):
    return Space("s", "embedding", dim, "s", {})


def _rows(n, dim, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, dim)) @ rng.normal(size=(dim, dim)) + 3.0


@pytest.mark.parametrize(("n", "dim"), [(400, 12), (60, 90)])
def test_distances_are_those_of_the_shrunk_covariance(n, dim):
    X, ids = _rows(n, dim), np.arange(n)
    train = X[~split_by_item(ids, seed=0)]
    fitted = fit_profile(X, space=_space(dim), ids=ids)
    covariance, _ = ledoit_wolf(train)
    away = X - train.mean(0)
    expected = np.sqrt((away @ np.linalg.inv(covariance) * away).sum(axis=1))
    np.testing.assert_allclose(fitted.distances(X), expected, rtol=1e-3)
    np.testing.assert_allclose(
        fitted.times_covariance(away), away @ covariance, rtol=1e-3, atol=1e-3 * covariance.max()
    )


def test_one_in_a_hundred_of_new_items_is_flagged():
    rng = np.random.default_rng(1)
    mixing = rng.normal(size=(8, 8))
    X = rng.normal(size=(4000, 8)) @ mixing
    fitted = fit_profile(X, space=_space(8), ids=np.arange(4000))
    fresh = rng.normal(size=(20000, 8)) @ mixing
    assert fitted.false_alarm_rate == 0.01
    assert (fitted.distances(fresh) > fitted.threshold).mean() == pytest.approx(0.01, abs=0.006)
    assert fitted.domain(100.0 * fresh[0]).is_outside
    assert not fitted.domain(fitted.mean).is_outside


def test_few_held_out_items_promise_no_more_than_they_can():
    threshold, rate = conformal_threshold(np.arange(24.0), 0.01)
    assert (threshold, rate) == (23.0, pytest.approx(1 / 25))
    assert conformal_threshold(np.arange(999.0), 0.01) == (989.0, 0.01)


def test_a_profile_comes_back_from_its_file(tmp_path):
    X = _rows(100, 6).astype(np.float32)
    fitted = fit_profile(X, space=_space(6), ids=np.arange(100))
    fitted.save(tmp_path / "p")
    read = SpaceProfile.load(tmp_path / "p")
    np.testing.assert_array_equal(read.distances(X), fitted.distances(X))
    assert (read.threshold, read.text, read.fitted_on) == (
        fitted.threshold,
        None,
        fitted.fitted_on,
    )


def test_what_cannot_be_profiled_is_refused():
    with pytest.raises(NotEnoughDataError, match="needs 20 items, got 12"):
        fit_profile(_rows(12, 3), space=_space(3), ids=np.arange(12))
    with pytest.raises(NotEnoughDataError, match="are the same"):
        fit_profile(np.ones((40, 3)), space=_space(3), ids=np.arange(40))
    with pytest.raises(ParameterError, match="between 0 and 1"):
        fit_profile(_rows(40, 3), space=_space(3), ids=np.arange(40), false_alarm_rate=1.0)
