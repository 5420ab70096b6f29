"""NAO's centroid: no point near it and no seed has a smaller sum of distances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from scipy import stats

from indexers.errors import DimensionError, MetricError, ZeroVectorError
from indexers.metric import ChiPrior, FittedPrior, NaoMetric, NoPrior
from indexers.metric.shell import shell_of
from latentdb.geometry import centroid, geodesic, geometric_median
from latentdb.geometry.errors import CutLocusError

SEED = st.integers(0, 2**32 - 1)


def make_seeds(seed, n, dim, *, spread=1.0, norm_sd=0.7):
    rng = np.random.default_rng(seed)
    rows = (1 - spread) * rng.standard_normal(dim) + spread * rng.standard_normal((n, dim))
    norms = np.sqrt(dim - 1) + norm_sd * rng.standard_normal((n, 1))
    return rows * norms / np.linalg.norm(rows, axis=1, keepdims=True)


def totals(prior, points, seeds, weights, likelihood=False):
    values = NaoMetric(prior).pairwise(points, seeds) @ weights
    return values + prior.cost(np.linalg.norm(points, axis=1)) if likelihood else values


def assert_least(prior, point, seeds, weights, rng, *, likelihood=False):
    ways = np.concatenate([rng.standard_normal((6, len(point))), seeds - point, [point, -point]])
    lengths = np.linalg.norm(ways, axis=1, keepdims=True)
    steps = (ways / np.where(lengths > 0, lengths, 1.0))[None] * np.linalg.norm(point)
    steps = steps * np.array([0.1, 0.01, 1e-3, 1e-4])[:, None, None]
    points = np.concatenate([[point], seeds, point + steps.reshape(-1, len(point))])
    values = totals(prior, points, seeds, weights, likelihood)
    assert values[0] <= values.min() + 1e-10 * values[0]


@settings(max_examples=10, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@example(0, 4, 3, 0.2)
@given(SEED, st.integers(3, 6), st.sampled_from([16, 64]), st.sampled_from([0.02, 0.2, 1.0]))
def test_no_point_near_it_and_no_seed_has_a_smaller_sum(seed, n, dim, spread):
    rng = np.random.default_rng(seed)
    seeds = make_seeds(seed, n, dim, spread=spread)
    weights = rng.uniform(0.5, 1.5, n)
    prior = ChiPrior(dim)
    point = geometric_median(seeds, weights, prior=prior)
    assert_least(prior, point, seeds, weights, rng)


@pytest.mark.parametrize("prior", [ChiPrior(16), FittedPrior(3.5, 0.6)], ids=str)
@pytest.mark.parametrize("spread", [0.05, 1.0])
def test_with_the_likelihood_it_is_least_too(prior, spread):
    rng, seeds = np.random.default_rng(0), make_seeds(1, 4, 16, spread=spread)
    point = geometric_median(seeds, prior=prior, with_likelihood=True)
    assert_least(prior, point, seeds, np.ones(4), rng, likelihood=True)
    alone = geometric_median(seeds, prior=prior)
    costs = prior.cost(np.linalg.norm([point, alone], axis=1))
    assert costs[0] < costs[1]


@pytest.mark.parametrize("number", range(4))
def test_no_point_of_a_grid_over_their_plane_is_better(number):
    prior, rng = ChiPrior(16), np.random.default_rng(number)
    r, phi = rng.uniform(2.5, 6, 5), rng.uniform(0, 2.5, 5)
    seeds = np.pad(np.column_stack([r * np.cos(phi), r * np.sin(phi)]), ((0, 0), (0, 14)))
    point = geometric_median(seeds, prior=prior)
    r, phi = (values.ravel() for values in np.meshgrid(np.linspace(2, 6.5, 41), np.arange(63) / 10))
    grid = np.pad(np.column_stack([r * np.cos(phi), r * np.sin(phi)]), ((0, 0), (0, 14)))
    values = totals(prior, np.concatenate([[point], grid]), seeds, np.ones(5))
    assert values[0] <= values.min()


def test_far_apart_it_has_the_shell_norm_and_balances_the_directions():
    prior = ChiPrior(1024)
    seeds = make_seeds(2, 6, 1024, norm_sd=1.5)
    weights = np.array([1.0, 2.0, 1.0, 1.0, 0.5, 1.0])
    point = geometric_median(seeds, weights, prior=prior)
    assert np.linalg.norm(point) == pytest.approx(shell_of(prior).radius, rel=1e-12)
    here = point / np.linalg.norm(point)
    units = seeds / np.linalg.norm(seeds, axis=1, keepdims=True)
    tangents = units - (units @ here)[:, None] * here
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    # The spherical geometric median: weighted unit tangents cancel.
    assert np.linalg.norm(weights @ tangents) < 1e-6


@settings(max_examples=4, deadline=None)
@given(SEED)
def test_it_turns_with_the_seeds_and_knows_no_order(seed):
    seeds, prior = make_seeds(seed, 4, 12), ChiPrior(12)
    turn = stats.ortho_group.rvs(12, random_state=np.random.default_rng(seed))
    point = geometric_median(seeds, prior=prior)
    np.testing.assert_allclose(geometric_median(seeds @ turn, prior=prior), point @ turn, atol=1e-4)
    np.testing.assert_allclose(geometric_median(seeds[::-1], prior=prior), point, atol=1e-4)


def test_more_than_half_of_the_weight_is_the_median_itself():
    seeds = make_seeds(3, 3, 64)
    point = geometric_median(seeds, [1.0, 3.5, 2.0], prior=ChiPrior(64))
    np.testing.assert_array_equal(point, seeds[1])


def test_a_seed_that_outpulls_the_others_is_the_median():
    seeds = make_seeds(4, 4, 64, spread=0.3)
    weights = np.array([1.0, 1.0, 1.0, 2.8])
    point = geometric_median(seeds, weights, prior=ChiPrior(64))
    np.testing.assert_allclose(point, seeds[3], rtol=1e-12)
    assert_least(ChiPrior(64), point, seeds, weights, np.random.default_rng(0))


def test_coincident_seeds_count_together():
    seeds = make_seeds(5, 3, 64)
    doubled = seeds[[0, 0, 0, 1, 2]]
    np.testing.assert_allclose(geometric_median(doubled, prior=ChiPrior(64)), seeds[0], rtol=1e-12)
    same = geometric_median(seeds[[0, 0, 0]], prior=ChiPrior(64))
    np.testing.assert_allclose(same, seeds[0], rtol=1e-12)


def test_one_seed_is_its_own_and_two_meet_in_the_middle_of_their_path():
    seeds, prior = make_seeds(6, 2, 64, spread=0.1), ChiPrior(64)
    np.testing.assert_array_equal(geometric_median(seeds[:1], prior=prior), seeds[0])
    middle = geodesic(*seeds, steps=3, prior=prior)[1]
    np.testing.assert_allclose(geometric_median(seeds, prior=prior), middle, rtol=1e-12)


def test_a_weight_of_zero_leaves_a_seed_out():
    seeds, prior = make_seeds(7, 4, 64), ChiPrior(64)
    left_out = geometric_median(seeds, [1.0, 1.0, 0.0, 1.0], prior=prior)
    np.testing.assert_array_equal(left_out, geometric_median(seeds[[0, 1, 3]], prior=prior))


def test_without_a_prior_only_angles_count():
    seeds = make_seeds(8, 5, 32)
    point = geometric_median(seeds, prior=NoPrior())
    scaled = geometric_median(seeds * np.array([[1], [2], [3], [4], [5]]), prior=NoPrior())
    np.testing.assert_allclose(
        point / np.linalg.norm(point), scaled / np.linalg.norm(scaled), atol=1e-7
    )
    assert np.linalg.norm(point) == pytest.approx(np.linalg.norm(seeds, axis=1).mean())
    rng = np.random.default_rng(0)
    assert_least(NoPrior(), point, seeds, np.ones(5), rng)


def test_a_seed_at_the_origin_is_one_like_any_other():
    seeds = make_seeds(9, 4, 16)
    seeds[0] = 0.0
    point = geometric_median(seeds, prior=ChiPrior(16))
    assert_least(ChiPrior(16), point, seeds, np.ones(4), np.random.default_rng(0))


def test_a_prior_without_a_shell_has_a_median_too():
    seeds = np.array([[1.0, 0.2], [0.4, 1.1], [-0.3, 0.8]])
    point = geometric_median(seeds, prior=ChiPrior(2))
    assert_least(ChiPrior(2), point, seeds, np.ones(3), np.random.default_rng(0))


def test_more_seeds_than_dimensions_and_very_many():
    seeds = make_seeds(10, 1100, 256, spread=0.9)
    point = geometric_median(seeds, prior=ChiPrior(256))
    ways = np.random.default_rng(0).standard_normal((20, 256)) * 0.01
    values = totals(ChiPrior(256), point + np.pad(ways, ((1, 0), (0, 0))), seeds, np.ones(1100))
    assert values[0] <= values.min() * (1 + 1e-12)


def test_directions_that_cancel_have_no_median():
    x, y = make_seeds(11, 2, 64)
    with pytest.raises(CutLocusError, match="antipodal"):
        geometric_median(np.stack([x, -x]), prior=ChiPrior(64))
    with pytest.raises(CutLocusError, match="cancel"):
        geometric_median(np.stack([x, -x, y, -y]), prior=ChiPrior(64))


def test_wrong_seeds_are_refused():
    with pytest.raises(DimensionError, match="ChiPrior"):
        geometric_median(np.ones((3, 8)), prior=ChiPrior(9))
    with pytest.raises(ZeroVectorError, match="zero vector"):
        geometric_median(np.eye(3) * [1, 1, 0], prior=NoPrior())
    with pytest.raises(MetricError, match="as the prior"):
        geometric_median(np.ones((3, 8)), prior="chi")


def test_the_centroid_by_nao_expects_noise_unless_told_otherwise():
    seeds = make_seeds(12, 3, 16)
    expected = geometric_median(seeds, [1, 2, 1.5], prior=ChiPrior(16))
    np.testing.assert_array_equal(centroid(seeds, weights=[1, 2, 1.5]), expected)
    fitted = centroid(seeds, method="nao", prior=FittedPrior(3.0, 0.5))
    np.testing.assert_array_equal(fitted, geometric_median(seeds, prior=FittedPrior(3.0, 0.5)))
