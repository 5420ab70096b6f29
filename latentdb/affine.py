"""The affine family of diffusion models: noise levels, what a network predicts, and steps.

Every model here was trained on states u = a·x_0 + b·ε of a level (a, b) to predict r = c·x_0 + d·ε:

===============  ==========  ===============================================================
`epsilon`        (0, 1)      DDPM, Stable Diffusion 1.x
`sample`         (1, 0)      EDM's denoiser
`v_prediction`   (−b, a)     Salimans and Ho (2202.00512), Stable Diffusion 2.x
`velocity`       (−1, 1)     flow matching, with a = 1 − t and b = t: Stable Diffusion 3, FLUX
===============  ==========  ===============================================================

So x_0 and ε are linear in u and r, and a deterministic step to another level, which holds both
fixed, is u' = A·u + B·r. That one formula is DDIM (2010.02502, formula 12 with η = 0) for the
first three rows and Euler's method for the last. Notation of "The Geometry of Noise"
(2602.18428), section 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, final

Prediction = Literal["epsilon", "sample", "v_prediction", "velocity"]


@final
@dataclass(frozen=True)
class Level:
    """One noise level: u = signal·x_0 + sigma·ε.

    Parameters
    ----------
    timestep : float
        The label that the network is told at this level.
    signal : float
        Share a of the clean code, at least 0.
    sigma : float
        Share b of the noise, at least 0; not both are 0.
    """

    timestep: float
    signal: float
    sigma: float

    @classmethod
    def of_alpha_bar(cls, timestep: float, alpha_bar: float) -> Level:
        """Level of a variance-preserving model: a = √ᾱ, b = √(1−ᾱ)."""
        return cls(timestep, math.sqrt(alpha_bar), math.sqrt(1.0 - alpha_bar))

    @property
    def alpha_bar(self) -> float:
        """Share of the signal in the variance, a²/(a² + b²); ᾱ of a variance-preserving model."""
        return self.signal**2 / (self.signal**2 + self.sigma**2)

    @property
    def flow_time(self) -> float:
        """b/(a + b), in [0, 1]: 0 is the clean code, 1 is noise.

        In y = u/(a + b) every schedule is that of flow matching, y = (1−τ)·x_0 + τ·ε.
        """
        return self.sigma / (self.signal + self.sigma)


def target(prediction: Prediction, level: Level) -> tuple[float, float]:
    """Shares (c, d) of x_0 and ε in what the network predicts at a level."""
    if prediction == "epsilon":
        return 0.0, 1.0
    if prediction == "sample":
        return 1.0, 0.0
    if prediction == "v_prediction":
        return -level.sigma, level.signal
    return -1.0, 1.0


def factors(
    prediction: Prediction, level: Level, of_code: float, of_noise: float
) -> tuple[float, float]:
    """Factors (A, B) of of_code·x_0 + of_noise·ε = A·u + B·r, with r the output at `level`.

    Raises
    ------
    ZeroDivisionError
        At `level`, the output says nothing that the state does not: a predicted x_0 of a clean
        code, or a predicted ε of pure noise.
    """
    c, d = target(prediction, level)
    a, b = level.signal, level.sigma
    determinant = a * d - b * c
    return (
        (of_code * d - of_noise * c) / determinant,
        (of_noise * a - of_code * b) / determinant,
    )


def step_factors(prediction: Prediction, start: Level, stop: Level) -> tuple[float, float]:
    """Factors (A, B) of the step u_stop = A·u_start + B·r, with r the output at `start`.

    Raises
    ------
    ZeroDivisionError
        See `factors`.
    """
    return factors(prediction, start, stop.signal, stop.sigma)
