"""Fixed-point DDIM inversion: each step solved until sampling would undo it."""

from __future__ import annotations

from typing import final

from latentdb.inverters.base import AbstractTrajectoryInverter
from latentdb.space import Setting
from latentdb.torch_compat import torch

_TINY = 1e-20  # keeps a difference of exactly zero from dividing by zero


@final
class FixedPointInverter(AbstractTrajectoryInverter):
    """Solves x_i = denoise(x_{i+1}) for x_{i+1} by iteration, so the round trip is exact.

    The first guess of a step is the explicit step with the output that the step before ended
    on, which costs no network call. From the second call on, the iteration is accelerated by
    Anderson's method with a memory of one, row by row: near the noisy end the plain iteration
    of some pictures does not contract, and sampling would amplify what it leaves; `anderson=false`
    leaves it plain, as published. A row stops
    when its relative change falls to the tolerance, whatever the other rows of its batch do, or
    after `iterations` network calls.

    The first step is iterated plainly, `first_iterations` times. There the exact solution blows
    up what the autoencoder adds to a code and the network takes for noise: it puts the noise far
    off the shell, and buys nothing, since no later step of sampling amplifies this one's error.

    References
    ----------
    Pan et al., "Effective real image editing with accelerated iterative diffusion inversion",
    ICCV 2023, arXiv 2309.04907.
    Anderson, "Iterative procedures for nonlinear integral equations", J. ACM 12, 1965.
    """

    def _own_settings(self) -> dict[str, Setting]:
        settings: dict[str, Setting] = {
            "inverter": "fixed_point",
            "convention": self._options.convention,
            "iterations": self._options.iterations,
            "first_iterations": self._options.first_iterations,
            "tolerance": self._options.tolerance,
        }
        # Absent where it is on: so are the fingerprints of stored databases written.
        return settings if self._options.anderson else {**settings, "anderson": False}

    def _climb(
        self, states: torch.Tensor, start: int, stop: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        worst = torch.zeros(len(states), device=states.device)
        x, guess = states, states
        for step in range(start, stop):
            reached, output, residual = self._solve(step, x, guess)
            if step > 0:
                worst = torch.maximum(worst, residual)
            x = reached
            if step + 1 < stop:
                guess = self._grid.advance(step + 1, x, output)
        return x, worst

    def _solve(
        self, step: int, x: torch.Tensor, guess: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """x_{i+1}, the network's last output on the way, and the last relative change (n,)."""
        timestep = self._grid.levels[step + 1].timestep
        is_first = step == 0
        is_plain = is_first or not self._options.anderson
        most = self._options.first_iterations if is_first else self._options.iterations
        reached, outputs = guess.clone(), torch.empty_like(guess)
        solved, change = torch.empty_like(guess), torch.empty_like(guess)
        residual = torch.full((len(x),), torch.inf, device=x.device)
        for call in range(most):
            rows = torch.nonzero(residual > self._options.tolerance).flatten()
            if len(rows) == 0:
                break
            current = reached[rows]
            outputs[rows] = self._backbone.predict(current, timestep)
            image = self._grid.renoise(step, x[rows], current, outputs[rows])
            moved = image - current
            if call == 0 or is_plain:
                reached[rows] = image
            else:
                reached[rows] = _accelerate(image, moved, solved[rows], change[rows])
            solved[rows], change[rows] = image, moved
            residual[rows] = _norms(moved) / _norms(image)
        return reached, outputs, residual


def _accelerate(
    image: torch.Tensor, moved: torch.Tensor, image_before: torch.Tensor, moved_before: torch.Tensor
) -> torch.Tensor:
    """The point where, on the line through the last two, the change would be least.

    With f_k = f(x_k) and r_k = f_k − x_k, x_{k+1} = f_k − θ·(f_k − f_{k−1}) where θ minimises
    ‖r_k − θ·(r_k − r_{k−1})‖, for each row.
    """
    difference = moved - moved_before
    along = (moved * difference).flatten(1).sum(dim=1)
    theta = along / difference.flatten(1).square().sum(dim=1).clamp_min(_TINY)
    return image - theta.view(-1, 1, 1, 1) * (image - image_before)


def _norms(x: torch.Tensor) -> torch.Tensor:
    norms: torch.Tensor = x.flatten(1).norm(dim=1)
    return norms
