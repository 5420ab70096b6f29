"""A trajectory as the solution of an ordinary differential equation, solved both ways alike."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property

from latentdb.affine import Level, factors
from latentdb.inverters.base import AbstractTrajectoryInverter
from latentdb.inverters.coordinates import AbstractCoordinates, coordinates_for
from latentdb.torch_compat import torch


class AbstractOdeInverter(AbstractTrajectoryInverter):
    """Inversion and sampling by one method of solving dy/ds = f(y, s).

    A subclass walks y along levels, up or down; see `latentdb.inverters.coordinates` for y and s.
    """

    @abstractmethod
    def _walk(self, y: torch.Tensor, levels: Sequence[Level]) -> torch.Tensor:
        """States y at the last of at least two levels, from those at the first."""

    def _climb(
        self, states: torch.Tensor, start: int, stop: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        reached = self._travel(states, self._grid.levels[start : stop + 1])
        return reached, torch.full((len(states),), torch.nan)

    def _descend(self, states: torch.Tensor, start: int, stop: int) -> torch.Tensor:
        return self._travel(states, self._grid.levels[stop : start + 1][::-1])

    def _travel(self, states: torch.Tensor, levels: Sequence[Level]) -> torch.Tensor:
        if len(levels) == 1:
            return states
        y = self._walk(states / self._scale(levels[0]), levels)
        return y * self._scale(levels[-1])

    @cached_property
    def _coordinates(self) -> AbstractCoordinates:
        return coordinates_for(self._grid.prediction)

    def _scale(self, level: Level) -> float:
        return self._coordinates.scale(level)

    def _rate(self, y: torch.Tensor, level: Level) -> torch.Tensor:
        """dy/ds at a level, which costs one network call.

        A predicted x_0 of a code without noise says nothing of ε; the first level with noise is
        taken for that one.
        """
        if level.sigma == 0 and self._grid.prediction == "sample":
            level = self._grid.levels[1]
        u = y * self._scale(level)
        output = self._backbone.predict(u, level.timestep)
        state, drift = factors(self._grid.prediction, level, *self._coordinates.rate(level))
        return state * u + drift * output

    def _heun(self, y: torch.Tensor, start: Level, stop: Level) -> torch.Tensor:
        """One step by the mean of the rates at both ends: two calls, second order."""
        span = self._span(start, stop)
        rate = self._rate(y, start)
        return y + span / 2 * (rate + self._rate(y + span * rate, stop))

    def _span(self, start: Level, stop: Level) -> float:
        """Change of s from one level to another."""
        return self._coordinates.time(stop) - self._coordinates.time(start)

    def _middle(self, start: Level, stop: Level) -> Level:
        """The level halfway in s."""
        time = (self._coordinates.time(start) + self._coordinates.time(stop)) / 2
        return self._backbone.schedule.level_at(self._coordinates.flow_time(time))
