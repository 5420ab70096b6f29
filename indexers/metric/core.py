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
from indexers.metric.profile import turn_profile
from indexers.metric.roots import find_root
from indexers.metric.shell import NODES, WEIGHTS, Shell
from indexers.metric.solution import Family, Solution
from indexers.types import BoolArray, FloatArray, IdArray

_PANELS = 24
_GRID = ((np.arange(_PANELS)[:, None] + NODES) / _PANELS).ravel()
_GRID_WEIGHTS = np.tile(WEIGHTS, _PANELS) / _PANELS
_SCAN = 25
_BATCH = 64
# A crossing with b this many e-foldings below κ is as deep as `_TS_NODES` can follow it; deeper
# ones run along the shell.
_LEAST_P = 60.0
# Radii that differ by less are one.
_EQUAL = 1e-12

# Tanh-sinh rule on [0, 1], for integrands with roots or near poles at both ends.
_TS = np.linspace(-3.6, 3.6, 161)
_TS_NODES = expit(np.pi * np.sinh(_TS))
_TS_WEIGHTS = np.pi * np.cosh(_TS) * _TS_NODES * expit(-np.pi * np.sinh(_TS)) * (_TS[1] - _TS[0])


class Ends(NamedTuple):
    """Radii of both ends, the angle between them, and the least h on the way, all (n,)."""

    inner: FloatArray
    outer: FloatArray
    angle: FloatArray
    least: FloatArray

    def pick(self, chosen: BoolArray | IdArray) -> Ends:
        """Some of them."""
        return Ends(*(values[chosen] for values in self))


class Turns(NamedTuple):
    """A family of turning radii: anchor + offset/cosh s, `offset` signed; NaN where none."""

    anchor: float
    offset: FloatArray

    @property
    def family(self) -> Family:
        """What the anchor says."""
        return Family.AROUND if self.anchor == 0.0 else Family.DIP


def core_field(
    prior: AbstractRadialPrior,
    shell: Shell | None,
    inner: FloatArray,
    outer: FloatArray,
    angle: FloatArray,
) -> Solution:
    """Shortest paths, all (n,), for 0 < inner ≤ outer and θ > 0.

    Parameters
    ----------
    shell : Shell or None
        None for a prior whose h grows everywhere.
    """
    result = Solution.none(len(angle))
    for start in range(0, len(angle), _BATCH):
        part = slice(start, start + _BATCH)
        solver = Core(prior, shell)
        result.put(part, solver.shortest(inner[part], outer[part], angle[part]))
    return result


class Core:
    """The families of a prior's geodesics near the origin, and which of them is shortest."""

    def __init__(self, prior: AbstractRadialPrior, shell: Shell | None) -> None:
        self.prior = prior
        self.shell = shell

    def h(self, r: FloatArray) -> FloatArray:
        """h(r) = r·w(r)."""
        value: FloatArray = r * self.prior.cost(r)
        return value

    def ends(self, inner: FloatArray, outer: FloatArray, angle: FloatArray) -> Ends:
        """Pairs, with the least h on the way from end to end."""
        least = np.minimum(self.h(inner), self.h(outer))
        if self.shell is not None:
            between = (inner < self.shell.radius) & (outer > self.shell.radius)
            least = np.where(between, np.minimum(least, self.shell.kappa), least)
        return Ends(inner, outer, angle, least)

    def shortest(self, inner: FloatArray, outer: FloatArray, angle: FloatArray) -> Solution:
        """Shortest paths, all (n,)."""
        ends = self.ends(inner, outer, angle)
        through = self.prior.radial_cost(inner) + self.prior.radial_cost(outer)
        result = Solution.of(Family.ORIGIN, through)
        every = np.ones(len(angle), np.bool_)
        result.put_shorter(every, self._circle(ends))
        result.put_shorter(every, self._straight(ends))
        for turns in self.families(ends):
            result.put_shorter(every, self._turning(ends, turns))
        result.put_shorter(every, self._along_shell(ends))
        return result

    def _circle(self, ends: Ends) -> Solution:
        """Equal radii where h' = 0: no other family has the circle that is the geodesic there.

        Anywhere else it is a path too, longer than theirs.
        """
        apart = ends.outer - ends.inner
        h = self.h(ends.inner)
        length = h * ends.angle + apart * self.prior.cost(ends.inner)
        is_equal = apart <= _EQUAL * ends.inner
        return Solution.of(Family.CIRCLE, np.where(is_equal, length, np.inf), h)

    def _straight(self, ends: Ends) -> Solution:
        """R monotone, and at wider angles on along the circle through the end of the least h.

        A way with a turn is shorter than that circle, unless rounding leaves the angle between the
        widest of the one and the narrowest of the other.
        """
        low = np.full_like(ends.angle, -_LEAST_P)
        result = Solution.none(len(low))
        # Where h is least at the shell the wider angles are the far field's.
        kappa = 0.0 if self.shell is None else self.shell.kappa
        chosen = (ends.least != kappa) | (ends.angle < self._monotone(ends, low)[0])
        if chosen.any():
            some = ends.pick(chosen)
            p = find_root(
                lambda p, pick: some.angle[pick] - self._monotone(some.pick(pick), p)[0],
                low[chosen],
                np.full_like(some.angle, 120.0),
            )
            b = some.least * expit(-p)
            work = self._monotone(some, p)[1]
            result.put(chosen, Solution.of(Family.STRAIGHT, b * some.angle + work, b, p))
        return result

    def families(self, ends: Ends) -> list[Turns]:
        """Where a path between these ends could turn."""
        shell = self.shell
        if shell is None:
            return [Turns(0.0, ends.inner)]
        top = np.minimum(ends.inner, shell.barrier)
        around = self.radius_of(ends.least, np.zeros_like(top), top)
        outside = np.where(ends.inner > shell.radius, ends.inner - shell.radius, np.nan)
        low = np.maximum(ends.outer, shell.barrier)
        can_climb = (ends.outer < shell.radius) & (ends.least > shell.kappa)
        start = self.radius_of(-ends.least, np.minimum(low, shell.radius), shell.radius + 0 * low)
        inside = np.where(can_climb, start - shell.radius, np.nan)
        return [
            Turns(0.0, around),
            Turns(shell.radius, outside),
            Turns(shell.radius, inside),
        ]

    def radius_of(self, level: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
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

    def _turning(self, ends: Ends, turns: Turns) -> Solution:
        result = Solution.none(len(ends.angle))
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
            found = Solution.of(turns.family, b * chosen.angle + work, b, s)
            result.put_shortest(np.flatnonzero(exists)[pair], found)
        return result

    def _turn(
        self, ends: Ends, anchor: float, offset: FloatArray, s: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        first = self._piece(anchor, offset, s, ends.inner)
        second = self._piece(anchor, offset, s, ends.outer)
        return first[0] + second[0], first[1] + second[1]

    def _piece(
        self, anchor: float, offset: FloatArray, s: FloatArray, end: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """θ and W from the turning radius anchor + offset/cosh s to `end`."""
        delta = offset / np.cosh(s)
        last = self._on_side_of_turn(anchor, offset, end)
        # cosh − 1 of the end's variable, kept apart so that an end at `offset` gives s itself.
        ratio = (last - anchor) / offset
        above = np.maximum((last - anchor - offset) / offset + ratio * 2 * np.sinh(s / 2) ** 2, 0.0)
        reach = np.log1p(above + np.sqrt(above * (above + 2.0)))
        # A panel of 16 nodes for every 3 units of s.
        panels = min(max(math.ceil(float(reach.max()) / 3.0), 1), _PANELS)
        grid = ((np.arange(panels)[:, None] + NODES) / panels).ravel()
        weights = np.tile(WEIGHTS, panels) / panels
        profile = turn_profile(self.prior, anchor, delta[:, None], reach[:, None] * grid)
        angle_rate, work_rate = profile.rates()
        b = self.h(anchor + delta)
        rest = self._between(np.minimum(last, end), np.maximum(last, end), b)
        return reach * (angle_rate @ weights) + rest[0], reach * (work_rate @ weights) + rest[1]

    def _on_side_of_turn(self, anchor: float, offset: FloatArray, end: FloatArray) -> FloatArray:
        """`end`, or the barrier if that is between it and the turning point.

        Beyond the barrier another critical radius is near, and the turn's variable ill suited.
        """
        if self.shell is None:
            return end
        if anchor == 0.0:
            return np.minimum(end, self.shell.barrier)
        return np.where(offset > 0, end, np.maximum(end, self.shell.barrier))

    def _monotone(self, ends: Ends, p: FloatArray) -> tuple[FloatArray, FloatArray]:
        """θ and W from the inner end to the outer at b = least·expit(−p)."""
        below = ends.least * expit(p)
        gap = None if self.shell is None else self.shell.kappa - ends.least + below
        return self._between(ends.inner, ends.outer, ends.least * expit(-p), gap)

    def _between(
        self, low: FloatArray, high: FloatArray, b: FloatArray, gap: FloatArray | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """θ and W between any two radii, r monotone; `gap` is κ − b, where it is known better."""
        angle, work = np.zeros_like(b), np.zeros_like(b)
        kappa, radius = 0.0, high
        if self.shell is not None:
            kappa, radius = self.shell.kappa, np.clip(self.shell.radius, low, high)
        gap = kappa - b if gap is None else gap
        # Split at the shell, where h is least and may be nearly b.
        for start, stop in ((low, radius), (radius, high)):
            some = stop > start
            if some.any():
                swept, gained = self._piece_between(start[some], stop[some], b[some], gap[some])
                angle[some] += swept
                work[some] += gained
        return angle, work

    def _piece_between(
        self, low: FloatArray, high: FloatArray, b: FloatArray, gap: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """θ and W between radii on one side of the shell."""
        span = np.log(high / low)
        r = low[:, None] * np.exp(span[:, None] * _TS_NODES)
        h = self.h(r)
        rise = h - b[:, None]
        if self.shell is not None:
            # Offsets from the shell and h − κ without cancellation, for the pieces that meet it.
            shell, is_outer = self.shell, low == self.shell.radius
            meets = is_outer | (high == shell.radius)
            sign = np.where(is_outer, 1.0, -1.0)[meets, None]
            nodes = np.where(is_outer[meets, None], _TS_NODES, _TS_NODES[::-1])
            x = shell.radius * np.expm1(sign * span[meets, None] * nodes)
            x = np.maximum(x, shell.barrier - shell.radius)
            near = shell.rise(x) + gap[meets, None]
            rise[meets] = np.where(r[meets] > shell.barrier, near, rise[meets])
        root = np.sqrt(np.maximum(rise * (h + b[:, None]), 1e-32 * h * h))
        return span * ((b[:, None] / root) @ _TS_WEIGHTS), span * (root @ _TS_WEIGHTS)

    def _along_shell(self, ends: Ends) -> Solution:
        shell = self.shell
        if shell is None:
            return Solution.none(len(ends.angle))
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
        return Solution.of(Family.ALONG, np.where(holds > 34.0, length, np.inf), shell.kappa)
