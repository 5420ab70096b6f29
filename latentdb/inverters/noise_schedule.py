"""The discrete noise levels of DDPM and what came from it: DDIM, latent and Stable Diffusion.

========================  =====================================================================
`alphas_cumprod[t]`       ᾱ_t, the share of signal in the variance at timestep t
`Level.signal`            a = √ᾱ
`Level.sigma`             b = √(1−ᾱ), so that x_t = a·x_0 + b·ε
`Level.timestep`          t, the label that the network is told
========================  =====================================================================
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

from latentdb.affine import Level, Prediction
from latentdb.errors import ModelError
from latentdb.inverters.grid import Grid
from latentdb.inverters.schedule import AbstractSchedule, Spacing

_INVERTIBLE_FROM_NOISE = ("v_prediction", "velocity")


@final
@dataclass(frozen=True)
class NoiseSchedule(AbstractSchedule):
    """Levels x_t = √ᾱ_t·x_0 + √(1−ᾱ_t)·ε of timesteps 0 … n_train−1.

    Parameters
    ----------
    alphas_cumprod : (n_train,) float64
        ᾱ_t for t = 0 … n_train−1, falling.
    alpha_bar_clean : float
        ᾱ of the level before the first timestep: 1, or ᾱ_0 where the config says
        `set_alpha_to_one: false`.
    predicts : "epsilon", "sample", "v_prediction" or "velocity"
        What the network was trained to predict.
    steps_offset : int
        Added to every timestep of the `leading` spacing.
    """

    alphas_cumprod: NDArray[np.float64]
    alpha_bar_clean: float
    predicts: Prediction
    steps_offset: int = 0

    @property
    def prediction(self) -> Prediction:
        """What the network was trained to predict."""
        return self.predicts

    def grid(self, steps: int, spacing: Spacing, last_timestep: int | None = None) -> Grid:
        """Levels of a trajectory; see `AbstractSchedule.grid`."""
        timesteps = self._timesteps(steps, spacing, last_timestep)
        levels = [Level.of_alpha_bar(0, self.alpha_bar_clean)]
        levels += [Level.of_alpha_bar(int(t), float(self.alphas_cumprod[t])) for t in timesteps]
        if levels[-1].signal <= 0 and self.predicts not in _INVERTIBLE_FROM_NOISE:
            raise ModelError(
                f"timestep {levels[-1].timestep} has no signal left (ᾱ = 0), where a network that "
                f"predicts {self.predicts} cannot be inverted; set last_timestep lower"
            )
        return Grid(tuple(levels), self.predicts)

    def level_at(self, flow_time: float) -> Level:
        """The level of a flow time b/(a + b); its label is a fraction between two timesteps.

        The label is interpolated in log(b/a); below the first timestep it is 0, as it is for the
        clean code.
        """
        scale = math.hypot(1.0 - flow_time, flow_time)
        signal, sigma = (1.0 - flow_time) / scale, flow_time / scale
        timestep = float(np.interp(_log_ratio(signal, sigma), *self._log_ratios))
        return Level(timestep, signal, sigma)

    @cached_property
    def _log_ratios(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """log(b/a) of every timestep, and the timesteps."""
        signals, sigmas = np.sqrt(self.alphas_cumprod), np.sqrt(1.0 - self.alphas_cumprod)
        ratios = [_log_ratio(a, b) for a, b in zip(signals, sigmas, strict=True)]
        return np.array(ratios), np.arange(len(ratios), dtype=np.float64)

    def _timesteps(self, steps: int, spacing: Spacing, last: int | None) -> NDArray[np.int64]:
        """Timesteps (steps,), rising."""
        n_train = len(self.alphas_cumprod)
        end = n_train if last is None else last + 1
        if not 1 <= steps <= end <= n_train:
            raise ModelError(
                f"{steps} steps to timestep {end - 1} do not fit a schedule of {n_train} "
                f"timesteps; steps is at most last_timestep + 1, which is at most {n_train}"
            )
        if spacing == "trailing":
            timesteps = np.round(np.arange(end, 0, -end / steps))[:steps][::-1] - 1
        elif spacing == "linspace":
            timesteps = np.round(np.linspace(0, end - 1, steps))
        elif last is not None:
            raise ModelError("last_timestep does not go with leading spacing, which sets its own")
        else:
            timesteps = np.arange(steps) * (n_train // steps) + self.steps_offset
        if timesteps[-1] >= n_train:
            raise ModelError(
                f"{steps} steps with an offset of {self.steps_offset} end after the last of "
                f"{n_train} timesteps; take fewer steps"
            )
        return timesteps.astype(np.int64)


def _log_ratio(signal: float, sigma: float) -> float:
    """log(b/a), held within what a float can exponentiate where one of them is 0."""
    return math.log(max(sigma, 1e-150)) - math.log(max(signal, 1e-150))
