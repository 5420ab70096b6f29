"""Grids of noise levels, and the algebra between what networks predict."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from gaussian_backbone import cosine_schedule
from hypothesis import given, settings
from hypothesis import strategies as st

from latentdb.affine import Level
from latentdb.errors import ModelError
from latentdb.inverters.grid import Grid, split
from latentdb.torch_compat import torch

PREDICTIONS = ("epsilon", "v_prediction", "sample")


def timesteps(steps: int, spacing: str, last: int | None = None) -> list[int]:
    grid = cosine_schedule("epsilon").grid(steps, spacing, last)
    return [level.timestep for level in grid.levels[1:]]


def test_spacings_are_those_of_the_common_flaws_paper() -> None:
    # Lin et al. 2305.08891, table 2, T = 1000 and 10 steps, counted from 0.
    assert timesteps(10, "trailing") == [99, 199, 299, 399, 499, 599, 699, 799, 899, 999]
    assert timesteps(10, "leading") == [0, 100, 200, 300, 400, 500, 600, 700, 800, 900]
    assert timesteps(10, "linspace") == [0, 111, 222, 333, 444, 555, 666, 777, 888, 999]


def test_leading_spacing_of_stable_diffusion_stops_at_981() -> None:
    schedule = dataclasses.replace(cosine_schedule("epsilon"), steps_offset=1)
    assert schedule.grid(50, "leading").levels[-1].timestep == 981


@given(steps=st.integers(1, 300), last=st.integers(299, 999))
@settings(max_examples=60, deadline=None)
def test_trailing_grids_rise_strictly_to_the_last_timestep(steps: int, last: int) -> None:
    visited = timesteps(steps, "trailing", last)
    assert len(visited) == steps
    assert visited[-1] == last
    assert visited[0] >= 0
    assert (np.diff(visited) > 0).all()


@pytest.mark.parametrize(
    ("steps", "spacing", "last", "text"),
    [
        (0, "trailing", None, "0 steps to timestep 999 do not fit"),
        (1001, "trailing", None, "1001 steps to timestep 999 do not fit"),
        (5, "trailing", 1000, "5 steps to timestep 1000 do not fit"),
        (5, "leading", 900, "last_timestep does not go with leading"),
    ],
)
def test_grids_that_do_not_fit_are_refused(
    steps: int, spacing: str, last: int | None, text: str
) -> None:
    with pytest.raises(ModelError, match=text):
        cosine_schedule("epsilon").grid(steps, spacing, last)


@pytest.mark.parametrize("prediction", ["epsilon", "sample"])
def test_a_level_without_signal_is_refused_unless_v_is_predicted(prediction: str) -> None:
    schedule = cosine_schedule(prediction)
    schedule.alphas_cumprod[-1] = 0.0
    with pytest.raises(ModelError, match="timestep 999 has no signal left"):
        schedule.grid(10, "trailing")
    assert schedule.grid(10, "leading").levels[-1].timestep == 900


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_split_recovers_the_code_and_the_noise(prediction: str) -> None:
    x0, epsilon = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0))
    level = Level.of_alpha_bar(500, 0.37)
    a, b = level.signal, level.sigma
    outputs = {"epsilon": epsilon, "sample": x0, "v_prediction": a * epsilon - b * x0}
    recovered = split(prediction, level, a * x0 + b * epsilon, outputs[prediction])
    torch.testing.assert_close(torch.stack(recovered), torch.stack([x0, epsilon]))


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("alpha_bar", [0.5, 0.1])
def test_renoise_undoes_denoise(prediction: str, alpha_bar: float) -> None:
    generator = torch.Generator().manual_seed(0)
    noisier, output = torch.randn(2, 3, 4, generator=generator, dtype=torch.float64)
    grid = Grid((Level.of_alpha_bar(0, 0.9), Level.of_alpha_bar(10, alpha_bar)), prediction)
    cleaner = grid.denoise(0, noisier, output)
    torch.testing.assert_close(grid.renoise(0, cleaner, noisier, output), noisier)


def test_renoise_of_v_holds_where_no_signal_is_left() -> None:
    generator = torch.Generator().manual_seed(0)
    noisier, output = torch.randn(2, 3, 4, generator=generator, dtype=torch.float64)
    grid = Grid((Level.of_alpha_bar(0, 0.3), Level.of_alpha_bar(999, 0.0)), "v_prediction")
    cleaner = grid.denoise(0, noisier, output)
    torch.testing.assert_close(grid.renoise(0, cleaner, noisier, output), noisier)
