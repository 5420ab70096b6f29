"""A diffusion model known in closed form: data of one Gaussian per coordinate.

For x_0 ~ N(mean, deviation²) the best denoiser is linear, and the probability-flow ODE that DDIM
discretises has the solution

    x_t = a_t·mean + (x_0 − a_0·mean)·√(a_t²s² + b_t²) / √(a_0²s² + b_0²).
"""

from __future__ import annotations

import math
from typing import final

import numpy as np

from latentdb.affine import Level, Prediction, target
from latentdb.inverters.backbone import AbstractBackbone
from latentdb.inverters.flow_schedule import FlowSchedule
from latentdb.inverters.noise_schedule import NoiseSchedule
from latentdb.inverters.schedule import AbstractSchedule
from latentdb.model import Pixels, Transform
from latentdb.space import Setting
from latentdb.torch_compat import torch

SIZE = 8


def cosine_schedule(prediction: Prediction, n_train: int = 1000) -> NoiseSchedule:
    """ᾱ_t = cos²(π/2·(t+1)/(n+1)), nearly 0 at the end."""
    angles = np.linspace(0, math.pi / 2, n_train + 2)[1:-1]
    return NoiseSchedule(np.cos(angles) ** 2, 1.0, prediction)


@final
class GaussianBackbone(AbstractBackbone):
    """The closed form; codes are pixels in [0, 1] as (3, 8, 8).

    A model that predicts velocity is of flow matching, others of the cosine schedule.
    """

    def __init__(
        self,
        prediction: Prediction,
        *,
        mean: float = 0.4,
        deviation: float = 0.3,
        n_train: int = 1000,
    ) -> None:
        self._mean, self._deviation, self._n_train = mean, deviation, n_train
        is_flow = prediction == "velocity"
        self._schedule: AbstractSchedule = (
            FlowSchedule(n_train) if is_flow else cosine_schedule(prediction, n_train)
        )
        self.calls = 0

    @property
    def schedule(self) -> AbstractSchedule:
        return self._schedule

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        return (3, SIZE, SIZE)

    @property
    def transform(self) -> Transform:
        return Transform(SIZE)

    @property
    def device(self) -> torch.device:
        return torch.device("cpu")

    def settings(self) -> dict[str, Setting]:
        return {"mean": self._mean, "deviation": self._deviation}

    def encode(self, pixels: Pixels) -> torch.Tensor:
        return torch.tensor(pixels).permute(0, 3, 1, 2).float() / 255

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        return latents.clamp(0, 1)

    def predict(self, x: torch.Tensor, timestep: float) -> torch.Tensor:
        self.calls += len(x)
        level = self._level(timestep)
        a, b = level.signal, level.sigma
        variance = (a * self._deviation) ** 2 + b**2
        x0 = self._mean + a * self._deviation**2 / variance * (x - a * self._mean)
        epsilon = b / variance * (x - a * self._mean)
        c, d = target(self._schedule.prediction, level)
        return c * x0 + d * epsilon

    def exact_noise(self, latents: torch.Tensor) -> torch.Tensor:
        """Solution of the ODE at the last timestep, from the clean code."""
        last = self._schedule.grid(1, "trailing").levels[-1]
        spread = math.sqrt((last.signal * self._deviation) ** 2 + last.sigma**2)
        return last.signal * self._mean + (latents - self._mean) * spread / self._deviation

    def _level(self, timestep: float) -> Level:
        """The level of a label, a fraction between two timesteps too."""
        if self._schedule.prediction == "velocity":
            time = timestep / self._n_train
            return Level(timestep, 1.0 - time, time)
        angle = math.pi / 2 * (timestep + 1) / (self._n_train + 1)
        return Level(timestep, math.cos(angle), math.sin(angle))
