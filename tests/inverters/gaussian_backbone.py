"""A diffusion model known in closed form: data of one Gaussian per coordinate.

For x_0 ~ N(mean, deviation²) the best denoiser is linear, and the probability-flow ODE that DDIM
discretises has the solution

    x_t = a_t·mean + (x_0 − a_0·mean)·√(a_t²s² + b_t²) / √(a_0²s² + b_0²).
"""

from __future__ import annotations

import math
from typing import final

import numpy as np

from latentdb.affine import Level, Prediction
from latentdb.inverters.backbone import AbstractBackbone
from latentdb.inverters.noise_schedule import NoiseSchedule
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
    """The closed form; codes are pixels in [0, 1] as (3, 8, 8)."""

    def __init__(
        self, prediction: Prediction, *, mean: float = 0.4, deviation: float = 0.3
    ) -> None:
        self._schedule = cosine_schedule(prediction)
        self._mean, self._deviation = mean, deviation
        self.calls = 0

    @property
    def schedule(self) -> NoiseSchedule:
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
        level = Level.of_alpha_bar(timestep, float(self._schedule.alphas_cumprod[int(timestep)]))
        a, b = level.signal, level.sigma
        gain = a * self._deviation**2 / (a**2 * self._deviation**2 + b**2)
        x0 = self._mean + gain * (x - a * self._mean)
        epsilon = (x - a * x0) / b
        outputs = {"epsilon": epsilon, "sample": x0, "v_prediction": a * epsilon - b * x0}
        return outputs[self._schedule.prediction]

    def exact_noise(self, latents: torch.Tensor) -> torch.Tensor:
        """Solution of the ODE at the last timestep, from the clean code."""
        last = Level.of_alpha_bar(0, float(self._schedule.alphas_cumprod[-1]))
        spread = math.sqrt((last.signal * self._deviation) ** 2 + last.sigma**2)
        return last.signal * self._mean + (latents - self._mean) * spread / self._deviation
