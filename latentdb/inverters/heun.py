"""Heun inversion: a second-order step through both of its ends, two network calls each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import final

from latentdb.affine import Level
from latentdb.inverters.ode import AbstractOdeInverter
from latentdb.space import Setting
from latentdb.torch_compat import torch


@final
class HeunInverter(AbstractOdeInverter):
    """An explicit step, repeated with the mean of the rates at its two ends; 2·steps calls.

    Of all the methods that need no level between those of the grid, the simplest of second order.

    References
    ----------
    Karras et al., "Elucidating the design space of diffusion-based generative models", 2022,
    arXiv 2206.00364, algorithm 1.
    """

    def _own_settings(self) -> dict[str, Setting]:
        return {"inverter": "heun"}

    def _walk(self, y: torch.Tensor, levels: Sequence[Level]) -> torch.Tensor:
        for start, stop in pairwise(levels):
            y = self._heun(y, start, stop)
        return y
