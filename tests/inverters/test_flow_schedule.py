"""Levels of flow matching, and levels between trained ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gaussian_backbone import cosine_schedule

from latentdb.affine import Level, step_factors
from latentdb.errors import ModelError
from latentdb.inverters.flow_schedule import FlowSchedule


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_trailing_times_are_those_of_diffusers_flow_pipelines(shift: float) -> None:
    from diffusers import FlowMatchEulerDiscreteScheduler

    theirs = FlowMatchEulerDiscreteScheduler(shift=shift)
    theirs.set_timesteps(sigmas=np.linspace(1.0, 1 / 8, 8))
    ours = FlowSchedule(shift=shift).grid(8, "trailing")
    told = [level.timestep for level in reversed(ours.levels[1:])]
    np.testing.assert_allclose(told, theirs.timesteps.numpy(), rtol=1e-5)
    sigmas = [level.sigma for level in reversed(ours.levels)]
    np.testing.assert_allclose(sigmas, theirs.sigmas.numpy(), rtol=1e-5)


@pytest.mark.parametrize("spacing", ["trailing", "linspace"])
@pytest.mark.parametrize("last", [None, 900])
def test_a_flow_grid_rises_from_the_code_to_the_last_timestep(spacing: str, last) -> None:
    grid = FlowSchedule(shift=3.0).grid(7, spacing, last)
    times = [level.sigma for level in grid.levels]
    assert times[0] == 0
    assert times[-1] == (1.0 if last is None else 0.9)
    assert len(times) == 8
    assert (np.diff(times) > 0).all()


@pytest.mark.parametrize(
    ("steps", "spacing", "last", "text"),
    [
        (0, "trailing", None, "got 0 steps to 1000"),
        (5, "trailing", 1001, "got 5 steps to 1001"),
        (5, "leading", None, "a flow model takes trailing or linspace"),
    ],
)
def test_flow_grids_that_do_not_fit_are_refused(
    steps: int, spacing: str, last: int | None, text: str
) -> None:
    with pytest.raises(ModelError, match=text):
        FlowSchedule().grid(steps, spacing, last)


def test_a_velocity_step_is_eulers() -> None:
    start, stop = Level(700, 0.3, 0.7), Level(500, 0.5, 0.5)
    assert step_factors("velocity", start, stop) == pytest.approx((1.0, -0.2))


def test_a_flow_time_gives_back_the_trained_level_it_belongs_to() -> None:
    schedule = cosine_schedule("epsilon")
    for timestep in (0, 1, 370, 999):
        trained = Level.of_alpha_bar(timestep, float(schedule.alphas_cumprod[timestep]))
        found = schedule.level_at(trained.flow_time)
        assert found.timestep == pytest.approx(timestep, abs=1e-6)
        assert (found.signal, found.sigma) == pytest.approx((trained.signal, trained.sigma))


def test_a_level_between_timesteps_has_a_label_between_them_and_unit_variance() -> None:
    schedule = cosine_schedule("epsilon")
    flow_times = [schedule.grid(1, "trailing", t).levels[1].flow_time for t in (400, 401)]
    between = schedule.level_at(sum(flow_times) / 2)
    assert 400 < between.timestep < 401
    assert math.hypot(between.signal, between.sigma) == pytest.approx(1.0)


def test_the_ends_of_flow_time_are_the_code_and_pure_noise() -> None:
    schedule = cosine_schedule("epsilon")
    assert schedule.level_at(0.0) == Level(0.0, 1.0, 0.0)
    assert schedule.level_at(1.0) == Level(999.0, 0.0, 1.0)
