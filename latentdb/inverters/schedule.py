"""What a model's schedule must tell: which levels a trajectory visits, and those between."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

from latentdb.affine import Level, Prediction
from latentdb.inverters.grid import Grid

Spacing = Literal["trailing", "leading", "linspace"]


class AbstractSchedule(ABC):
    """Noise levels that a model was trained on, read from its own scheduler config."""

    @property
    @abstractmethod
    def prediction(self) -> Prediction:
        """What the network was trained to predict."""

    @abstractmethod
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

    @abstractmethod
    def level_at(self, flow_time: float) -> Level:
        """The level of a flow time b/(a + b) in [0, 1], between trained ones where it must be."""
