"""The levels of one trajectory, and the steps between them.

Step i leads from level i (cleaner) to level i+1 (noisier). Sampling evaluates the network at the
noisier end, so the step that inverts it does, too: that is the convention `noisier` (diffusers,
NAO). The convention `cleaner`, which UNE's released code follows, tells the network the label of
the cleaner end. Codes of the two must not be mixed, and the settings of a space keep them apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from latentdb.affine import Level, Prediction, factors, step_factors
from latentdb.torch_compat import torch

Convention = Literal["noisier", "cleaner"]


@final
@dataclass(frozen=True)
class Grid:
    """Levels of one trajectory, cleanest first, and the formulas that step between them.

    Parameters
    ----------
    levels : tuple of Level
        `steps + 1` levels: the clean code, then rising noise.
    prediction : "epsilon", "sample", "v_prediction" or "velocity"
        What the network's output means.
    """

    levels: tuple[Level, ...]
    prediction: Prediction

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.levels) - 1

    def denoise(self, step: int, noisier: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        """u_i from u_{i+1} and the network's output there: DDIM with η = 0."""
        factors = step_factors(self.prediction, self.levels[step + 1], self.levels[step])
        return factors[0] * noisier + factors[1] * output

    def renoise(
        self, step: int, cleaner: torch.Tensor, guess: torch.Tensor, output: torch.Tensor
    ) -> torch.Tensor:
        """u_{i+1} that `denoise` leads to u_i, given the network's output at a guess of it.

        `denoise`, u_i = A·u_{i+1} + B·r, solved for u_{i+1} with the output held fixed; its fixed
        point inverts the step. A predicted x_0 counts as the ε it implies at the guess, since a
        step to a clean code then has A = 0.
        """
        low, high = self.levels[step], self.levels[step + 1]
        if self.prediction == "sample":
            _, epsilon = split("sample", high, guess, output)
            return self._along(low, high, cleaner, epsilon)
        state, drift = step_factors(self.prediction, high, low)
        return (cleaner - drift * output) / state

    def advance(self, step: int, cleaner: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
        """u_{i+1} from u_i and the network's output at u_i: the explicit step.

        x_0 and ε are those that `output` stands for at u_i; at a level without noise a predicted
        x_0 says nothing of ε, and the noisier level is taken for it.
        """
        low, high = self.levels[step], self.levels[step + 1]
        if self.prediction == "sample" and low.sigma == 0:
            x0, epsilon = split("sample", high, cleaner, output)
            return high.signal * x0 + high.sigma * epsilon
        state, drift = step_factors(self.prediction, low, high)
        return state * cleaner + drift * output

    @staticmethod
    def _along(
        low: Level, high: Level, cleaner: torch.Tensor, epsilon: torch.Tensor
    ) -> torch.Tensor:
        """u_high of the same ε as `cleaner` at `low`."""
        scale = high.signal / low.signal
        return scale * cleaner + (high.sigma - scale * low.sigma) * epsilon


def split(
    prediction: Prediction, level: Level, x: torch.Tensor, output: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """x_0 and ε that a network's `output` at `x` of `level` stands for."""
    of_code = factors(prediction, level, 1.0, 0.0)
    of_noise = factors(prediction, level, 0.0, 1.0)
    return of_code[0] * x + of_code[1] * output, of_noise[0] * x + of_noise[1] * output
