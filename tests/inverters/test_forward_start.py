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
def test_pictures_enter_at_their_code_under_one_draw_of_noise(
    inverter: InverterName, pixels: NDArray[np.uint8]
) -> None:
    model = make(inverter, 0.1)
    level = model.grid.levels[2]
    states = model.follow(model.encode(pixels), start=0, stop=2)[:, : pixels[0].size]
    codes = pixels.transpose(0, 3, 1, 2).reshape(3, -1) / 255
    noise = (states - level.signal * codes) / level.sigma
    np.testing.assert_allclose(noise[1:], noise[:1].repeat(2, axis=0), atol=1e-5)
    assert abs(float(noise.std()) - 1) < 0.15


@pytest.mark.parametrize("inverter", INVERTERS)
def test_clean_codes_enter_as_their_pictures_do(
    inverter: InverterName, pixels: NDArray[np.uint8]
) -> None:
    model = make(inverter, 0.1)
    codes = model.encode(pixels)
    vectors = model.embed(pixels).vectors
    np.testing.assert_allclose(model.follow(codes, start=0, stop=20), vectors, atol=1e-5)
    np.testing.assert_array_equal(model.follow(codes, start=0, stop=0), codes)
    assert np.abs(vectors - make(inverter, 0.0).embed(pixels).vectors).mean() > 0.01


def test_the_round_trip_is_not_exact_any_more(pixels: NDArray[np.uint8]) -> None:
    errors = [
        np.abs(make("belm", share).decode(make("belm", share).embed(pixels).vectors) - pixels * 1.0)
        for share in (0.0, 0.1, 0.3)
    ]
    means = [float(error.mean()) for error in errors]
    assert means[0] == 0
    assert 0 < means[1] < means[2]
