"""O-BELM inversion: a step that can be undone exactly, because two states are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from latentdb.affine import Level
from latentdb.inverters.ode import AbstractOdeInverter
from latentdb.space import Setting
from latentdb.torch_compat import torch


@final
class BelmInverter(AbstractOdeInverter):
    """Leapfrog: the next state from the last two and the rate between, and back the same way.

    ================  ==============================================================
    code              symbol
    ================  ==============================================================
    `before`, `here`  y_{i−1}, y_i
    `h`, `r`          h_i, and h_{i+1}/h_i of the step to come
    ================  ==============================================================

        y_{i+1} = r²·y_{i−1} + (1 − r²)·y_i + h_i·r·(1 + r)·f(y_i)

    is exact for every quadratic y(s), and so is its own solution for y_{i−1}. With y = x/α and
    s = σ/α this is the paper's O-BELM, whose last step has no end where α = 0; in the coordinates
    of `latentdb.inverters.coordinates` it is exact for the quadratics of another variable.

    With `pair` a state is two codes, x_i and x_{i−1}, one after the other along the channels, and
    the round trip is exact but for rounding. At the clean end, where none lies below, the second
    is x_1, by a step of Heun. Without `pair` a state is x_i alone, and every way begins with such
    a step: half the numbers, no exactness.

    References
    ----------
    Wang et al., "BELM: bidirectional explicit linear multi-step sampler for exact inversion in
    diffusion models", NeurIPS 2024, arXiv 2410.07273.
    """

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of a state: twice the channels of a code for a pair."""
        channels, height, width = self._backbone.latent_shape
        return channels * (2 if self._options.pair else 1), height, width

    def _own_settings(self) -> dict[str, Setting]:
        return {"inverter": "belm", "pair": self._options.pair}

    def _enter(self, codes: torch.Tensor, level: int) -> torch.Tensor:
        if not self._options.pair:
            return codes
        here, other = self._grid.levels[level], self._grid.levels[level - 1 if level else 1]
        stepped = self._heun(codes / self._scale(here), here, other) * self._scale(other)
        return torch.cat([codes, stepped], dim=1)

    def _leave(self, states: torch.Tensor) -> torch.Tensor:
        return states[:, : self._backbone.latent_shape[0]]

    def _climb(
        self, states: torch.Tensor, start: int, stop: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if not self._options.pair:
            return super()._climb(states, start, stop)
        return self._move(states, start, stop), torch.full((len(states),), torch.nan)

    def _descend(self, states: torch.Tensor, start: int, stop: int) -> torch.Tensor:
        if not self._options.pair:
            return super()._descend(states, start, stop)
        return self._move(states, start, stop)

    def _move(self, pairs: torch.Tensor, start: int, stop: int) -> torch.Tensor:
        """Pairs at level `stop`, up or down."""
        low, high = _turned(pairs, start).chunk(2, dim=1)
        lowest = max(min(start, stop) - 1, 0)
        levels = self._grid.levels[lowest : max(start, stop, 1) + 1]
        is_up = start < stop
        way = levels if is_up else levels[::-1]
        first, second = (low, high) if is_up else (high, low)
        ends = self._leap(first / self._scale(way[0]), second / self._scale(way[1]), way)
        reached = [y * self._scale(level) for y, level in zip(ends, way[-2:], strict=True)]
        return _turned(torch.cat(reached if is_up else reached[::-1], dim=1), stop)

    def _walk(self, y: torch.Tensor, levels: Sequence[Level]) -> torch.Tensor:
        _, reached = self._leap(y, self._heun(y, levels[0], levels[1]), levels)
        return reached

    def _leap(
        self, before: torch.Tensor, here: torch.Tensor, levels: Sequence[Level]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """States y at the last two levels of a way, from those at the first two."""
        for last, now, to in zip(levels, levels[1:], levels[2:], strict=False):
            h = self._span(last, now)
            r = self._span(now, to) / h
            rate = self._rate(here, now)
            before, here = here, r**2 * before + (1 - r**2) * here + h * r * (1 + r) * rate
        return before, here


def _turned(pairs: torch.Tensor, level: int) -> torch.Tensor:
    """Pairs at a level from their own code first to the cleaner one first, or back."""
    return pairs if level == 0 else torch.cat(pairs.chunk(2, dim=1)[::-1], dim=1)
