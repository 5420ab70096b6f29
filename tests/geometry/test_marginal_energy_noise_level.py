"""A row's noise level, told from the row and its clean code."""

from __future__ import annotations

import numpy as np
import pytest

from indexers.errors import DimensionError, ParameterError
from latentdb.affine import Level
from latentdb.geometry.marginal_energy import EnergyCorpus, NoisePrior, marginal_energy, noise_level

RNG = np.random.default_rng(11)
LEVELS = [Level(t, 1 - t / 1000, t / 1000) for t in range(0, 1001, 50)]
CLEAN = RNG.normal(size=(40, 256)).astype(np.float32)
NOISE = RNG.normal(size=(40, 256)).astype(np.float32)


def at(time):
    return (1 - time) * CLEAN + time * NOISE


@pytest.mark.parametrize("time", [0.1, 0.5, 0.9, 1.0])
def test_rows_at_a_level_are_found_there(time):
    found = noise_level(CLEAN, at(time), LEVELS).flow_times
    assert np.abs(found - time).max() < 0.06
    assert np.abs(found - time).mean() < 0.03


def test_noise_that_kept_its_picture_is_not_at_the_last_level():
    clean = noise_level(CLEAN, NOISE, LEVELS).flow_times
    leaked = noise_level(CLEAN, NOISE + 0.3 * CLEAN, LEVELS).flow_times
    assert clean.mean() > 0.96
    assert leaked.mean() < clean.mean() - 0.04
    assert (leaked <= clean).mean() > 0.9


def test_a_row_does_not_depend_on_its_batch():
    together = noise_level(CLEAN, at(0.7), LEVELS).posterior
    alone = [noise_level(CLEAN[i, None], at(0.7)[i, None], LEVELS).posterior[0] for i in range(5)]
    np.testing.assert_array_equal(together[:5], alone)


def test_it_is_the_posterior_of_an_energy_over_one_vector():
    prior = NoisePrior.of(tuple(LEVELS[1:]))
    one = marginal_energy(at(0.6)[:1], EnergyCorpus(CLEAN[:1]), prior)
    got = noise_level(CLEAN[:1], at(0.6)[:1], LEVELS)
    np.testing.assert_allclose(got.posterior, one.posterior, atol=1e-10)


def test_rows_and_codes_must_pair_up():
    with pytest.raises(DimensionError, match="a clean code per row"):
        noise_level(CLEAN[:3], NOISE[:4], LEVELS)
    with pytest.raises(ParameterError, match="got none"):
        noise_level(CLEAN, NOISE, LEVELS[:1])
