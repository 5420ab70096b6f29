"""Fixed-point DDIM inversion: each step iterated until sampling would undo it."""

from __future__ import annotations

from typing import final

from latentdb.inverters.base import AbstractTrajectoryInverter
from latentdb.space import Setting
from latentdb.torch_compat import torch


@final
class FixedPointInverter(AbstractTrajectoryInverter):
    """Solves x_i = denoise(x_{i+1}) for x_{i+1} by iteration, so the round trip is exact.

    The first guess of a step is the explicit step with the output that the step before ended
    on, which costs no network call. A row stops when its relative change falls to the tolerance,
    whatever the other rows of its batch do, or after `iterations` network calls.

    References
    ----------
    Pan et al., "Effective real image editing with accelerated iterative diffusion inversion",
    ICCV 2023, arXiv 2309.04907.
    """

    def _own_settings(self) -> dict[str, Setting]:
        return {
            "inverter": "fixed_point",
            "convention": self._options.convention,
            "iterations": self._options.iterations,
            "tolerance": self._options.tolerance,
        }

    def _invert(self, latents: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        worst = torch.zeros(len(latents), device=latents.device)
        x, guess = latents, latents
        for step in range(self._grid.steps):
            reached, output, residual = self._solve(step, x, guess)
            worst = torch.maximum(worst, residual)
            x = reached
            if step + 1 < self._grid.steps:
                guess = self._grid.advance(step + 1, x, output)
        return x, worst

    def _solve(
        self, step: int, x: torch.Tensor, guess: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """x_{i+1}, the network's last output on the way, and the last relative change (n,)."""
        timestep = self._grid.levels[step + 1].timestep
        reached, outputs = guess.clone(), torch.empty_like(guess)
        residual = torch.full((len(x),), torch.inf, device=x.device)
        for _ in range(self._options.iterations):
            rows = torch.nonzero(residual > self._options.tolerance).flatten()
            if len(rows) == 0:
                break
            current = reached[rows]
            output = self._backbone.predict(current, timestep)
            solved = self._grid.renoise(step, x[rows], current, output)
            change = (solved - current).flatten(1).norm(dim=1) / solved.flatten(1).norm(dim=1)
            reached[rows], outputs[rows], residual[rows] = solved, output, change
        return reached, outputs, residual
