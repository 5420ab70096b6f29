"""Where the far field holds: f = κ·θ + R(r0) + R(r1) to float64.

Ends on two sides of the shell have one geodesic between them, and e^(−λθ) decides. Ends on one
side, far off the shell, may be joined by a shorter path that stays out there, up to an angle that
grows with both offsets and tends to π/3 far out (there w ~ r², a cone of 3θ). That *escape angle*
is tabulated for pairs of equal offsets; the larger offset of a pair bounds it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import final

import numpy as np

from indexers.metric.clairaut import FAR_EFOLDINGS, equal_end_dips
from indexers.metric.priors import AbstractRadialPrior
from indexers.metric.shell import Shell, shell_of
from indexers.types import BoolArray, FloatArray

# A path is shorter than the far field says when it is so by more than this share.
_SHARE = 1e-8
# The table is over discrete turning points and offsets; its answers are widened by this.
_MARGIN = 1.03
_FARTHEST = 1e6


@final
class FarField:
    """The far field of a shell, and where it holds."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self._tables = {side: self._escape_table(side) for side in (-1.0, 1.0)}

    def holds(
        self,
        radii: tuple[FloatArray, FloatArray],
        reaches: tuple[FloatArray, FloatArray],
        angle: FloatArray,
    ) -> BoolArray:
        """Where the shortest path runs along the shell, all (n,); `reaches` are the radii's."""
        past_reach = angle - reaches[0] - reaches[1]
        is_deep: BoolArray = self.shell.decay * past_reach >= FAR_EFOLDINGS
        x0, x1 = self.shell.offset(radii[0]), self.shell.offset(radii[1])
        farther = np.maximum(np.abs(x0), np.abs(x1))
        escape = np.where(x0 > 0, self._escape(1.0, farther), self._escape(-1.0, farther))
        return is_deep & ((x0 * x1 <= 0) | (angle >= escape))

    def begins(self, r0: float, r1: float) -> float:
        """Angle from which it holds for ends on one side of the shell, up to π and beyond."""
        radii = np.array([r0, r1])
        reach = float(self.shell.reach(radii).sum())
        offsets = self.shell.offset(radii)
        farther = np.abs(offsets).max(keepdims=True)
        escape = float(self._escape(float(np.sign(offsets.sum())) or 1.0, farther)[0])
        return max(reach + FAR_EFOLDINGS / self.shell.decay, escape)

    def _escape(self, side: float, offset: FloatArray) -> FloatArray:
        offsets, angles = self._tables[side]
        above = np.searchsorted(offsets, offset)
        value: FloatArray = np.append(angles, max(angles[-1], _MARGIN * np.pi / 3))[above]
        return value

    def _escape_table(self, side: float) -> tuple[FloatArray, FloatArray]:
        """Offsets, and for ends at them the angle up to which a shorter path exists."""
        shell = self.shell
        last = _FARTHEST * shell.prior.width
        if side < 0:
            last = min(last, shell.radius - shell.safe_radius)
        if last <= 0:
            # Nothing on this side is beyond the core.
            return np.array([1.0]), np.array([np.inf])
        offsets = np.geomspace(min(shell.prior.width, last / 2), last, 32)
        angle, length = equal_end_dips(shell, side, offsets)
        radial = shell.radial(shell.radius + side * offsets)[:, None]
        far = shell.kappa * angle + 2.0 * radial
        is_shorter = far - length > _SHARE * far
        escape = np.where(is_shorter, angle, 0.0).max(axis=1)
        return offsets, _MARGIN * np.maximum.accumulate(escape)


@lru_cache(maxsize=64)
def far_field_of(prior: AbstractRadialPrior) -> FarField:
    """The far field of `prior`, computed once.

    Raises
    ------
    MetricError
        The prior has no shell.
    """
    return FarField(shell_of(prior))
