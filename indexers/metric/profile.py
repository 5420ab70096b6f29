"""Geodesics near their critical radius, in variables that make the integrals along them smooth.

    dθ = b / (r·√(h² − b²)) dr,   dW = √(h² − b²) / r dr,   df = b·dθ + dW = h² / (r·√(h² − b²)) dr

Integrands have a root at a turning point and a near pole at the shell. With x = ε·sinh s where
b < κ (ε² = 2(κ − b)/h''), x = δ·cosh s where b > κ (δ the turning point's offset from its
anchor, the shell or the origin), they are smooth in s over its whole range, and one Gauss rule
serves all. h − b is computed without cancellation throughout.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from indexers.metric.priors import AbstractRadialPrior
from indexers.metric.shell import Shell
from indexers.types import FloatArray

_TINY = np.finfo(float).tiny


class Profile(NamedTuple):
    """A geodesic at some points of its variable s; arrays of one broadcast shape.

    Attributes
    ----------
    r : radius
    rise : h(r) − b
    invariant : b
    speed : |dr/ds|
    """

    r: FloatArray
    rise: FloatArray
    invariant: FloatArray
    speed: FloatArray

    def rates(self) -> tuple[FloatArray, FloatArray]:
        """|dθ/ds| and |dW/ds|."""
        square = self.rise * (self.rise + 2.0 * self.invariant)  # h² − b²
        common = self.speed / (self.r * np.sqrt(square))
        return self.invariant * common, square * common


def shell_turn_profile(shell: Shell, turn: FloatArray, s: FloatArray) -> Profile:
    """The form x = turn·cosh s, b = h(r* + turn) > κ.

    Parameters
    ----------
    turn : (n, 1)
        Offset of the turning point from the shell, with its sign.
    s : (n, nodes)
    """
    step = turn * 2.0 * np.sinh(s / 2) ** 2
    b = shell.kappa + shell.rise(turn)
    rise = np.maximum(shell.rise_from(turn, step), _TINY)
    return Profile(shell.radius + turn + step, rise, b, np.abs(turn) * np.sinh(s))


def pass_scale(shell: Shell, gap: FloatArray) -> FloatArray:
    """ε of `pass_profile`."""
    scale: FloatArray = np.sqrt(2.0 * gap / shell.curvature)
    return scale


def pass_profile(shell: Shell, side: FloatArray, gap: FloatArray, s: FloatArray) -> Profile:
    """The form x = side·ε·sinh s, b = κ − gap.

    Parameters
    ----------
    side : (n, 1)
        1 outside the shell, −1 inside it.
    gap : (n, 1)
        Positive.
    s : (n, nodes)
    """
    scale = pass_scale(shell, gap)
    x = side * scale * np.sinh(s)
    rise = shell.rise(x) + gap
    return Profile(shell.radius + x, rise, shell.kappa - gap, scale * np.cosh(s))


def turn_profile(
    prior: AbstractRadialPrior, anchor: float, delta: FloatArray, s: FloatArray
) -> Profile:
    """The form r = anchor + δ·cosh s, b = h(anchor + δ), anywhere and without a shell.

    Parameters
    ----------
    delta : (n, 1)
        Offset of the turning point from the anchor, with its sign.
    s : (n, nodes)
    """
    turn = anchor + delta
    step = delta * 2.0 * np.sinh(s / 2) ** 2
    slope, cost = prior.slope(turn), prior.cost(turn)
    # h(r_t + u) − h(r_t) = u·h'(r_t) + (r_t + u)·excess + u²·w'(r_t)
    rise = step * (cost + turn * slope)
    rise = rise + (turn + step) * prior.excess(turn, step) + step * step * slope
    height = turn * cost
    # Rounding may leave nothing right at the turning point.
    rise = np.maximum(rise, 1e-30 * height)
    return Profile(turn + step, rise, height, np.abs(delta) * np.sinh(s))
