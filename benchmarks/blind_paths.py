"""The two ways from noise to data that are compared, and the deterministic sampler along them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, final

import numpy as np

from indexers.types import FloatArray
from latentdb.affine import Level, Prediction
from latentdb.inverters.flow_schedule import FlowSchedule
from latentdb.inverters.grid import Grid
from latentdb.inverters.noise_schedule import NoiseSchedule
from latentdb.torch_compat import torch

PathName = Literal["ddpm", "flow"]
N_LEVELS = 1000
_APART = math.log(1.04) / math.log(N_LEVELS)
STOPPED_AT = 1e6
"""A run whose state is longer than this is stopped where it is."""

Predict = Callable[[torch.Tensor, Level], torch.Tensor]
"""Output of a network at states (n, ...) of which the sampler believes that they are at a level."""
Watch = Callable[[torch.Tensor, Level], None]


@final
@dataclass(frozen=True)
class Path:
    """The levels of one schedule, each of which is drawn equally often in training.

    Parameters
    ----------
    name : "ddpm" or "flow"
    levels : tuple of Level
        `N_LEVELS` of them, rising noise.
    rates : (N_LEVELS, 2)
        ȧ and ḃ where the time runs from 0 to 1 over the levels.
    """

    name: PathName
    levels: tuple[Level, ...]
    rates: FloatArray

    def rate(self, index: int) -> tuple[float, float]:
        """(ȧ, ḃ) of a level."""
        return float(self.rates[index, 0]), float(self.rates[index, 1])

    def grid(self, prediction: Prediction, steps: int) -> Grid:
        """Levels of a trajectory, from pure noise, or next to it where that cannot be stepped."""
        if self.name == "ddpm":
            return NoiseSchedule(_linear_alpha_bar(), 1.0, prediction).grid(steps, "trailing")
        last = N_LEVELS - 1 if prediction == "epsilon" else None
        return Grid(FlowSchedule().grid(steps, "trailing", last).levels, prediction)

    def thinned(self) -> tuple[list[Level], FloatArray]:
        """Some of the levels, 4 % of the time apart, and how many each stands for."""
        ends = np.unique(np.ceil(N_LEVELS ** np.arange(0.0, 1.0 + _APART, _APART)).astype(int))
        ends = np.minimum(ends, N_LEVELS)
        counts = np.diff(ends, prepend=0)
        middles = ends - (counts + 1) // 2
        return [self.levels[middle] for middle in middles], counts.astype(float)


def make_path(name: PathName) -> Path:
    """DDPM's linear schedule, or the straight line a = 1 − t, b = t."""
    if name == "ddpm":
        levels = [Level.of_alpha_bar(t, float(v)) for t, v in enumerate(_linear_alpha_bar())]
    else:
        levels = [FlowSchedule().level_at(t / N_LEVELS) for t in range(1, N_LEVELS + 1)]
    factors = np.array([[level.signal, level.sigma] for level in levels])
    return Path(name, tuple(levels), np.gradient(factors, 1.0 / N_LEVELS, axis=0))


def sample(
    grid: Grid, predict: Predict, start: torch.Tensor, watch: Watch | None = None
) -> torch.Tensor:
    """Follow a network from noise to data; DDIM without noise, which is Euler's method for flows.

    Parameters
    ----------
    grid : Grid
    predict : callable
        The network.
    start : (n, ...)
        Noise. Not modified.
    watch : callable, optional
        Shown the states at each level before the step, and at last the result at the clean level.
    """
    state = start
    for step in reversed(range(grid.steps)):
        level = grid.levels[step + 1]
        if watch is not None:
            watch(state, level)
        moved = grid.denoise(step, state, predict(state, level))
        # NaN compares false, so that a broken run is held at its last finite state.
        is_running = moved.flatten(1).norm(dim=1) < STOPPED_AT
        state = torch.where(is_running.view(-1, *[1] * (moved.ndim - 1)), moved, state)
    if watch is not None:
        watch(state, grid.levels[0])
    return state


def _linear_alpha_bar() -> FloatArray:
    return np.cumprod(1.0 - np.linspace(1e-4, 0.02, N_LEVELS))
