"""The NAO shortest path between vectors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from indexers.errors import (
    DimensionError,
    MetricError,
    NonFiniteError,
    ParameterError,
    ZeroVectorError,
)
from indexers.metric import ChiPrior, FittedPrior, NaoMetric, NoPrior
from latentdb.geometry import geodesic, interpolate, slerp
from latentdb.geometry.errors import CutLocusError

SEED = st.integers(0, 2**32 - 1)


def noise_pair(seed, dim, spread=1.0):
    rng = np.random.default_rng(seed)
    start = rng.standard_normal(dim)
    end = (1 - spread) * start + spread * rng.standard_normal(dim)
    return start, end * np.linalg.norm(rng.standard_normal(dim)) / np.linalg.norm(end)


@settings(max_examples=25, deadline=None)
@given(SEED, st.sampled_from([2, 3, 16, 64, 1024]), st.floats(0.001, 1.0))
def test_points_are_equally_spaced_and_every_piece_is_shortest(seed, dim, spread):
    start, end = noise_pair(seed, dim, spread)
    metric = NaoMetric(ChiPrior(dim))
    path = geodesic(start, end, steps=7, prior=ChiPrior(dim))
    whole = metric.distance(start, end)
    np.testing.assert_array_equal(path[[0, -1]], [start, end])
    apart = metric.pairwise(path, path)
    expected = whole * np.abs(np.subtract.outer(range(7), range(7))) / 6
    np.testing.assert_allclose(apart, expected, atol=1e-6 * whole)


def test_its_length_measured_along_the_vectors_is_the_distance():
    start, end = noise_pair(1, 64, 0.3)
    path = geodesic(start, end, steps=3001, prior=ChiPrior(64))
    middles = np.linalg.norm((path[1:] + path[:-1]) / 2, axis=1)
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    length = steps @ -stats.chi.logpdf(middles, 64)
    assert length == pytest.approx(NaoMetric(ChiPrior(64)).distance(start, end), rel=1e-6)


@settings(max_examples=20, deadline=None)
@given(SEED, st.floats(0.01, 1.0))
def test_it_turns_with_its_ends_and_runs_backwards(seed, spread):
    start, end = noise_pair(seed, 24, spread)
    prior = FittedPrior(5.0, 0.8)
    path = geodesic(start, end, steps=9, prior=prior)
    turn = stats.ortho_group.rvs(24, random_state=np.random.default_rng(seed))
    turned = geodesic(turn @ start, turn @ end, steps=9, prior=prior)
    np.testing.assert_allclose(turned, path @ turn.T, atol=1e-6)
    np.testing.assert_allclose(geodesic(end, start, steps=9, prior=prior), path[::-1], atol=1e-6)


def test_off_the_shell_it_comes_down_where_slerp_stays_out():
    rng = np.random.default_rng(0)
    start, end = rng.standard_normal((2, 1024))
    start, end = (v * 36 / np.linalg.norm(v) for v in (start, end))
    norms = np.linalg.norm(geodesic(start, end, steps=21, prior=ChiPrior(1024)), axis=1)
    assert norms[10] == pytest.approx(31.97542, abs=1e-4)
    assert np.linalg.norm(slerp(start, end, 0.5)) == pytest.approx(36.0)


def test_without_a_prior_it_is_the_arc():
    start, end = noise_pair(2, 16)
    path = geodesic(start, 2 * end, steps=5, prior=NoPrior())
    arc = interpolate(start, 2 * end, steps=5, method="slerp")
    np.testing.assert_allclose(path, arc, atol=1e-12)


def test_to_the_origin_it_is_a_ray():
    start = noise_pair(3, 64)[0]
    path = geodesic(start, np.zeros(64), steps=6, prior=ChiPrior(64))
    cosines = path[:-1] @ start / np.linalg.norm(path[:-1], axis=1) / np.linalg.norm(start)
    np.testing.assert_allclose(cosines, 1.0)
    np.testing.assert_array_equal(path[-1], 0.0)
    back = geodesic(np.zeros(64), start, steps=6, prior=ChiPrior(64))
    np.testing.assert_allclose(back, path[::-1], atol=1e-9)


def test_between_multiples_it_stays_on_the_ray():
    start = noise_pair(4, 64)[0]
    path = geodesic(start, 1.5 * start, steps=5, prior=ChiPrior(64))
    shares = path @ start / (start @ start)
    np.testing.assert_allclose(path, shares[:, None] * start, atol=1e-12)
    assert (np.diff(shares) > 0).all()


def test_between_coincident_ends_it_stays_there():
    start = noise_pair(5, 64)[0]
    path = geodesic(start, start, steps=3, prior=ChiPrior(64))
    np.testing.assert_allclose(path, np.tile(start, (3, 1)), rtol=1e-14)
    np.testing.assert_array_equal(geodesic(np.zeros(8), np.zeros(8), steps=3, prior=ChiPrior(8)), 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("prior", [ChiPrior(64), NoPrior()], ids=["chi", "none"])
def test_antipodal_ends_have_no_one_path(dtype, prior):
    start = noise_pair(6, 64)[0].astype(dtype)
    with pytest.raises(CutLocusError, match=r"antipodal.*third point"):
        geodesic(start, -2 * start, steps=5, prior=prior)


def test_nearly_antipodal_ends_have_one():
    start = np.eye(64)[0] * 8
    end = -start + 0.01 * np.eye(64)[1]
    path = geodesic(start, end, steps=5, prior=ChiPrior(64))
    assert (path[1:4, 1] > 4).all()
    assert not path[:, 2:].any()


def test_interpolating_by_nao_expects_noise_unless_told_otherwise():
    start, end = noise_pair(7, 64)
    path = interpolate(start, end, steps=5)
    np.testing.assert_array_equal(path, geodesic(start, end, steps=5, prior=ChiPrior(64)))
    prior = FittedPrior(7.0, 1.0)
    fitted = interpolate(start, end, steps=5, method="nao", prior=prior)
    np.testing.assert_array_equal(fitted, geodesic(start, end, steps=5, prior=prior))


def test_ends_are_not_modified():
    start, end = noise_pair(8, 16)
    kept = start.copy(), end.copy()
    geodesic(start, end, steps=4, prior=ChiPrior(16))
    np.testing.assert_array_equal([start, end], kept)


def test_wrong_ends_are_refused():
    start, prior = np.ones(8), ChiPrior(8)
    with pytest.raises(NonFiniteError, match="finite end"):
        geodesic(start, start * np.nan, steps=3, prior=prior)
    with pytest.raises(DimensionError, match="one length"):
        geodesic(start, np.ones(9), steps=3, prior=prior)
    with pytest.raises(DimensionError, match="ChiPrior"):
        geodesic(np.ones(9), np.ones(9), steps=3, prior=prior)
    with pytest.raises(ZeroVectorError, match="zero vector"):
        geodesic(start, 0 * start, steps=3, prior=NoPrior())
    with pytest.raises(ParameterError, match="steps of at least 2"):
        geodesic(start, start, steps=1, prior=prior)
    with pytest.raises(MetricError, match="as the prior"):
        geodesic(start, start, steps=3, prior="chi")
    with pytest.raises(ParameterError, match="only nao has one"):
        interpolate(start, start, steps=3, method="slerp", prior=prior)
