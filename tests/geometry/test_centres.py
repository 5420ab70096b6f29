"""Fréchet mean, LOL and plain mean."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from indexers.errors import (
    DimensionError,
    DtypeError,
    NonFiniteError,
    ParameterError,
    ZeroVectorError,
)
from indexers.metric import ChiPrior
from latentdb.geometry import (
    centroid,
    frechet_mean,
    interpolate,
    linear_combination,
    slerp,
    weighted_mean,
)
from latentdb.geometry.errors import CutLocusError

SEED = st.integers(0, 2**32 - 1)
METHODS = ["nao", "lol", "karcher", "mean"]


def rows(seed, n=4, dim=12):
    return np.random.default_rng(seed).standard_normal((n, dim))


@settings(max_examples=30, deadline=None)
@given(SEED, st.integers(2, 30))
def test_logarithms_at_the_frechet_mean_cancel(seed, n):
    seeds = rows(seed, n)
    weights = np.random.default_rng(seed).uniform(0.1, 2, n)
    if np.linalg.norm(weights @ seeds) < 1:
        return
    mean = frechet_mean(seeds, weights)
    here, units = (v / np.linalg.norm(v, axis=-1, keepdims=True) for v in (mean, seeds))
    angles = np.arccos(units @ here)
    logarithms = (angles / np.sin(angles))[:, None] * (units - (units @ here)[:, None] * here)
    assert np.linalg.norm(weights @ logarithms) < 1e-5 * weights.sum()
    norms = np.linalg.norm(seeds, axis=1)
    assert np.linalg.norm(mean) == pytest.approx(weights @ norms / weights.sum())


def test_the_frechet_mean_of_two_divides_their_arc_by_weight():
    start, end = rows(0, 2)
    np.testing.assert_allclose(
        frechet_mean(np.stack([start, end]), [3, 1]), slerp(start, end, 0.25)
    )


def test_the_frechet_mean_beats_descent_by_random_steps():
    seeds, rng = rows(1, 6), np.random.default_rng(2)
    units = seeds / np.linalg.norm(seeds, axis=1, keepdims=True)

    def squares(point):
        return (np.arccos(units @ point / np.linalg.norm(point)) ** 2).sum()

    best = units.sum(0)
    for scale in np.geomspace(1, 1e-5, 3000):
        step = best + scale * rng.standard_normal(12)
        best = min(best, step, key=squares)
    assert squares(frechet_mean(seeds)) <= squares(best)


@pytest.mark.parametrize("method", METHODS)
def test_centres_turn_with_the_seeds(method):
    seeds = rows(3)
    turn = stats.ortho_group.rvs(12, random_state=np.random.default_rng(0))
    turned = centroid(seeds @ turn, method=method)
    np.testing.assert_allclose(turned, centroid(seeds, method=method) @ turn, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_centres_keep_the_dtype_and_leave_seeds_and_weights_alone(method, dtype):
    seeds, weights = rows(4).astype(dtype), np.array([1.0, 2.0, 0.5, 1.0])
    kept = seeds.copy(), weights.copy()
    point = centroid(seeds, weights=weights, method=method)
    assert (point.dtype, point.shape) == (dtype, (12,))
    np.testing.assert_array_equal(seeds, kept[0])
    np.testing.assert_array_equal(weights, kept[1])


@pytest.mark.parametrize("method", METHODS)
def test_the_centre_of_one_seed_is_that_seed(method):
    seeds = rows(5, 1)
    np.testing.assert_allclose(centroid(seeds, weights=[0.3], method=method), seeds[0])


@pytest.mark.parametrize("method", ["nao", "karcher", "mean"])
def test_the_centre_of_copies_is_the_copy(method):
    seeds = np.repeat(rows(6, 1), 3, axis=0)
    np.testing.assert_allclose(centroid(seeds, method=method), seeds[0], rtol=1e-12)


@settings(max_examples=30)
@given(SEED, st.floats(0.01, 100))
def test_the_scale_of_the_weights_does_not_matter(seed, scale):
    seeds = rows(seed)
    weights = np.random.default_rng(seed).uniform(0.1, 1, 4)
    for centre in (linear_combination, weighted_mean):
        np.testing.assert_allclose(centre(seeds, scale * weights), centre(seeds, weights))


def test_lol_is_the_sum_over_the_length_of_the_weights():
    seeds, weights = rows(7), np.array([1.0, -2.0, 0.5, 3.0])
    expected = weights @ seeds / math.sqrt((weights**2).sum())
    np.testing.assert_allclose(linear_combination(seeds, weights), expected)


def test_lol_of_correlated_seeds_is_their_sum_over_its_length_in_their_gram_matrix():
    seeds, weights = rows(7), np.array([1.0, 2.0, 0.5, 3.0])
    expected = weights @ seeds / math.sqrt(weights @ (seeds @ seeds.T / 12) @ weights)
    found = centroid(seeds, weights=weights, method="lol", is_correlated=True)
    np.testing.assert_allclose(found, expected)


def test_lol_of_noise_is_noise():
    rng = np.random.default_rng(8)
    weights = rng.uniform(0, 1, 5)
    values = [linear_combination(rng.standard_normal((5, 200)), weights) for _ in range(50)]
    assert stats.kstest(np.concatenate(values), "norm").pvalue > 0.01
    assert stats.kstest(np.linalg.norm(values, axis=1), "chi", (200,)).pvalue > 0.01
    assert np.linalg.norm(weighted_mean(rng.standard_normal((5, 200)))) < 8


def test_lol_of_correlated_seeds_has_the_norm_of_noise_if_told_so():
    rng = np.random.default_rng(9)
    seeds = 0.9 * rng.standard_normal(400) + math.sqrt(0.19) * rng.standard_normal((4, 400))
    assert np.linalg.norm(linear_combination(seeds, np.ones(4))) > 30
    told = linear_combination(seeds, np.ones(4), is_correlated=True)
    assert np.linalg.norm(told) == pytest.approx(20.0)


def test_interpolation_by_lol_keeps_the_ends_and_the_norm_of_noise():
    start, end = np.random.default_rng(10).standard_normal((2, 4096))
    path = interpolate(start, end, steps=5, method="lol")
    np.testing.assert_array_equal(path[[0, -1]], [start, end])
    np.testing.assert_allclose(path[2], (start + end) / math.sqrt(2))
    np.testing.assert_allclose(np.linalg.norm(path, axis=1), 64.0, atol=4)


def test_the_mean_is_the_weighted_mean():
    seeds, weights = rows(11), [1.0, 0.0, 2.0, 1.0]
    expected = np.average(seeds, axis=0, weights=weights)
    np.testing.assert_allclose(centroid(seeds, weights=weights, method="mean"), expected)


def test_antipodal_seeds_have_no_frechet_mean_and_cancel_in_the_others():
    x = rows(12, 1)[0]
    pair = np.stack([x, -x])
    with pytest.raises(CutLocusError, match="cancel"):
        frechet_mean(pair)
    np.testing.assert_array_equal(weighted_mean(pair), 0.0)
    np.testing.assert_array_equal(linear_combination(pair, [1, 1]), 0.0)
    with pytest.raises(ZeroVectorError, match="has a direction"):
        linear_combination(pair, [1, 1], is_correlated=True)


@pytest.mark.parametrize("method", METHODS)
def test_seeds_and_weights_that_do_not_fit_are_refused(method):
    seeds = rows(13)
    with pytest.raises(DimensionError, match="one weight for each"):
        centroid(seeds, weights=[1, 2], method=method)
    with pytest.raises(ParameterError, match="at least 0"):
        centroid(seeds, weights=[1, 2, 3, -1], method=method)
    with pytest.raises(ParameterError, match="at least 0"):
        centroid(seeds, weights=np.zeros(4), method=method)
    with pytest.raises(NonFiniteError, match="weights"):
        centroid(seeds, weights=[1, 2, 3, np.inf], method=method)
    with pytest.raises(NonFiniteError, match="vectors"):
        centroid(seeds * np.nan, method=method)
    with pytest.raises(DimensionError, match="at least one"):
        centroid(seeds[:0], method=method)
    with pytest.raises(DimensionError, match="vector\\[None\\]"):
        centroid(seeds[0], method=method)
    with pytest.raises(DtypeError, match="convert whole numbers"):
        centroid(np.ones((2, 3), int), method=method)
    with pytest.raises(DtypeError, match="got list"):
        centroid([[1.0, 2.0]], method=method)


def test_a_frechet_mean_needs_directions():
    with pytest.raises(ZeroVectorError, match="row 1"):
        frechet_mean(np.array([[1.0, 0.0], [0.0, 0.0]]))


def test_unknown_methods_and_priors_that_would_be_ignored_are_refused():
    with pytest.raises(ParameterError, match="one of nao, lol, karcher, mean"):
        centroid(rows(14), method="median")
    with pytest.raises(ParameterError, match="only nao has one"):
        centroid(rows(14), method="mean", prior=ChiPrior(12))
    with pytest.raises(ParameterError, match="only lol asks for it"):
        centroid(rows(14), method="mean", is_correlated=True)
    with pytest.raises(ParameterError, match="not 0"):
        linear_combination(rows(14), np.zeros(4))
    with pytest.raises(DimensionError, match="one weight for each"):
        linear_combination(rows(14), [1.0])
