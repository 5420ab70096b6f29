"""FireFlow inversion: midpoint steps at one network call each, but for one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import final

from latentdb.affine import Level
from latentdb.inverters.ode import AbstractOdeInverter
from latentdb.space import Setting
from latentdb.torch_compat import torch


@final
class FireFlowInverter(AbstractOdeInverter):
    """The midpoint method that finds each midpoint by the rate of the midpoint before.

    That rate is off by O(h), the midpoint by O(h²), and the step by O(h³): second order, for
    steps + 1 calls.

    References
    ----------
    Deng et al., "FireFlow: fast inversion of rectified flow for image semantic editing", 2024,
    arXiv 2412.07517.
    """

    def _own_settings(self) -> dict[str, Setting]:
        return {"inverter": "fireflow"}

    def _walk(self, y: torch.Tensor, levels: Sequence[Level]) -> torch.Tensor:
        rate = self._rate(y, levels[0])
        for start, stop in pairwise(levels):
            span = self._span(start, stop)
            rate = self._rate(y + span / 2 * rate, self._middle(start, stop))
            y = y + span * rate
        return y
