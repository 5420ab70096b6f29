"""Travelling along a geodesic at constant speed: where it is after a given length.

A geodesic is a sequence of *legs*, on each of which r runs one way and a variable s makes the
rates of angle and length smooth. Each leg is cut into panels that one Gauss rule integrates; a
point is found by solving length(s) for s within its panel. Nothing is stepped from point to
point: errors do not add up, though neighbouring geodesics part as e^(λθ).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from indexers.metric.roots import find_root
from indexers.metric.shell import NODES, WEIGHTS
from indexers.types import BoolArray, FloatArray

# A panel of 16 nodes over 1 unit of s is exact to rounding.
_PANEL_LENGTH = 1.0
_TOLERANCE = 1e-15


class Rates(NamedTuple):
    """Radius, and angle and length gained per unit of |s|, at some points of a leg."""

    r: FloatArray
    angle: FloatArray
    length: FloatArray


class Leg(NamedTuple):
    """A piece of a geodesic, from s = `start` to s = `stop`, in either direction."""

    rates: Callable[[FloatArray], Rates]
    start: float
    stop: float

    def reversed(self) -> Leg:
        """The same piece the other way."""
        return Leg(self.rates, self.stop, self.start)


class _Panels(NamedTuple):
    """A leg in panels: their edges in s, and angle and length up to each edge."""

    leg: Leg
    edges: FloatArray
    angles: FloatArray
    lengths: FloatArray

    @classmethod
    def of(cls, leg: Leg) -> _Panels:
        count = max(1, math.ceil(abs(leg.stop - leg.start) / _PANEL_LENGTH))
        edges = np.linspace(leg.start, leg.stop, count + 1)
        angles, lengths = _gains(leg, edges[:-1], edges[1:])
        return cls(leg, edges, _running_sum(angles), _running_sum(lengths))

    def at(self, lengths: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Radii and angles after `lengths` (m,) from the leg's start."""
        last = len(self.edges) - 2
        panel = np.clip(np.searchsorted(self.lengths, lengths, side="right") - 1, 0, last)
        low, high = self.edges[panel], self.edges[panel + 1]
        wanted = lengths - self.lengths[panel]

        def excess(share: FloatArray, pick: BoolArray) -> FloatArray:
            stop = low[pick] + share * (high - low)[pick]
            return _gains(self.leg, low[pick], stop)[1] - wanted[pick]

        zero = np.zeros_like(lengths)
        share = find_root(excess, zero, zero + 1.0, tolerance=_TOLERANCE)
        s = low + share * (high - low)
        angles = self.angles[panel] + _gains(self.leg, low, s)[0]
        radii: FloatArray = self.leg.rates(s[:, None]).r
        return radii[:, 0], angles


class Route:
    """A geodesic from end to end.

    Attributes
    ----------
    angle, length : float
        Of the whole.
    """

    def __init__(self, legs: Sequence[Leg]) -> None:
        self._panels = [_Panels.of(leg) for leg in legs if leg.start != leg.stop]
        self._angles = _running_sum(np.array([panels.angles[-1] for panels in self._panels]))
        self._lengths = _running_sum(np.array([panels.lengths[-1] for panels in self._panels]))
        self.angle = float(self._angles[-1])
        self.length = float(self._lengths[-1])

    def at(self, lengths: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Radii and angles, both (m,), after `lengths` (m,) from the start, in [0, length]."""
        radii, angles = np.empty_like(lengths), np.empty_like(lengths)
        leg = np.searchsorted(self._lengths, lengths, side="right") - 1
        leg = leg.clip(0, len(self._panels) - 1)
        for number, panels in enumerate(self._panels):
            here = leg == number
            if here.any():
                radii[here], swept = panels.at(lengths[here] - self._lengths[number])
                angles[here] = self._angles[number] + swept
        return radii, angles


def _gains(leg: Leg, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Angle and length gained from `low` to `high`, all (m,), within a panel each."""
    span = high - low
    rates = leg.rates(low[:, None] + span[:, None] * NODES)
    size = np.abs(span)
    return size * (rates.angle @ WEIGHTS), size * (rates.length @ WEIGHTS)


def _running_sum(values: FloatArray) -> FloatArray:
    return np.concatenate([[0.0], np.cumsum(values)])
