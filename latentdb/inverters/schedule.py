"""Noise levels and steps of deterministic DDIM, in both directions, by our own formulas.

Names of the code and symbols of Song et al., "Denoising diffusion implicit models" (2010.02502),
in the notation of Salimans and Ho (2202.00512) for v:

========================  =====================================================================
`alphas_cumprod[t]`       ᾱ_t, the share of signal in the variance at timestep t
`Level.signal`            a = √ᾱ
`Level.sigma`             b = √(1−ᾱ), so that x_t = a·x_0 + b·ε
`Level.timestep`          t, the label that the network is told
`epsilon`, `sample`, `v`  ε, x_0 and v = a·ε − b·x_0
========================  =====================================================================

A `Grid` is the levels from the clean code to the noise. Step i leads from level i (cleaner) to
level i+1 (noisier). Sampling evaluates the network at the noisier end, so the step that inverts
it does, too: that is the convention `noisier` (diffusers, NAO). The convention `cleaner`, which
UNE's released code follows, tells the network the label of the cleaner end. Codes of the two
must not be mixed, and the settings of a space keep them apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from numpy.typing import NDArray

from latentdb.errors import ModelError
from latentdb.torch_compat import torch

Spacing = Literal["trailing", "leading", "linspace"]
Prediction = Literal["epsilon", "v_prediction", "sample"]
Convention = Literal["noisier", "cleaner"]


@final
@dataclass(frozen=True)
class Level:
    """One noise level: x = signal·x_0 + sigma·ε.

    Parameters
    ----------
    timestep : int
        The label that the network is told at this level.
    alpha_bar : float
        ᾱ, in [0, 1].
    """

    timestep: int
    alpha_bar: float

    @property
    def signal(self) -> float:
        """Share a = √ᾱ of the clean code."""
        return math.sqrt(self.alpha_bar)

    @property
    def sigma(self) -> float:
        """Share b = √(1−ᾱ) of the noise."""
        return math.sqrt(1.0 - self.alpha_bar)


@final
@dataclass(frozen=True)
class NoiseSchedule:
    """What a model was trained with, read from its own scheduler config.

    Parameters
    ----------
    alphas_cumprod : (n_train,) float64
        ᾱ_t for t = 0 … n_train−1, falling.
    alpha_bar_clean : float
        ᾱ of the level before the first timestep: 1, or ᾱ_0 where the config says
        `set_alpha_to_one: false`.
    prediction : "epsilon", "v_prediction" or "sample"
        What the network was trained to predict.
    steps_offset : int
        Added to every timestep of the `leading` spacing.
    """

    alphas_cumprod: NDArray[np.float64]
    alpha_bar_clean: float
    prediction: Prediction
    steps_offset: int = 0

    def grid(self, steps: int, spacing: Spacing, last_timestep: int | None = None) -> Grid:
        """Levels of a trajectory of `steps` steps.

        Parameters
        ----------
        steps : int
            Number of steps, which is the number of network calls of one pass.
        spacing : "trailing", "leading" or "linspace"
            Table 2 of Lin et al., "Common diffusion noise schedules and sample steps are
            flawed" (2305.08891). `leading` stops short of the last timestep and leaves signal in
            the noise; it is there to match codes made elsewhere.
        last_timestep : int or None
            Timestep at which a `trailing` or `linspace` trajectory ends; None for the last one.

        Raises
        ------
        ModelError
            The figures do not go together, or the network cannot be inverted at the last level.
        """
        timesteps = self._timesteps(steps, spacing, last_timestep)
        levels = [Level(0, self.alpha_bar_clean)]
        levels += [Level(int(t), float(self.alphas_cumprod[t])) for t in timesteps]
        if levels[-1].alpha_bar <= 0 and self.prediction != "v_prediction":
            raise ModelError(
                f"timestep {levels[-1].timestep} has no signal left (ᾱ = 0), where a network that "
                f"predicts {self.prediction} cannot be inverted; set last_timestep lower"
            )
        return Grid(tuple(levels), self.prediction)

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


@final
@dataclass(frozen=True)
class Grid:
    """Levels of one trajectory, cleanest first, and the formulas that step between them.

    Parameters
    ----------
    levels : tuple of Level
        `steps + 1` levels: the clean code, then rising noise.
    prediction : "epsilon", "v_prediction" or "sample"
        What the network's output means.
    """

    levels: tuple[Level, ...]
    prediction: Prediction

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.levels) - 1

    def denoise(self, step: int, noisier: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        """x_i from x_{i+1} and the network's output there: formula (12) of DDIM with η = 0."""
        low, high = self.levels[step], self.levels[step + 1]
        x0, epsilon = split(self.prediction, high, noisier, output)
        return low.signal * x0 + low.sigma * epsilon

    def renoise(
        self, step: int, cleaner: torch.Tensor, guess: torch.Tensor, output: torch.Tensor
    ) -> torch.Tensor:
        """x_{i+1} that `denoise` leads to x_i, given the network's output at a guess of it.

        `denoise` solved for x_{i+1} with the output held fixed; its fixed point inverts the step.
        For ε it is x_{i+1} = (a'/a)(x_i − b·ε) + b'·ε. For v, where denoising is the rotation
        x_i = (a·a' + b·b')x_{i+1} − (b'a − a'b)v, it is x_{i+1} = (x_i + (b'a − a'b)v) /
        (a·a' + b·b'), which stands at ᾱ = 0, too. A predicted x_0 counts as the ε it implies at
        the guess.
        """
        low, high = self.levels[step], self.levels[step + 1]
        if self.prediction == "v_prediction":
            sine = high.sigma * low.signal - high.signal * low.sigma
            cosine = high.signal * low.signal + high.sigma * low.sigma
            return (cleaner + sine * output) / cosine
        _, epsilon = split(self.prediction, high, guess, output)
        return (high.signal / low.signal) * (cleaner - low.sigma * epsilon) + high.sigma * epsilon

    def advance(self, step: int, cleaner: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        """x_{i+1} from x_i and the network's output at x_i: the explicit step.

        x_0 and ε are those that `output` stands for at x_i; at a level without noise a predicted
        x_0 says nothing of ε, and the noisier level is taken for it.
        """
        low, high = self.levels[step], self.levels[step + 1]
        blind = self.prediction == "sample" and low.sigma == 0
        x0, epsilon = split(self.prediction, high if blind else low, cleaner, output)
        return high.signal * x0 + high.sigma * epsilon


def split(
    prediction: Prediction, level: Level, x: torch.Tensor, output: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """x_0 and ε that a network's `output` at `x` of `level` stands for."""
    if prediction == "epsilon":
        return (x - level.sigma * output) / level.signal, output
    if prediction == "v_prediction":
        return level.signal * x - level.sigma * output, level.signal * output + level.sigma * x
    return output, (x - level.signal * output) / level.sigma
