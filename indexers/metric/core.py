"""Lengths when an end lies in the core, far inside the shell, or when there is no shell.

Inside the barrier h(r) = r·w(r) falls to 0, and the space around the origin is much like a plain
one: geodesics are nearly straight, and beside the ways along the shell there are ways around the
origin. Every family of geodesics is solved and the shortest answer counts:

- *straight*: r monotone from one end to the other, b below the least h between the ends;
- *turn*: through a turning radius r_t with h(r_t) = b, around the origin (anchor 0), or near
  the shell, from outside or from inside it (anchor r*);
- along the shell (the far field), and through the origin itself (an upper bound at any angle).

Symbols as in `indexers.metric.clairaut`; r = anchor + δ·cosh s there and here.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from indexers.metric.priors import AbstractRadialPrior
from indexers.metric.roots import find_root
from indexers.metric.shell import NODES, WEIGHTS, Shell
from indexers.types import BoolArray, FloatArray, IdArray

_PANELS = 24
_GRID = ((np.arange(_PANELS)[:, None] + NODES) / _PANELS).ravel()
_GRID_WEIGHTS = np.tile(WEIGHTS, _PANELS) / _PANELS
_SCAN = 25
_BATCH = 64

# Tanh-sinh rule on [0, 1], for integrands with roots or near poles at both ends.
_TS = np.linspace(-3.6, 3.6, 161)
_TS_NODES = expit(np.pi * np.sinh(_TS))
_TS_WEIGHTS = np.pi * np.cosh(_TS) * _TS_NODES * expit(-np.pi * np.sinh(_TS)) * (_TS[1] - _TS[0])


class _Ends(NamedTuple):
    """Radii of both ends, the angle between them, and the least h on the way, all (n,)."""

    inner: FloatArray
    outer: FloatArray
    angle: FloatArray
    least: FloatArray

    def pick(self, chosen: BoolArray | IdArray) -> _Ends:
        return _Ends(*(values[chosen] for values in self))


class _Turns(NamedTuple):
    """A family of turning radii: anchor + offset/cosh s, `offset` signed; NaN where none."""

    anchor: float
    offset: FloatArray


def core_length(
    prior: AbstractRadialPrior,
    shell: Shell | None,
    inner: FloatArray,
    outer: FloatArray,
    angle: FloatArray,
) -> FloatArray:
    """Lengths f, all (n,), for 0 < inner ≤ outer and θ > 0.

    Parameters
    ----------
    shell : Shell or None
        None for a prior whose h grows everywhere.
    """
    result = np.empty(len(angle))
    for start in range(0, len(angle), _BATCH):
        part = slice(start, start + _BATCH)
        solver = _Core(prior, shell)
        result[part] = solver.shortest(inner[part], outer[part], angle[part])
    return result


class _Core:
    def __init__(self, prior: AbstractRadialPrior, shell: Shell | None) -> None:
        self.prior = prior
        self.shell = shell

    def h(self, r: FloatArray) -> FloatArray:
        value: FloatArray = r * self.prior.cost(r)
        return value

    def shortest(self, inner: FloatArray, outer: FloatArray, angle: FloatArray) -> FloatArray:
        least = np.minimum(self.h(inner), self.h(outer))
        if self.shell is not None:
            between = (inner < self.shell.radius) & (outer > self.shell.radius)
            least = np.where(between, np.minimum(least, self.shell.kappa), least)
        ends = _Ends(inner, outer, angle, least)
        result = self.prior.radial_cost(inner) + self.prior.radial_cost(outer)
        result = np.minimum(result, self._straight(ends))
        for turns in self._families(ends):
            result = np.minimum(result, self._turning(ends, turns))
        return np.minimum(result, self._along_shell(ends))

    def _straight(self, ends: _Ends) -> FloatArray:
        ones = np.ones_like(ends.angle)

        def arc(p: FloatArray, some: _Ends) -> tuple[FloatArray, FloatArray]:
            return self._monotone(some, some.least * expit(-p))

        widest = arc(-60.0 * ones, ends)[0]
        result = np.full_like(ends.angle, np.inf)
        chosen = ends.angle < widest
        if chosen.any():
            some = ends.pick(chosen)
            ones = ones[chosen]
            p = find_root(
                lambda p, pick: some.angle[pick] - arc(p, some.pick(pick))[0],
                -60.0 * ones,
                120.0 * ones,
            )
            result[chosen] = some.least * expit(-p) * some.angle + arc(p, some)[1]
        return result

    def _families(self, ends: _Ends) -> list[_Turns]:
        shell = self.shell
        if shell is None:
            return [_Turns(0.0, ends.inner)]
        top = np.minimum(ends.inner, shell.barrier)
        around = self._bisect(ends.least, np.zeros_like(top), top)
        outside = np.where(ends.inner > shell.radius, ends.inner - shell.radius, np.nan)
        low = np.maximum(ends.outer, shell.barrier)
        can_climb = (ends.outer < shell.radius) & (ends.least > shell.kappa)
        start = self._bisect(-ends.least, np.minimum(low, shell.radius), shell.radius + 0 * low)
        inside = np.where(can_climb, start - shell.radius, np.nan)
        return [
            _Turns(0.0, around),
            _Turns(shell.radius, outside),
            _Turns(shell.radius, inside),
        ]

    def _bisect(self, level: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
        """Radius where h = |level|, h rising from low to high (falling for a negative level)."""
        sign = np.where(level < 0, -1.0, 1.0)
        low, high = low.copy(), high.copy()
        for _ in range(60):
            middle = 0.5 * (low + high)
            with np.errstate(invalid="ignore"):
                above = sign * self.h(middle) > level
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        # The end at which h is not below |level|.
        return np.where(sign > 0, high, low)

    def _turning(self, ends: _Ends, turns: _Turns) -> FloatArray:
        result = np.full_like(ends.angle, np.inf)
        exists = np.isfinite(turns.offset) & (turns.offset != 0)
        if not exists.any():
            return result
        some = ends.pick(exists)
        offset = turns.offset[exists]
        rate = self.shell.decay if self.shell is not None else 1.0
        last = np.minimum(0.6 * rate * some.angle, 20.0) + 20.0
        grid = last[:, None] * np.linspace(0.0, 1.0, _SCAN) ** 2
        short = np.column_stack(
            [self._turn(some, turns.anchor, offset, s)[0] - some.angle for s in grid.T]
        )
        pair, cell = np.nonzero((short[:, :-1] <= 0) != (short[:, 1:] <= 0))
        if pair.size:
            best = np.full(len(offset), np.inf)
            # find_root wants increasing functions; θ(s) may cross either way.
            sign = np.where(short[pair, cell] <= 0, 1.0, -1.0)
            chosen, at = some.pick(pair), offset[pair]

            def miss(s: FloatArray, pick: BoolArray) -> FloatArray:
                few = chosen.pick(pick)
                swept = self._turn(few, turns.anchor, at[pick], s)[0]
                return sign[pick] * (swept - few.angle)

            s = find_root(miss, grid[pair, cell], grid[pair, cell + 1])
            work = self._turn(chosen, turns.anchor, at, s)[1]
            b = self.h(turns.anchor + at / np.cosh(s))
            np.minimum.at(best, pair, b * chosen.angle + work)
            result[exists] = best
        return result

    def _turn(
        self, ends: _Ends, anchor: float, offset: FloatArray, s: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        delta = offset / np.cosh(s)
        first = self._piece(anchor, delta, ends.inner)
        second = self._piece(anchor, delta, ends.outer)
        return first[0] + second[0], first[1] + second[1]

    def _piece(
        self, anchor: float, delta: FloatArray, end: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """θ and W from the turning radius anchor + δ to `end`."""
        reach = np.arccosh(np.maximum((end - anchor) / delta, 1.0))
        # A panel of 16 nodes for every 3 units of s.
        panels = min(max(math.ceil(float(reach.max()) / 3.0), 1), _PANELS)
        grid = ((np.arange(panels)[:, None] + NODES) / panels).ravel()
        weights = np.tile(WEIGHTS, panels) / panels
        s = reach[:, None] * grid
        turn = (anchor + delta)[:, None]
        step = delta[:, None] * 2.0 * np.sinh(s / 2) ** 2
        slope = self.prior.slope(turn)
        excess = self.prior.excess(turn, step)
        # h(r_t + u) − h(r_t) = u·h'(r_t) + (r_t + u)·excess + u²·w'(r_t)
        rise = step * (self.prior.cost(turn) + turn * slope)
        rise = np.maximum(rise + (turn + step) * excess + step * step * slope, 0.0)
        height = self.h(turn)
        # Rounding may leave nothing right at the turning point.
        rise = np.maximum(rise, 1e-30 * height)
        square = rise * (rise + 2.0 * height)
        common = np.abs(delta)[:, None] * np.sinh(s) / ((turn + step) * np.sqrt(square))
        angle = reach * ((height * common) @ weights)
        return angle, reach * ((square * common) @ weights)

    def _monotone(self, ends: _Ends, b: FloatArray) -> tuple[FloatArray, FloatArray]:
        """θ and W from the inner end to the outer, split at the shell, where h is least."""
        middle = ends.outer
        if self.shell is not None:
            middle = np.clip(self.shell.radius, ends.inner, ends.outer)
        angle, work = np.zeros_like(b), np.zeros_like(b)
        for low, high in ((ends.inner, middle), (middle, ends.outer)):
            span = np.log(high / low)
            r = low[:, None] * np.exp(span[:, None] * _TS_NODES)
            h = self.h(r)
            root = np.sqrt(np.maximum((h - b[:, None]) * (h + b[:, None]), 1e-32 * h * h))
            angle += span * ((b[:, None] / root) @ _TS_WEIGHTS)
            work += span * (root @ _TS_WEIGHTS)
        return angle, work

    def _along_shell(self, ends: _Ends) -> FloatArray:
        shell = self.shell
        if shell is None:
            return np.full_like(ends.angle, np.inf)
        length = shell.kappa * ends.angle
        for r in (ends.inner, ends.outer):
            length = length + shell.radial(np.maximum(r, shell.barrier))
            span = np.log(np.minimum(r, shell.barrier) / shell.barrier)
            path = shell.barrier * np.exp(span[:, None] * _GRID)
            square = self.h(path) ** 2 - shell.kappa**2
            is_real = square.min(axis=1) >= 0
            inside = -span * (np.sqrt(np.maximum(square, 0.0)) @ _GRID_WEIGHTS)
            length = np.where(is_real, length + inside, np.inf)
        # The limit of the turning families at great depth; before that they are shorter or the
        # ends are too near for it to exist.
        holds = shell.decay * (ends.angle - shell.reach(np.maximum(ends.inner, shell.barrier)))
        return np.where(holds > 34.0, length, np.inf)
