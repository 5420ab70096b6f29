"""First steps of an inversion that are drawn and not inverted."""

from __future__ import annotations

import numpy as np
import pytest
from gaussian_backbone import SIZE, GaussianBackbone
from numpy.typing import NDArray

from latentdb.inverters.base import AbstractTrajectoryInverter
from latentdb.inverters.forward_start import ForwardStart
from latentdb.inverters.kinds import INVERTERS
from latentdb.inverters.options import DiffusersOptions, InverterName


@pytest.fixture
def pixels() -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (3, SIZE, SIZE, 3), dtype=np.uint8)


def make(inverter: InverterName, share: float) -> AbstractTrajectoryInverter:
    options = DiffusersOptions(inverter=inverter, steps=20, forward_start=share)
    return INVERTERS[inverter](GaussianBackbone("epsilon"), options, name="gaussian", spec="x")


@pytest.mark.parametrize(
    ("share", "steps", "level"), [(0.0, 20, 0), (0.03, 20, 1), (0.03, 100, 3), (0.5, 3, 2)]
)
def test_a_share_of_the_steps_is_the_nearest_whole_number_and_at_least_one(
    share: float, steps: int, level: int
) -> None:
    assert ForwardStart.of(share, steps).level == level


@pytest.mark.parametrize("inverter", INVERTERS)
def test_noise_is_drawn_again_alike_and_otherwise_for_another_picture(
    inverter: InverterName, pixels: NDArray[np.uint8]
) -> None:
    model = make(inverter, 0.1)
    vectors = model.embed(pixels).vectors
    np.testing.assert_array_equal(make(inverter, 0.1).embed(pixels).vectors, vectors)
    drawn = vectors - make(inverter, 0.0).embed(pixels).vectors
    assert np.abs(drawn).mean() > 0.01
    assert np.abs(np.corrcoef(drawn))[~np.eye(3, dtype=bool)].max() < 0.6


@pytest.mark.parametrize("inverter", INVERTERS)
def test_the_code_that_is_entered_is_the_diffused_one(
    inverter: InverterName, pixels: NDArray[np.uint8]
) -> None:
    model = make(inverter, 0.1)
    level = model.grid.levels[2]
    states = model.follow(model.embed(pixels).vectors, start=20, stop=2)[:, : pixels[0].size]
    codes = pixels.transpose(0, 3, 1, 2).reshape(3, -1) / 255
    noise = (states - level.signal * codes) / level.sigma
    assert abs(float(noise.std()) - 1) < 0.25


def test_the_round_trip_is_not_exact_any_more(pixels: NDArray[np.uint8]) -> None:
    errors = [
        np.abs(make("belm", share).decode(make("belm", share).embed(pixels).vectors) - pixels * 1.0)
        for share in (0.0, 0.1, 0.3)
    ]
    means = [float(error.mean()) for error in errors]
    assert means[0] == 0
    assert 0 < means[1] < means[2]
