"""The NAO geodesic itself, in polar form: points at equal steps of its length.

The family and its parameter are those that the distance was measured by
(`indexers.metric.solution`), so path and distance are of one geodesic. From b the curve follows by
quadrature (`indexers.metric.travel`); nothing is discretised, optimised or stepped.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.special import expit

from indexers.metric.clairaut import FAR_EFOLDINGS
from indexers.metric.core import Core
from indexers.metric.orbit import Orbits, Turn, circle_leg
from indexers.metric.polar import far_field_or_none, polar_solution
from indexers.metric.priors import AbstractPrior, AbstractRadialPrior
from indexers.metric.roots import find_root
from indexers.metric.solution import Family
from indexers.metric.travel import Leg, Rates, Route
from indexers.types import FloatArray

# A turn this many e-foldings nearer the shell than its end is on it, to float64.
_ON_SHELL = FAR_EFOLDINGS + 6.0
# Bounds of p; beyond the upper one b is 0 to rounding, and the curve no longer changes.
_P_RANGE = (-120.0, 30.0)
_S_MOST = 60.0
_SCAN = 65
# A ray is followed this many e-foldings towards the origin; the rest is shorter than rounding.
_RAY_EFOLDINGS = 60.0
_TOLERANCE = 1e-15


def polar_path(
    prior: AbstractPrior, r0: float, r1: float, angle_rad: float, fractions: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Points of the shortest path between (r0, 0) and (r1, angle_rad), at constant speed.

    Parameters
    ----------
    prior : ChiPrior, FittedPrior or NoPrior
        Without a prior only the angle is a length, and the radius goes linearly from r0 to r1.
    r0, r1 : float
        Radii of the ends, at least 0 (above 0 without a prior), as `NaoMetric` takes them.
    angle_rad : float
        In [0, π].
    fractions : (m,)
        Of the path's length, in [0, 1]. Not modified.

    Returns
    -------
    radii, angles : (m,) float64
        Angles from 0 at the start to `angle_rad` at the end, never falling. Fractions 0 and 1
        give the ends exactly. Where the path runs through the origin the angle jumps there.
    """
    if not isinstance(prior, AbstractRadialPrior):
        return r0 + fractions * (r1 - r0), fractions * angle_rad
    solution = polar_solution(prior, *(np.array([value]) for value in (r0, r1, angle_rad)))
    family = Family(int(solution.family[0]))
    if solution.length[0] == 0.0:
        radii, angles = np.full_like(fractions, r0), fractions * angle_rad
    elif family in (Family.RADIAL, Family.ORIGIN):
        radii, angles = _rays(prior, (r0, r1, angle_rad), fractions, family)
    else:
        solver = _Pair(prior, (min(r0, r1), max(r0, r1)), angle_rad)
        legs = solver.legs(family, float(solution.parameter[0]))
        if r0 > r1:
            legs = [leg.reversed() for leg in reversed(legs)]
        route = Route(legs)
        radii, angles = route.at(fractions * route.length)
        # What the root of θ(b) = θ was off by.
        angles *= angle_rad / route.angle
    radii[fractions == 0.0], angles[fractions == 0.0] = r0, 0.0
    radii[fractions == 1.0], angles[fractions == 1.0] = r1, angle_rad
    return radii, np.clip(angles, 0.0, angle_rad)


def _rays(
    prior: AbstractRadialPrior,
    ends: tuple[float, float, float],
    fractions: FloatArray,
    family: Family,
) -> tuple[FloatArray, FloatArray]:
    """Along a ray, or along two by way of the origin."""
    r0, r1, angle = ends
    if family is Family.RADIAL:
        inner, outer = min(r0, r1), max(r0, r1)
        leg = _ray(prior, inner, outer)
        route = Route([leg if r0 < r1 else leg.reversed()])
        # From the origin the only direction is the other end's.
        side = angle if r0 < r1 else 0.0
        return route.at(fractions * route.length)[0], np.full_like(fractions, side)
    legs = [_ray(prior, 0.0, r0).reversed(), _ray(prior, 0.0, r1)]
    route, first = Route(legs), Route(legs[:1])
    lengths = fractions * route.length
    return route.at(lengths)[0], np.where(lengths <= first.length, 0.0, angle)


def _ray(prior: AbstractRadialPrior, inner: float, outer: float) -> Leg:
    """Outward along a ray, r = outer·eˢ: smooth although w may be infinite at the origin."""

    def rates(s: FloatArray) -> Rates:
        r = outer * np.exp(s)
        return Rates(r, np.zeros_like(s), r * prior.cost(r))

    start = -_RAY_EFOLDINGS
    if inner > outer * math.exp(start):
        start = math.log1p((inner - outer) / outer)
    return Leg(rates, start, 0.0)


class _Pair:
    """One pair, and the legs of its geodesics."""

    def __init__(
        self, prior: AbstractRadialPrior, radii: tuple[float, float], angle: float
    ) -> None:
        far = far_field_or_none(prior)
        self.shell = None if far is None else far.shell
        self.core = Core(prior, self.shell)
        self.inner, self.outer = radii
        self.angle = angle
        self.orbits = Orbits(self.core, *radii)

    def legs(self, family: Family, parameter: float) -> list[Leg]:
        """Legs from the inner to the outer end of the geodesic at the given parameter."""
        if family is Family.ALONG:
            return self._along()
        if family is Family.CIRCLE:
            h = float(self.core.h(np.array(self.inner)))
            return [
                circle_leg(self.inner, h, self.angle),
                _ray(self.core.prior, self.inner, self.outer),
            ]
        if family is Family.PASS:
            return self._passing()
        if family is Family.STRAIGHT:
            return self._straight()
        if family is Family.HANG:
            turn, side = self._shell_end()
            return self._monotone_at(lambda s: self._hanging(Turn(turn, s), side))
        if family is Family.DIP:
            turn, side = self._shell_end()
            return self._turning(lambda s: self._dipping(Turn(turn, s), side), parameter)
        turn = float(self._offsets(0)) if self.shell else self.inner
        orbits = self.orbits
        return self._turning(lambda s: orbits.around(orbits.by_core_turn(Turn(turn, s))), parameter)

    def _passing(self) -> list[Leg]:
        """B below κ."""
        assert self.shell is not None
        kappa, orbits = self.shell.kappa, self.orbits

        def legs(p: float) -> list[Leg]:
            return orbits.monotone(orbits.by_gap(kappa * float(expit(p))))

        p = _root(lambda p: self.angle - Route(legs(p)).angle, *_P_RANGE)
        if p > _P_RANGE[0]:
            return legs(p)
        # So deep that it runs along the shell.
        left = self.angle - Route(legs(p)).angle
        return orbits.monotone(orbits.by_gap(kappa * float(expit(p))), left)

    def _straight(self) -> list[Leg]:
        """R monotone: by the least h between the ends, which b is below."""
        shell, orbits = self.shell, self.orbits
        heights = self.core.h(np.array([self.inner, self.outer]))
        is_from_core = shell is None or (
            self.inner < shell.barrier
            and heights[0] < (shell.kappa if self.outer > shell.radius else heights[1])
        )
        if is_from_core:
            end = self.inner
            return self._monotone_at(lambda s: orbits.monotone(orbits.by_core_turn(Turn(end, s))))
        assert shell is not None
        is_one_sided = (self.inner - shell.radius) * (self.outer - shell.radius) > 0
        if is_one_sided:
            end, side = self._shell_end()
            last = self._hanging(Turn(end, _S_MOST), side)
            if Route(last).angle < self.angle:
                return self._monotone_at(lambda s: self._hanging(Turn(end, s), side))
        return self._passing()

    def _along(self) -> list[Leg]:
        """Down to the shell as deep as the angle lets it, and the rest along it."""
        assert self.shell is not None
        x = np.array([self.inner, self.outer]) - self.shell.radius
        if x[0] * x[1] <= 0:
            return self._passing()
        end, side = self._shell_end()
        deepest = _ON_SHELL + math.log1p(end / self.shell.prior.width)
        grid = deepest * np.linspace(0.0, 1.0, _SCAN) ** 2

        def excess(s: float) -> float:
            return Route(self._dipping(Turn(end, s), side)).angle - self.angle

        # The deepest of the dips whose angle is right.
        s, above = deepest, deepest
        for s in grid[::-1]:
            if excess(s) <= 0:
                break
            above = s
        if above > s:
            s = _root(excess, s, above)
        left = self.angle - Route(self._dipping(Turn(end, s), side)).angle
        orbit = self.orbits.by_shell_turn(Turn(end, s), side)
        return self.orbits.dip(orbit, side, left if s == deepest else 0.0)

    def _shell_end(self) -> tuple[float, float]:
        """Offset at which a turn near the shell is least deep, and its side."""
        assert self.shell is not None
        if self.inner > self.shell.radius:
            return self.inner - self.shell.radius, 1.0
        heights = self.core.h(np.array([self.inner, self.outer]))
        if heights[0] < heights[1]:
            offset = self._offsets(2)
            if math.isfinite(offset):
                return -offset, -1.0
        return self.shell.radius - self.outer, -1.0

    def _offsets(self, number: int) -> float:
        """Offset of a turning family of the core."""
        ends = self.core.ends(*(np.array([v]) for v in (self.inner, self.outer, self.angle)))
        return float(self.core.families(ends)[number].offset[0])

    def _hanging(self, turn: Turn, side: float) -> list[Leg]:
        return self.orbits.monotone(self.orbits.by_shell_turn(turn, side))

    def _dipping(self, turn: Turn, side: float) -> list[Leg]:
        return self.orbits.dip(self.orbits.by_shell_turn(turn, side), side)

    def _monotone_at(self, legs: Callable[[float], list[Leg]]) -> list[Leg]:
        """At the s where the angle, which falls with s, is right."""
        return legs(_root(lambda s: self.angle - Route(legs(s)).angle, 0.0, _S_MOST))

    def _turning(self, legs: Callable[[float], list[Leg]], guess: float) -> list[Leg]:
        """At the s nearest to `guess` where the angle is right."""

        def excess(s: float) -> float:
            return Route(legs(s)).angle - self.angle

        for width in (1e-8, 1e-6, 1e-4, 1e-2, 1e-1):
            low, high = max(guess - width * (1 + guess), 0.0), guess + width * (1 + guess)
            below, above = excess(low), excess(high)
            if below <= 0 <= above:
                return legs(_root(excess, low, high))
            if above <= 0 <= below:
                return legs(_root(lambda s: -excess(s), low, high))
        return legs(guess)


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Root of one increasing function, or the end of the bracket nearest to it."""
    root = find_root(
        lambda x, _: np.array([function(float(value)) for value in x]),
        np.array([low]),
        np.array([high]),
        tolerance=_TOLERANCE,
    )
    return float(root[0])
