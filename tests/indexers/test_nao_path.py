"""The NAO geodesic: it is a curve of the distance's length, and every piece of it is shortest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

from indexers.metric import ChiPrior, FittedPrior, NaoMetric, NoPrior
from indexers.metric.path import polar_path
from indexers.metric.polar import polar_length, polar_slopes, polar_solution
from indexers.metric.shell import shell_of
from indexers.metric.solution import Family
from tests.indexers.nao_reference import reference_length

DIMS = [2, 3, 16, 64, 1024, 16384, 300_000]
SHARES = np.linspace(0.0, 1.0, 33)


def measured_length(prior, r, phi):
    """Length of the chain of logarithmic spirals through points, by SciPy's density."""
    nodes, weights = np.polynomial.legendre.leggauss(6)
    u = np.log(r)
    at = np.exp(u[:-1, None] + np.diff(u)[:, None] * (nodes + 1) / 2)
    if isinstance(prior, ChiPrior):
        h = -at * stats.chi.logpdf(at, prior.dim)
    else:
        h = at * (0.5 * np.log(np.pi) + 0.5 * ((at - prior.mean) / prior.std) ** 2)
    return float(np.hypot(np.diff(u), np.diff(phi)) @ (h @ weights / 2))


def assert_shortest(prior, r0, r1, theta, *, rtol=1e-9):
    """Every point p has f(a, p) = t·f and f(p, b) = (1 − t)·f: no other curve has."""
    r, phi = polar_path(prior, r0, r1, theta, SHARES)
    assert (r[0], r[-1], phi[0], phi[-1]) == (r0, r1, 0.0, theta)
    assert (np.diff(phi) >= 0).all()
    metric = NaoMetric(prior)
    whole = metric.from_polar(r0, r1, theta)
    slack = rtol * whole
    np.testing.assert_allclose(metric.from_polar(r0, r, phi), SHARES * whole, atol=slack, rtol=0)
    rest = metric.from_polar(r, r1, np.maximum(theta - phi, 0.0))
    np.testing.assert_allclose(rest, (1 - SHARES) * whole, atol=slack, rtol=0)


@pytest.mark.parametrize("theta", [1e-7, 0.01, 0.3, 1.04, 2.0, np.pi])
@pytest.mark.parametrize(
    "ends", [(1.0, 1.0), (0.9, 1.1), (1.2, 0.7), (1.05, 1.06), (5.0, 5.0), (0.9, 0.8)], ids=str
)
@pytest.mark.parametrize("dim", DIMS)
def test_every_point_divides_the_distance(dim, ends, theta):
    r0, r1 = np.sqrt(dim - 1) * np.array(ends)
    assert_shortest(ChiPrior(dim), r0, r1, theta)


@pytest.mark.parametrize("theta", [1e-6, 0.5, 3.0, np.pi])
@pytest.mark.parametrize("ends", [(0.2, 0.2), (0.2, 0.25), (0.05, 1.3), (1e-3, 2.0)], ids=str)
@pytest.mark.parametrize("dim", [2, 3, 64, 16384])
def test_every_point_divides_the_distance_in_the_core(dim, ends, theta):
    r0, r1 = np.sqrt(dim - 1) * np.array(ends)
    assert_shortest(ChiPrior(dim), r0, r1, theta, rtol=2e-8)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([ChiPrior(16), ChiPrior(1024), ChiPrior(16384), FittedPrior(30.15, 1.4)]),
    st.floats(-4, 4),
    st.floats(-4, 4),
    st.floats(-5, np.log10(np.pi)),
)
# The point half-way is where the path turns.
@example(ChiPrior(16), -3.328125, -3.328125, 0.087890625)
def test_every_point_divides_the_distance_near_the_shell(prior, x0, x1, log_theta):
    shell = shell_of(prior)
    r0, r1 = np.maximum(shell.radius + prior.width * np.array([x0, x1]), 0.05 * shell.radius)
    assert_shortest(prior, r0, r1, 10**log_theta, rtol=1e-8)


@pytest.mark.parametrize("prior", [ChiPrior(16), ChiPrior(1024), FittedPrior(30.15, 1.4)], ids=str)
@pytest.mark.parametrize("offsets", [(1.0, 1.4), (-1.0, 2.0), (0.0, 0.0), (-2.0, -2.0)], ids=str)
@pytest.mark.parametrize("theta", [0.02, 0.4, 2.5])
def test_its_length_by_quadrature_is_the_distance(prior, offsets, theta):
    r0, r1 = shell_of(prior).radius + prior.width * np.array(offsets)
    r, phi = polar_path(prior, r0, r1, theta, np.linspace(0.0, 1.0, 4001))
    length = NaoMetric(prior).from_polar(r0, r1, theta)
    assert measured_length(prior, r, phi) == pytest.approx(length, rel=1e-6)
    quarters = [
        measured_length(prior, r[i : i + 1001], phi[i : i + 1001]) for i in range(0, 4000, 1000)
    ]
    np.testing.assert_allclose(quarters, length / 4, rtol=1e-6)


def test_its_length_agrees_with_direct_minimisation():
    r0, r1 = 8.0 + np.array([1.5, -0.7])
    r, phi = polar_path(ChiPrior(64), r0, r1, 0.3, np.linspace(0.0, 1.0, 2001))
    expected = reference_length(64, r0, r1, 0.3, points=60)
    assert measured_length(ChiPrior(64), r, phi) == pytest.approx(expected, rel=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(DIMS), st.floats(0.02, 1.6), st.floats(0.02, 1.6), st.floats(1e-4, np.pi))
def test_read_backwards_it_is_the_same_curve(dim, a, b, theta):
    prior, mode = ChiPrior(dim), np.sqrt(dim - 1)
    r, phi = polar_path(prior, a * mode, b * mode, theta, SHARES)
    back_r, back_phi = polar_path(prior, b * mode, a * mode, theta, SHARES)
    np.testing.assert_allclose(r, back_r[::-1], atol=1e-7 * mode)
    # The angle is worth nothing at the origin.
    np.testing.assert_allclose(r * phi, r * (theta - back_phi[::-1]), atol=1e-6 * mode)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.3, 1.5), st.floats(0.3, 1.5), st.floats(1e-3, 3.1), st.floats(0.1, 0.9))
def test_a_part_of_it_is_the_path_between_its_ends(a, b, theta, cut):
    prior, mode = ChiPrior(64), np.sqrt(63.0)
    r, phi = polar_path(prior, a * mode, b * mode, theta, np.array([cut, 0.5 * cut, 0.0]))
    part_r, part_phi = polar_path(prior, a * mode, r[0], phi[0], np.array([0.5]))
    np.testing.assert_allclose([part_r[0], part_phi[0]], [r[1], phi[1]], rtol=1e-5, atol=1e-6)


def test_far_apart_on_the_shell_it_goes_down_along_and_up():
    prior, shell = ChiPrior(16384), shell_of(ChiPrior(16384))
    r, phi = polar_path(prior, shell.radius + 2, shell.radius + 3, 1.5, np.linspace(0, 1, 201))
    middle = r[60:130]
    np.testing.assert_allclose(middle, shell.radius, atol=1e-9)
    np.testing.assert_allclose(np.diff(phi[60:130]), np.diff(phi[60:62])[0], rtol=1e-9)
    assert r.min() >= shell.radius


def test_it_turns_where_the_distance_says_shallow_or_deep():
    # Far off the shell, below 60 degrees, the shorter way stays out there (a cone in r³).
    prior, r = ChiPrior(64), 200.0
    near, _ = polar_path(prior, r, r, 0.8, SHARES)
    far, _ = polar_path(prior, r, r, 1.1, SHARES)
    assert near.min() > 1.2 * shell_of(prior).radius
    assert far.min() == pytest.approx(shell_of(prior).radius, abs=0.01)


def test_along_a_ray_the_angle_stays_and_the_cost_is_spent_evenly():
    prior = ChiPrior(64)
    r, phi = polar_path(prior, 4.0, 10.0, 0.0, SHARES)
    assert not phi.any()
    spent = prior.radial_cost(r) - prior.radial_cost(np.array(4.0))
    np.testing.assert_allclose(spent, SHARES * spent[-1], atol=1e-12 * spent[-1])


def test_from_the_origin_it_leaves_in_the_direction_of_the_other_end():
    r, phi = polar_path(ChiPrior(64), 0.0, 8.0, 1.0, SHARES)
    assert r[0] == 0.0
    np.testing.assert_array_equal(phi[1:], 1.0)
    r, phi = polar_path(ChiPrior(64), 8.0, 0.0, 1.0, SHARES)
    np.testing.assert_array_equal(phi[:-1], 0.0)
    assert (np.diff(r) < 0).all()


def test_in_the_core_it_goes_around_the_origin_where_cost_is_highest():
    r, phi = polar_path(ChiPrior(64), 0.01, 0.02, 3.0, SHARES)
    assert 0.0 < r.min() < 0.01
    assert (np.diff(phi) > 0).all()


def test_without_a_prior_angle_and_norm_go_evenly():
    r, phi = polar_path(NoPrior(), 2.0, 4.0, 1.5, np.array([0.0, 0.25, 1.0]))
    np.testing.assert_allclose(r, [2.0, 2.5, 4.0])
    np.testing.assert_allclose(phi, [0.0, 0.375, 1.5])


def test_coincident_ends_give_one_point():
    r, phi = polar_path(ChiPrior(64), 8.0, 8.0, 0.0, SHARES)
    assert (r == 8.0).all()
    assert not phi.any()


def test_fractions_are_not_modified():
    shares = np.array([0.0, 0.5, 1.0])
    polar_path(ChiPrior(64), 8.0, 9.0, 1.0, shares)
    np.testing.assert_array_equal(shares, [0.0, 0.5, 1.0])


@pytest.mark.parametrize("dim", [2, 3, 64, 16384])
def test_solutions_are_those_that_distances_are_of(dim):
    prior, rng = ChiPrior(dim), np.random.default_rng(dim)
    r0, r1 = np.sqrt(dim - 1) * rng.uniform(0.01, 1.6, (2, 80))
    theta = 10 ** rng.uniform(-4, np.log10(np.pi), 80)
    solution = polar_solution(prior, r0, r1, theta)
    np.testing.assert_array_equal(solution.length, polar_length(prior, r0, r1, theta))


@pytest.mark.parametrize(
    "prior", [ChiPrior(2), ChiPrior(64), ChiPrior(1024), FittedPrior(30.15, 1.4)], ids=str
)
def test_slopes_are_those_of_the_length(prior):
    rng = np.random.default_rng(4)
    centre = getattr(prior, "mode", None) or prior.mean
    r0, r1 = centre * rng.uniform(0.3, 1.4, (2, 60))
    theta = rng.uniform(0.02, 3.1, 60)
    length, by_radius, by_angle = polar_slopes(prior, r0, r1, theta)
    step = 1e-5

    def slope(move_radius, move_angle):
        ahead = polar_length(prior, r0 + move_radius, r1, theta + move_angle)
        back = polar_length(prior, r0 - move_radius, r1, theta - move_angle)
        return (ahead - back) / (2 * step)

    slack = 1e-5 * length.max()
    np.testing.assert_allclose(by_radius, slope(step, 0.0), rtol=1e-5, atol=slack)
    np.testing.assert_allclose(by_angle, slope(0.0, step), rtol=1e-5, atol=slack)


@pytest.mark.parametrize("dim", [3, 64, 1024])
@pytest.mark.parametrize("share", [0.0, 1e-12, 1e-6, 1e-3, -1e-3, -1e-9])
def test_a_short_arc_at_the_barrier_is_an_arc(dim, share):
    prior, shell = ChiPrior(dim), shell_of(ChiPrior(dim))
    for radius in (shell.barrier * (1 + share), shell.radius * (1 + share)):
        arc = radius * prior.cost(np.array(radius)) * 1e-6
        assert NaoMetric(prior).from_polar(radius, radius, 1e-6) == pytest.approx(arc, rel=1e-6)
        assert_shortest(prior, radius, radius, 1e-6, rtol=1e-6)


@pytest.mark.parametrize(("r0", "r1", "theta"), [(1.12, 43.45, 3.1), (1.6, 41.58, 2.5)])
def test_from_the_core_along_the_shell_agrees_with_direct_minimisation(r0, r1, theta):
    solution = polar_solution(ChiPrior(1024), *(np.array([v]) for v in (r0, r1, theta)))
    assert solution.family[0] == Family.ALONG
    expected = reference_length(1024, r0, r1, theta, points=100)
    assert solution.length[0] == pytest.approx(expected, rel=1e-8)
    assert_shortest(ChiPrior(1024), r0, r1, theta)
