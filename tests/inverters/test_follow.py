"""Trajectories entered and left midway."""

from __future__ import annotations

import numpy as np
import pytest
from gaussian_backbone import SIZE, GaussianBackbone
from numpy.typing import NDArray

from indexers.errors import DimensionError, ParameterError
from latentdb.inverters.base import AbstractTrajectoryInverter
from latentdb.inverters.ddim import DdimInverter
from latentdb.inverters.fixed_point import FixedPointInverter
from latentdb.inverters.options import DiffusersOptions

STEPS = 12


def make(kind: type[AbstractTrajectoryInverter]) -> AbstractTrajectoryInverter:
    options = DiffusersOptions(steps=STEPS, tolerance=1e-6, first_iterations=30, iterations=40)
    return kind(GaussianBackbone("v_prediction"), options, name="gaussian", spec="gaussian")


@pytest.fixture
def fixed_point() -> AbstractTrajectoryInverter:
    return make(FixedPointInverter)


@pytest.fixture
def noise(fixed_point: AbstractTrajectoryInverter) -> NDArray[np.float32]:
    codes = np.random.default_rng(3).integers(0, 256, (3, SIZE, SIZE, 3), dtype=np.uint8)
    return fixed_point.embed(codes).vectors


@pytest.mark.parametrize("level", [1, 6, STEPS - 1])
def test_a_trajectory_left_midway_is_found_again(
    fixed_point: AbstractTrajectoryInverter, noise: NDArray[np.float32], level: int
) -> None:
    states = fixed_point.follow(noise, start=STEPS, stop=level)
    np.testing.assert_array_equal(fixed_point.decode_from(states, level), fixed_point.decode(noise))
    back = fixed_point.follow(states, start=level, stop=STEPS)
    np.testing.assert_allclose(back, noise, atol=1e-4)


@pytest.mark.parametrize("kind", [DdimInverter, FixedPointInverter])
def test_inversion_in_two_parts_is_inversion_in_one(
    kind: type[AbstractTrajectoryInverter],
) -> None:
    inverter = make(kind)
    codes = np.random.default_rng(5).random((2, 3 * SIZE * SIZE), dtype=np.float32)
    whole = inverter.follow(codes, start=0, stop=STEPS)
    part = inverter.follow(codes, start=0, stop=5)
    np.testing.assert_allclose(inverter.follow(part, start=5, stop=STEPS), whole, atol=1e-4)


def test_states_midway_are_those_of_the_exact_flow(noise: NDArray[np.float32]) -> None:
    def midway(steps: int) -> NDArray[np.float32]:
        options = DiffusersOptions(steps=steps)
        inverter = FixedPointInverter(
            GaussianBackbone("epsilon"), options, name="gaussian", spec="gaussian"
        )
        assert inverter.grid.levels[steps // 2].timestep == 499
        return inverter.follow(noise, start=steps, stop=steps // 2)

    coarse, fine, finest = midway(50), midway(100), midway(200)
    ratio = np.abs(coarse - finest).max() / np.abs(fine - finest).max()
    assert 2.4 < ratio < 3.6  # first order: (1/50 − 1/200) / (1/100 − 1/200) = 3


def test_no_way_is_no_change_and_rows_may_be_none(
    fixed_point: AbstractTrajectoryInverter, noise: NDArray[np.float32]
) -> None:
    before = noise.copy()
    np.testing.assert_array_equal(fixed_point.follow(noise, start=4, stop=4), noise)
    assert fixed_point.follow(noise[:0], start=STEPS, stop=2).shape == (0, noise.shape[1])
    fixed_point.follow(noise, start=STEPS, stop=0)
    np.testing.assert_array_equal(noise, before)


def test_a_level_that_is_not_there_is_refused(
    fixed_point: AbstractTrajectoryInverter, noise: NDArray[np.float32]
) -> None:
    with pytest.raises(ParameterError, match="levels 0 to 12, got 13"):
        fixed_point.follow(noise, start=13, stop=2)
    with pytest.raises(ParameterError, match="got -1"):
        fixed_point.follow(noise, start=12, stop=-1)
    with pytest.raises(ParameterError, match="got 20"):
        fixed_point.decode_from(noise, 20)
    with pytest.raises(DimensionError, match=r"got \(3, 5\)"):
        fixed_point.follow(noise[:, :5], start=12, stop=1)
