"""Midpoint inversion: a second-order step through the level halfway, two network calls each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import final

from latentdb.affine import Level
from latentdb.inverters.ode import AbstractOdeInverter
from latentdb.space import Setting
from latentdb.torch_compat import torch


@final
class MidpointInverter(AbstractOdeInverter):
    """Half a step to find the rate at its end, a whole step with that rate; 2·steps calls.

    RF-Solver's step is this one for rectified flows: it takes the derivative of the velocity from
    a second call halfway.

    References
    ----------
    Wang et al., "Taming rectified flow for inversion and editing", 2024, arXiv 2411.04746.
    """

    def _own_settings(self) -> dict[str, Setting]:
        return {"inverter": "midpoint"}

    def _walk(self, y: torch.Tensor, levels: Sequence[Level]) -> torch.Tensor:
        for start, stop in pairwise(levels):
            span = self._span(start, stop)
            halfway = y + span / 2 * self._rate(y, start)
            y = y + span * self._rate(halfway, self._middle(start, stop))
        return y
