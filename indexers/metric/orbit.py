"""Geodesics of one pair, as legs to travel: what a family and its parameter stand for.

Shell legs lead away from the shell, core legs away from the origin; both are turned round where a
path runs the other way. The two meet at the barrier, where h is largest between them.
"""

from __future__ import annotations

import math
from typing import NamedTuple, final

import numpy as np
from scipy.optimize import brentq

from indexers.metric.core import Core
from indexers.metric.profile import (
    Profile,
    pass_profile,
    pass_scale,
    shell_turn_profile,
    turn_profile,
)
from indexers.metric.shell import Shell
from indexers.metric.travel import Leg, Rates
from indexers.types import FloatArray

# Turning radii are looked for down to this many e-foldings below the inner end.
_DEEPEST = 90.0


class Turn(NamedTuple):
    """A turning point, reached or not, at offset end/cosh s from its anchor."""

    end: float
    s: float

    @property
    def offset(self) -> float:
        """Distance from the anchor."""
        return self.end / math.cosh(self.s)

    def s_at(self, offset: float) -> float:
        """The leg's variable at another offset; 0 at the turning point itself."""
        # cosh − 1, kept apart so that `end` gives s to the last digit.
        above = (offset - self.end) / self.end + (offset / self.end) * 2 * math.sinh(
            self.s / 2
        ) ** 2
        above = max(above, 0.0)
        return math.log1p(above + math.sqrt(above * (above + 2.0)))


class Orbit(NamedTuple):
    """A geodesic by its invariant, said without cancellation on each side of the barrier.

    Attributes
    ----------
    core : Turn or None
        Where h = b on the origin's side of the barrier; anchor 0. None if not known there.
    shell : Turn or None
        Where h = b on the shell's side; anchor r*. None where b < κ.
    gap : float
        κ − b, where b < κ.
    """

    core: Turn | None
    shell: Turn | None
    gap: float


@final
class Orbits:
    """The geodesics between two radii, with or without a turn."""

    def __init__(self, core: Core, inner: float, outer: float) -> None:
        self.core = core
        self.inner = inner
        self.outer = outer

    @property
    def barrier(self) -> float:
        """Where core legs end; `inf` without a shell."""
        return math.inf if self.core.shell is None else self.core.shell.barrier

    @property
    def shell(self) -> Shell:
        """The shell, where there is one."""
        assert self.core.shell is not None
        return self.core.shell

    def by_gap(self, gap: float) -> Orbit:
        """B = κ − gap."""
        core = self._core_turn(self.shell.kappa - gap) if self.inner < self.barrier else None
        return Orbit(core, None, gap)

    def by_shell_turn(self, turn: Turn, side: float) -> Orbit:
        """B = h at `turn` from the shell, on its `side`."""
        core = None
        if self.inner < self.barrier:
            excess = float(self.shell.rise(np.array(side * turn.offset)))
            core = self._core_turn(self.shell.kappa + excess)
        return Orbit(core, turn, 0.0)

    def by_core_turn(self, turn: Turn) -> Orbit:
        """B = h at `turn` from the origin."""
        if self.outer <= self.barrier:
            return Orbit(turn, None, 0.0)
        gap = self.shell.kappa - float(self.core.h(np.array(turn.offset)))
        if gap > 0:
            return Orbit(turn, None, gap)
        top = self.shell.radius - self.barrier

        def excess(offset: float) -> float:
            return float(self.shell.rise(np.array(-offset))) + gap

        reached = top if excess(top) <= 0 else float(brentq(excess, 0.0, top, xtol=1e-300))
        return Orbit(turn, Turn(max(reached, 1e-290), 0.0), 0.0)

    def monotone(self, orbit: Orbit, along: float = 0.0) -> list[Leg]:
        """From the inner to the outer end; `along` radians on the shell where it crosses it."""
        inner, outer = self.inner, self.outer
        legs = []
        if inner < self.barrier:
            legs.append(self._core_leg(orbit, inner, min(outer, self.barrier)))
        if outer <= self.barrier:
            return legs
        low, radius = max(inner, self.barrier), self.shell.radius
        if low < radius:
            near = max(radius - outer, 0.0)
            legs.append(self._shell_leg(orbit, -1.0, near, radius - low).reversed())
        legs.append(self._shell_run(along))
        if outer > radius:
            legs.append(self._shell_leg(orbit, 1.0, max(inner - radius, 0.0), outer - radius))
        return legs

    def dip(self, orbit: Orbit, side: float, along: float = 0.0) -> list[Leg]:
        """From the inner end to the turn at the shell and back to the outer end."""
        down, up = ([*self._off_shell(orbit, side, r)] for r in (self.inner, self.outer))
        return [*(leg.reversed() for leg in down[::-1]), self._shell_run(along), *up]

    def around(self, orbit: Orbit) -> list[Leg]:
        """From the inner end to the turn at the origin and out to the outer end."""
        down, up = (self._off_core(orbit, r) for r in (self.inner, self.outer))
        return [*(leg.reversed() for leg in down[::-1]), *up]

    def _off_shell(self, orbit: Orbit, side: float, r: float) -> list[Leg]:
        offset = side * (r - self.shell.radius)
        if r >= self.barrier:
            return [self._shell_leg(orbit, side, None, offset)]
        legs = [self._shell_leg(orbit, side, None, self.shell.radius - self.barrier)]
        return [*legs, self._core_leg(orbit, r, self.barrier).reversed()]

    def _off_core(self, orbit: Orbit, r: float) -> list[Leg]:
        legs = [self._core_leg(orbit, None, min(r, self.barrier))]
        if r <= self.barrier:
            return legs
        radius = self.shell.radius
        near = max(radius - r, 0.0)
        legs.append(self._shell_leg(orbit, -1.0, near, radius - self.barrier).reversed())
        if r > radius:
            legs.append(self._shell_leg(orbit, 1.0, 0.0, r - radius))
        return legs

    def _shell_leg(self, orbit: Orbit, side: float, near: float | None, far: float) -> Leg:
        """Away from the shell, between two offsets; from the turning point if `near` is None."""
        shell, signed = self.shell, np.array([[side]])
        if orbit.shell is None:
            gap = np.array([[orbit.gap]])
            scale = float(pass_scale(shell, gap)[0, 0])
            start = math.asinh((near or 0.0) / scale)
            return Leg(
                lambda s: _rates(pass_profile(shell, signed, gap, s)),
                start,
                math.asinh(far / scale),
            )
        turn = signed * orbit.shell.offset
        start = 0.0 if near is None else orbit.shell.s_at(near)
        return Leg(
            lambda s: _rates(shell_turn_profile(shell, turn, s)), start, orbit.shell.s_at(far)
        )

    def _core_leg(self, orbit: Orbit, low: float | None, high: float) -> Leg:
        """Away from the origin, between two radii; from the turning point if `low` is None."""
        assert orbit.core is not None
        turn, prior = np.array([[orbit.core.offset]]), self.core.prior

        def rates(s: FloatArray) -> Rates:
            profile = turn_profile(prior, 0.0, turn, s)
            # Far from the turn its terms cancel, and the plain difference does not.
            plain = self.core.h(profile.r) - profile.invariant
            rise = np.where(profile.r > 2.0 * turn, plain, profile.rise)
            return _rates(profile._replace(rise=np.maximum(rise, 1e-30 * profile.invariant)))

        start = 0.0 if low is None else orbit.core.s_at(low)
        return Leg(rates, start, orbit.core.s_at(high))

    def _shell_run(self, angle: float) -> Leg:
        return circle_leg(self.shell.radius, self.shell.kappa, max(angle, 0.0))

    def _core_turn(self, b: float) -> Turn:
        """The radius below the inner end and the barrier where h = b."""
        top = math.log(min(self.inner, self.barrier))

        def excess(log_radius: float) -> float:
            return float(self.core.h(np.array(math.exp(log_radius)))) - b

        if excess(top) <= 0:
            return Turn(math.exp(top), 0.0)
        return Turn(math.exp(brentq(excess, top - _DEEPEST, top, xtol=1e-15)), 0.0)


def circle_leg(radius: float, height: float, angle: float) -> Leg:
    """Along a circle on which h is `height`."""

    def rates(s: FloatArray) -> Rates:
        ones = np.ones_like(s)
        return Rates(radius * ones, ones, height * ones)

    return Leg(rates, 0.0, angle)


def _rates(profile: Profile) -> Rates:
    angle, work = profile.rates()
    return Rates(profile.r, angle, profile.invariant * angle + work)
