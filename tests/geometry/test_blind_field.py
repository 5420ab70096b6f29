"""The blind field against sums and derivatives taken without it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from indexers.errors import DimensionError, ParameterError
from latentdb.affine import Level, step_factors
from latentdb.geometry.blind_field import BlindField, drift_factors, jensen_gain
from latentdb.geometry.marginal_energy import EnergyCorpus, NoisePrior, marginal_energy

PREDICTIONS = ("epsilon", "sample", "v_prediction", "velocity")
FLOW = tuple(Level(1000 * t, 1 - t, t) for t in (0.1, 0.35, 0.7, 0.95))
TURN = tuple(Level(t, math.cos(t), math.sin(t)) for t in (0.2, 0.6, 1.0, 1.4))
RNG = np.random.default_rng(0)
CODES = RNG.normal(size=(5, 3))
STATES = RNG.normal(size=(4, 3))


def field_of(levels, prediction, codes=CODES):
    return BlindField(EnergyCorpus(codes), NoisePrior.of(tuple(levels)), prediction)


def log_density(u, levels):
    """log p(u), by scipy."""
    terms = [
        multivariate_normal.pdf(u, level.signal * code, level.sigma**2 * np.eye(len(u)))
        for level in levels
        for code in CODES
    ]
    return math.log(np.mean(terms))


def slow_field(u, levels, targets):
    """Mean of the target over every pair of a level and a code, one by one."""
    total, field = 0.0, np.zeros(len(u))
    for level, (c, d) in zip(levels, targets, strict=True):
        for code in CODES:
            noise = (u - level.signal * code) / level.sigma
            weight = math.exp(-(noise @ noise) / 2) / level.sigma ** len(u)
            total += weight
            field += weight * (c * code + d * noise)
    return field / total


def targets(prediction, levels):
    pairs = {
        "epsilon": lambda _: (0.0, 1.0),
        "sample": lambda _: (1.0, 0.0),
        "v_prediction": lambda level: (-level.sigma, level.signal),
        "velocity": lambda _: (-1.0, 1.0),
    }
    return [pairs[prediction](level) for level in levels]


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("levels", [FLOW, TURN], ids=["flow", "turn"])
def test_blind_field_is_the_mean_target_over_levels_and_codes(prediction, levels):
    blind = field_of(levels, prediction).blind(STATES)
    expected = [slow_field(u, levels, targets(prediction, levels)) for u in STATES]
    np.testing.assert_allclose(blind, expected, rtol=1e-9)


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_told_field_is_the_mean_target_of_one_level(prediction):
    told = field_of(FLOW, prediction).told(STATES, TURN[1])
    expected = [slow_field(u, TURN[1:2], targets(prediction, TURN[1:2])) for u in STATES]
    np.testing.assert_allclose(told, expected, rtol=1e-9)


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("levels", [FLOW, TURN], ids=["flow", "turn"])
def test_three_parts_add_up_to_the_blind_field(prediction, levels):
    field = field_of(levels, prediction)
    np.testing.assert_allclose(field.parts(STATES).field, field.blind(STATES), rtol=1e-8)


def test_energy_gradient_is_the_slope_of_minus_log_density():
    gradient = field_of(FLOW, "velocity").parts(STATES).energy_gradient
    step = 1e-6
    for u, row in zip(STATES, gradient, strict=True):
        slopes = [
            (log_density(u - step * e, FLOW) - log_density(u + step * e, FLOW)) / (2 * step)
            for e in np.eye(3)
        ]
        np.testing.assert_allclose(row, slopes, rtol=1e-5)


def test_covariance_part_is_that_of_gain_and_gradient_over_levels():
    field = field_of(FLOW, "velocity")
    parts = field.parts(STATES)
    levels = marginal_energy(STATES, EnergyCorpus(CODES), NoisePrior.of(FLOW)).posterior
    gains = np.array([level.sigma / level.signal for level in FLOW])
    alone = np.stack([field_of([level], "epsilon").blind(STATES) / level.sigma for level in FLOW])
    centred = alone - np.einsum("nl,lnd->nd", levels, alone)
    expected = np.einsum("nl,l,lnd->nd", levels, gains, centred)
    np.testing.assert_allclose(parts.covariance, expected, atol=1e-9)
    np.testing.assert_allclose(parts.energy_gain, levels @ gains)


def test_levels_weigh_as_often_as_they_are_drawn():
    twice = field_of([FLOW[0], FLOW[1], FLOW[1]], "velocity")
    prior = NoisePrior(FLOW[:2], np.array([1 / 3, 2 / 3]))
    weighted = BlindField(EnergyCorpus(CODES), prior, "velocity")
    np.testing.assert_allclose(weighted.blind(STATES), twice.blind(STATES))


def test_mean_inverse_sigma_follows_the_densities():
    densities = [[math.exp(log_density(u, [level])) for level in FLOW] for u in STATES]
    expected = np.average(np.tile([1 / level.sigma for level in FLOW], (4, 1)), 1, densities)
    np.testing.assert_allclose(field_of(FLOW, "epsilon").mean_inverse_sigma(STATES), expected)


def test_many_dimensions_tell_the_level_and_the_covariance_vanishes():
    levels = tuple(Level(t, 1 - t, t) for t in np.linspace(0.02, 0.98, 49))
    shares = []
    for dim in (4, 1024):
        codes = RNG.normal(size=(20, dim))
        states = 0.5 * codes[:8] + 0.5 * RNG.normal(size=(8, dim))
        parts = field_of(levels, "velocity", codes).parts(states)
        shares.append(np.linalg.norm(parts.covariance) / np.linalg.norm(parts.field))
    assert shares[1] < 0.01 < shares[0]


def test_one_level_leaves_no_gap():
    field = field_of(FLOW[1:2], "epsilon")
    np.testing.assert_allclose(
        jensen_gain(FLOW[1], (-1.0, 1.0), field.mean_inverse_sigma(STATES)), 0.0, atol=1e-12
    )
    np.testing.assert_allclose(field.blind(STATES), field.told(STATES, FLOW[1]))


def test_gain_times_residue_is_the_drift_error_of_a_single_code():
    code, level, rates = CODES[:1], TURN[1], (-math.sin(0.6), math.cos(0.6))
    levels = [Level(0, level.signal, sigma) for sigma in (0.2, 0.4, 0.8)]
    field = field_of(levels, "epsilon", code)
    _, nu = drift_factors("epsilon", level, rates)
    error = nu * (field.blind(STATES) - field.told(STATES, level))
    gain = jensen_gain(level, rates, field.mean_inverse_sigma(STATES))
    residue = np.linalg.norm(STATES - level.signal * code, axis=1)
    np.testing.assert_allclose(np.linalg.norm(error, axis=1), gain * residue)


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_drift_is_the_limit_of_small_steps(prediction):
    start, stop = (Level(0, math.cos(t), math.sin(t)) for t in (0.6, 0.6 - 1e-7))
    mu, nu = drift_factors(prediction, start, (-math.sin(0.6), math.cos(0.6)))
    state, output = step_factors(prediction, start, stop)
    assert (1.0 - state) / 1e-7 == pytest.approx(mu, rel=1e-5, abs=1e-5)
    assert -output / 1e-7 == pytest.approx(nu, rel=1e-5)


def test_velocity_of_a_straight_path_is_its_own_drift():
    assert drift_factors("velocity", FLOW[2], (-1.0, 1.0)) == pytest.approx((0.0, 1.0))


def test_states_are_not_modified():
    states = STATES.astype(np.float32)
    before = states.copy()
    assert field_of(FLOW, "velocity").blind(states).dtype == np.float64
    np.testing.assert_array_equal(states, before)


def test_a_level_without_signal_has_a_field_and_no_parts():
    noise = field_of([*FLOW, Level(1000, 0.0, 1.0)], "velocity")
    assert np.isfinite(noise.blind(STATES)).all()
    with pytest.raises(ParameterError, match="without signal"):
        noise.parts(STATES)


def test_states_of_another_width_are_refused():
    with pytest.raises(DimensionError, match=r"\(n, 3\)"):
        field_of(FLOW, "velocity").blind(np.zeros((2, 4)))
