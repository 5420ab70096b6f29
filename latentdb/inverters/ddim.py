"""Plain DDIM inversion: one network call a step, inexact."""

from __future__ import annotations

from typing import final

from latentdb.inverters.base import AbstractTrajectoryInverter
from latentdb.space import Setting
from latentdb.torch_compat import torch


@final
class DdimInverter(AbstractTrajectoryInverter):
    """The sampler's steps run backwards, with the network evaluated at the point one leaves.

    Cheap, and first order: the round trip loses what the network's output changes over a step.
    With `convention="noisier"` the network is told the timestep of the level one goes to, as
    diffusers' `DDIMInverseScheduler` does; with `"cleaner"` that of the level one comes from.

    References
    ----------
    Song, Meng and Ermon, "Denoising diffusion implicit models", 2020, arXiv 2010.02502.
    """

    def _own_settings(self) -> dict[str, Setting]:
        return {"inverter": "ddim", "convention": self._options.convention}

    def _climb(
        self, states: torch.Tensor, start: int, stop: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        x = states
        told = 1 if self._options.convention == "noisier" else 0
        for step in range(start, stop):
            output = self._backbone.predict(x, self._grid.levels[step + told].timestep)
            x = self._grid.advance(step, x, output)
        return x, torch.full((len(x),), torch.nan)
