"""DEIS inversion: rates of past levels carried on by a polynomial, one network call a step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np

from latentdb.affine import Level
from latentdb.inverters.ode import AbstractOdeInverter
from latentdb.space import Setting
from latentdb.torch_compat import torch


@final
class DeisInverter(AbstractOdeInverter):
    """Adams–Bashforth over uneven steps: the polynomial through the last rates is integrated.

    The first step has no past and is Heun's, so that it is as good as what follows: steps + 1
    calls. The published method integrates ε over σ/α, which has no end where no signal is left;
    here the rate of `latentdb.inverters.coordinates` is integrated.

    References
    ----------
    Zhang and Chen, "Fast sampling of diffusion models with exponential integrator", 2022,
    arXiv 2204.13902.
    """

    def _own_settings(self) -> dict[str, Setting]:
        return {"inverter": "deis", "order": self._options.order}

    def _walk(self, y: torch.Tensor, levels: Sequence[Level]) -> torch.Tensor:
        times = [self._coordinates.time(level) for level in levels]
        rates: list[torch.Tensor] = []
        for step, stop in enumerate(levels[1:]):
            rates = [*rates[1 - self._options.order :], self._rate(y, levels[step])]
            if step == 0:
                corrected = self._rate(y + (times[1] - times[0]) * rates[0], stop)
                y = y + (times[1] - times[0]) / 2 * (rates[0] + corrected)
                continue
            past = times[step + 1 - len(rates) : step + 1]
            for weight, rate in zip(_weights(past, times[step + 1]), rates, strict=True):
                y = y + weight * rate
        return y


def _weights(past: Sequence[float], stop: float) -> list[float]:
    """Weights of the rates at `past` in the integral from the last of them to `stop`.

    They are exact for every polynomial of a degree below the number of rates.
    """
    powers = np.arange(len(past))
    offsets = np.array(past) - past[-1]
    integrals = (stop - past[-1]) ** (powers + 1) / (powers + 1)
    solved: list[float] = np.linalg.solve(np.vander(offsets, increasing=True).T, integrals).tolist()
    return solved
