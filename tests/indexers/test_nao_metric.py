"""The NAO metric: against direct minimisation, and as a metric."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from indexers.errors import (
    DimensionError,
    MetricError,
    NonFiniteError,
    ParameterError,
    ZeroVectorError,
)
from indexers.metric import ChiPrior, FittedPrior, NaoMetric, NoPrior
from indexers.metric.core import core_field
from indexers.metric.far_field import far_field_of
from indexers.metric.nao_bound import NaoBound
from indexers.metric.shell import shell_of
from tests.indexers.nao_reference import ChiLaw, GaussLaw, quadrature_length, reference_length

DIMS = [2, 3, 8, 16, 64, 1024, 16384, 65536, 300_000]


def chi(dim):
    return NaoMetric(ChiPrior(dim))


# Measured twice, independently, before this package was written.
@pytest.mark.parametrize(
    ("dim", "offsets", "angle", "expected"),
    [
        (16384, (0, 0), 1.5, 109.888784),
        (16384, (2, -1), 1.5, 114.000519),
        (64, (3, 3), 0.3, 20.754236),
    ],
)
def test_spot_values(dim, offsets, angle, expected):
    mode = np.sqrt(dim - 1)
    value = chi(dim).from_polar(mode + offsets[0], mode + offsets[1], angle)
    assert value == pytest.approx(expected, abs=6e-7)


@pytest.mark.parametrize(
    ("dim", "kappa", "radius"),
    [(64, 4.52221, 7.90112), (1024, 18.3016, 31.97542), (16384, 73.259, 127.99386)],
)
def test_shell_values(dim, kappa, radius):
    shell = shell_of(ChiPrior(dim))
    assert shell.kappa == pytest.approx(kappa, rel=1e-5)
    assert shell.radius == pytest.approx(radius, rel=1e-6)


@pytest.mark.parametrize("angle", [0.1, 1.5, np.pi])
@pytest.mark.parametrize(
    "ends", [(1.0, 1.0), (0.7, 1.3), (0.75, 0.75), (1.3, 0.95), (0.9, 0.8)], ids=str
)
@pytest.mark.parametrize("dim", [16, 1024, 65536])
def test_agrees_with_direct_minimisation(dim, ends, angle):
    r0, r1 = np.sqrt(dim - 1) * np.array(ends)
    expected = reference_length(dim, r0, r1, angle, points=60)
    assert chi(dim).from_polar(r0, r1, angle) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("angle", [1e-4, 0.01, 0.3])
@pytest.mark.parametrize("ends", [(1.0, 1.0), (0.7, 1.3), (1.02, 1.03)], ids=str)
@pytest.mark.parametrize("dim", [64, 16384])
def test_agrees_with_direct_minimisation_at_small_angles(dim, ends, angle):
    r0, r1 = np.sqrt(dim - 1) * np.array(ends)
    expected = reference_length(dim, r0, r1, angle, points=40)
    assert chi(dim).from_polar(r0, r1, angle) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("dim", [16, 64, 1024, 16384, 65536])
@pytest.mark.parametrize("prior", ["chi", "fitted"])
def test_agrees_with_quadrature_of_another_kind(prior, dim):
    rng, mode = np.random.default_rng(dim), np.sqrt(dim - 1)
    law, metric = ChiLaw(dim), chi(dim)
    if prior == "fitted":
        law, metric = GaussLaw(0.94 * mode, 1.4), NaoMetric(FittedPrior(0.94 * mode, 1.4))
    ends = law.likeliest * rng.uniform(0.7, 1.3, (16, 2))
    for (r0, r1), angle in zip(ends, np.geomspace(1e-4, np.pi, 16), strict=True):
        expected = quadrature_length(law, r0, r1, angle)
        assert metric.from_polar(r0, r1, angle) == pytest.approx(expected, rel=1e-9)


def test_the_two_references_agree():
    for law in (ChiLaw(64), GaussLaw(30.15, 1.4)):
        for share, angle in ((0.8, 0.3), (1.1, 1.5)):
            r0, r1 = law.likeliest, share * law.likeliest
            chain = reference_length(law, r0, r1, angle, points=150)
            assert quadrature_length(law, r0, r1, angle) == pytest.approx(chain, rel=1e-8)


@pytest.mark.parametrize("ends", [(0.2, 0.25), (0.3, 0.8), (0.05, 0.05)], ids=str)
@pytest.mark.parametrize("dim", [3, 64])
def test_agrees_with_direct_minimisation_in_the_core(dim, ends):
    r0, r1 = np.sqrt(dim - 1) * np.array(ends)
    expected = reference_length(dim, r0, r1, 1.0, points=100)
    assert chi(dim).from_polar(r0, r1, 1.0) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("dim", [8, 64, 16384])
def test_two_solvers_agree_beyond_the_core(dim):
    prior, rng = ChiPrior(dim), np.random.default_rng(dim)
    radii = rng.uniform(shell_of(prior).safe_radius, 1.6 * prior.mode, (2, 40))
    inner, outer = np.sort(radii, axis=0)
    angles = 10 ** rng.uniform(-4, np.log10(np.pi), 40)
    other = core_field(prior, shell_of(prior), inner, outer, angles).length
    np.testing.assert_allclose(chi(dim).from_polar(inner, outer, angles), other, rtol=1e-9)


@pytest.mark.parametrize("prior", [ChiPrior(64), ChiPrior(1024), FittedPrior(30.15, 1.4)], ids=str)
@pytest.mark.parametrize("offsets", [(0.3, 0.4), (-0.5, -2.0), (3.0, 4.0), (-3.0, 2.0)], ids=str)
def test_near_and_far_field_meet_without_a_step(prior, offsets):
    far, metric = far_field_of(prior), NaoMetric(prior)
    r = np.array([far.shell.radius + offset * prior.width for offset in offsets])
    reach = far.shell.reach(r)
    angles = np.linspace(0.001, np.pi, 4000)
    same = np.ones_like(angles)
    holds = far.holds((r[0] * same, r[1] * same), (reach[0] * same, reach[1] * same), angles)
    last = np.flatnonzero(~holds)[-1]
    if last + 1 < len(angles):
        edge = angles[last - 1 : last + 3]
        values = metric.from_polar(r[0], r[1], edge)
        line = far.shell.kappa * edge + far.shell.radial(r).sum()
        np.testing.assert_allclose(values, line, rtol=1e-9)


@pytest.mark.parametrize("dim", DIMS)
def test_along_a_ray_it_is_the_integral_of_the_cost(dim):
    low, high = 0.9 * np.sqrt(dim - 1), 1.1 * np.sqrt(dim - 1)
    expected, _ = integrate.quad(lambda r: -stats.chi.logpdf(r, dim), low, high, epsabs=0)
    assert chi(dim).from_polar(low, high, 0.0) == pytest.approx(expected, rel=1e-8)
    assert chi(dim).from_polar(high, high, 0.0) == 0.0


@pytest.mark.parametrize("dim", DIMS)
def test_small_angles_cost_the_arc(dim):
    r = 1.02 * np.sqrt(dim - 1)
    arc = -r * stats.chi.logpdf(r, dim) * 1e-7
    assert chi(dim).from_polar(r, r, 1e-7) == pytest.approx(arc, rel=1e-6)


@pytest.mark.parametrize("dim", DIMS)
def test_from_the_origin_every_angle_is_as_long(dim):
    metric, r = chi(dim), np.sqrt(dim - 1)
    expected, _ = integrate.quad(
        lambda x: -stats.chi.logpdf(x, dim), 0, r, epsabs=0, epsrel=1e-10, limit=200
    )
    lengths = metric.from_polar(0.0, r, [0.0, 1.0, np.pi])
    np.testing.assert_allclose(lengths, expected, rtol=1e-7)
    assert metric.from_polar(0.0, 0.0, 1.0) == 0.0
    assert metric.from_polar(1e-30, r, 2.0) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("dim", DIMS)
def test_extreme_norms_give_finite_lengths(dim):
    lengths = chi(dim).from_polar([1e-40, 1e-12, 1e38, 1e12], [1e38, 1e-11, 1e37, 1e12], 1.0)
    assert np.isfinite(lengths).all()
    assert (lengths > 0).all()


radius = st.floats(0.5, 1.5)
angle = st.floats(0.0, np.pi)
dims = st.sampled_from([4, 16, 64, 1024, 16384])
priors = st.one_of(
    dims.map(ChiPrior), st.sampled_from([FittedPrior(30.15, 1.4), FittedPrior(10.0, 4.0)])
)


def mode_of(prior):
    return prior.mode if isinstance(prior, ChiPrior) else prior.mean


@settings(max_examples=60, deadline=None)
@given(priors, radius, radius, angle)
def test_symmetry(prior, a, b, theta):
    metric, (r0, r1) = NaoMetric(prior), mode_of(prior) * np.array([a, b])
    assert metric.from_polar(r0, r1, theta) == metric.from_polar(r1, r0, theta)


@settings(max_examples=60, deadline=None)
@given(
    priors, st.tuples(radius, radius, radius), st.lists(st.floats(-1, 1), min_size=9, max_size=9)
)
def test_triangle_inequality(prior, radii, values):
    points = np.zeros((3, prior.dim if isinstance(prior, ChiPrior) else 24))
    points[:, :3] = np.reshape(values, (3, 3)) + np.eye(3) * 1e-3
    points *= (mode_of(prior) * np.array(radii) / np.linalg.norm(points, axis=1))[:, None]
    d = NaoMetric(prior).pairwise(points, points)
    assert d[0, 2] <= (d[0, 1] + d[1, 2]) * (1 + 1e-9) + 1e-12


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([ChiPrior(24), FittedPrior(4.6, 1.4)]),
    st.integers(0, 2**32 - 1),
    st.floats(0.01, 3.0),
)
def test_rotation_does_not_change_it(prior, seed, spread):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((1, 24))
    y = x + spread * rng.standard_normal((3, 24))
    turn, metric = stats.ortho_group.rvs(24, random_state=rng), NaoMetric(prior)
    np.testing.assert_allclose(metric.pairwise(x @ turn, y @ turn), metric.pairwise(x, y), 1e-9)


@settings(max_examples=40, deadline=None)
@given(dims, radius, radius, st.floats(1e-4, 3.0), st.floats(1e-4, 0.14))
def test_it_grows_with_the_angle(dim, a, b, theta, more):
    r0, r1 = a * np.sqrt(dim - 1), b * np.sqrt(dim - 1)
    less, greater = chi(dim).from_polar(r0, r1, [theta, theta + more])
    assert less <= greater * (1 + 1e-12)


@pytest.mark.parametrize("prior", [ChiPrior(16), ChiPrior(1024), FittedPrior(30.0, 4.0)], ids=str)
def test_the_cheap_bound_is_one(prior):
    rng, bound = np.random.default_rng(1), NaoBound(prior)
    norms = shell_of(prior).radius * rng.uniform(0.2, 1.6, 60)
    angles = 10 ** rng.uniform(-3, np.log10(np.pi), 60)
    penalties, covered = bound.penalty(norms), bound.covers(norms)
    assert covered.sum() > 20
    for norm, home in zip(norms[covered][:6], penalties[covered][:6], strict=True):
        lengths = NaoMetric(prior).from_polar(norm, norms, angles)
        least = bound.least_of_pairs(home, penalties, angles)
        assert (least <= lengths)[covered].all()


def test_pairwise_distance_rows_and_parts_are_one_function():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((4, 64)), rng.standard_normal((5, 64)).astype(np.float32)
    metric = chi(64)
    table = metric.pairwise(x, y)
    np.testing.assert_allclose(metric.rows(x[1], y), table[1], rtol=1e-14)
    assert metric.distance(x[1], y[2]) == pytest.approx(table[1, 2], rel=1e-14)
    parts = metric.parts(x[1], y)
    np.testing.assert_allclose(parts.angular + parts.radial, table[1], rtol=1e-14)
    assert metric.distance(x[0], x[0]) == 0.0


def test_on_the_shell_it_ranks_like_the_angle():
    metric, r = chi(1024), shell_of(ChiPrior(1024)).radius
    angles = np.linspace(0.01, 3.1, 50)
    np.testing.assert_allclose(metric.from_polar(r, r, angles), 18.30156696 * angles, rtol=1e-9)


def test_without_a_prior_it_is_the_angle():
    metric = NaoMetric(NoPrior())
    assert metric.distance([2.0, 0.0], [0.0, 5.0]) == pytest.approx(np.pi / 2)
    with pytest.raises(ZeroVectorError, match="zero vector"):
        metric.distance([0.0, 0.0], [0.0, 5.0])
    with pytest.raises(ZeroVectorError, match="r0 above 0"):
        metric.from_polar(0.0, 1.0, 1.0)


def test_fitted_prior_takes_mean_and_deviation_of_the_norms():
    prior = FittedPrior.from_norms([9.0, 10.0, 11.0])
    assert (prior.mean, prior.std) == (10.0, 1.0)
    mean = np.array(10.0)
    assert prior.cost(mean) == pytest.approx(np.log(np.pi) / 2)


def test_fitted_prior_is_symmetric_about_the_mean_along_a_ray():
    metric = NaoMetric(FittedPrior(30.0, 1.0))
    inward, outward = metric.from_polar(30.0, [28.0, 32.0], 0.0)
    assert inward == pytest.approx(outward)
    assert inward == pytest.approx(np.log(np.pi) + 8 / 6)


def test_broadcasting_gives_the_broadcast_shape():
    assert chi(64).from_polar(np.full((3, 1), 8.0), np.full(4, 7.5), 0.7).shape == (3, 4)


@pytest.mark.parametrize("norms", [[1.0], [[1.0, 2.0]], [3.0, 3.0]])
def test_norms_that_say_nothing_are_refused(norms):
    with pytest.raises((DimensionError, ParameterError), match="norms"):
        FittedPrior.from_norms(norms)


def test_wrong_inputs_are_refused():
    metric = chi(64)
    with pytest.raises(NonFiniteError, match="r0"):
        metric.from_polar(np.nan, 1.0, 1.0)
    with pytest.raises(ParameterError, match="norms from 0"):
        metric.from_polar(-1.0, 1.0, 1.0)
    with pytest.raises(ParameterError, match="norms from 0"):
        metric.from_polar(1.0, 1e60, 1.0)
    with pytest.raises(ParameterError, match="radians"):
        metric.from_polar(1.0, 1.0, 4.0)
    with pytest.raises(DimensionError, match="the chi prior's, got 3"):
        metric.distance(np.ones(3), np.ones(3))
    with pytest.raises(ParameterError, match="dim of at least 2"):
        ChiPrior(1)
    with pytest.raises(MetricError, match="as the prior"):
        NaoMetric("chi")
