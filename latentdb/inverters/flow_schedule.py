"""The continuous noise levels of flow matching: Stable Diffusion 3, FLUX and blind velocity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from latentdb.affine import Level, Prediction
from latentdb.errors import ModelError
from latentdb.inverters.grid import Grid
from latentdb.inverters.schedule import AbstractSchedule, Spacing


@final
@dataclass(frozen=True)
class FlowSchedule(AbstractSchedule):
    """Levels u_t = (1−t)·x_0 + t·ε of t in [0, 1]; the network is told n_train·t.

    Parameters
    ----------
    n_train : int
        Label of pure noise.
    shift : float
        Times of a trajectory are s·t/(1 + (s−1)·t) of evenly spaced ones: above 1 more of its
        steps lie near the noise, as large pictures need. A model that shifts by its picture's
        size gives exp(μ).

    References
    ----------
    Lipman et al., "Flow matching for generative modeling", 2022, arXiv 2210.02747.
    Esser et al., "Scaling rectified flow transformers", 2024, arXiv 2403.03206, formula (23).
    """

    n_train: int = 1000
    shift: float = 1.0

    @property
    def prediction(self) -> Prediction:
        """The velocity ε − x_0."""
        return "velocity"

    def grid(self, steps: int, spacing: Spacing, last_timestep: int | None = None) -> Grid:
        """Levels of a trajectory; see `AbstractSchedule.grid`.

        `trailing` visits i/steps before the shift, as FLUX's pipeline does; `linspace` begins at
        1/n_train, shifted, as Stable Diffusion 3's does.
        """
        last = self.n_train if last_timestep is None else last_timestep
        if steps < 1 or not 1 <= last <= self.n_train:
            raise ModelError(
                f"expected at least 1 step and a last_timestep of 1 to {self.n_train}, got "
                f"{steps} steps to {last}"
            )
        if spacing == "leading":
            raise ModelError(
                "leading spacing is of models with discrete timesteps; a flow model takes "
                "trailing or linspace"
            )
        end = self._unshifted(last / self.n_train)
        # The pipeline of Stable Diffusion 3 begins at a time that is shifted, and shifts it again.
        least = min(end, self._shifted(1 / self.n_train))
        first = end / steps if spacing == "trailing" else least
        even = np.linspace(first, end, steps)
        times = [*(self._shifted(float(t)) for t in even[:-1]), last / self.n_train]
        return Grid((self.level_at(0.0), *map(self.level_at, times)), "velocity")

    def level_at(self, flow_time: float) -> Level:
        """The level of time t."""
        return Level(self.n_train * flow_time, 1.0 - flow_time, flow_time)

    def _shifted(self, t: float) -> float:
        return self.shift * t / (1.0 + (self.shift - 1.0) * t)

    def _unshifted(self, t: float) -> float:
        return t / (self.shift - (self.shift - 1.0) * t)
