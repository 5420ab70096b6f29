"""Coordinates y(s) in which a trajectory obeys dy/ds = p·x_0 + q·ε and nothing is infinite.

=====  ==========  ===========  ================  ============================================
name   scale       s            (p, q)            in them, every schedule is
=====  ==========  ===========  ================  ============================================
flow   a + b       b/(a + b)    (−1, 1)           that of flow matching, a = 1 − s and b = s
angle  √(a² + b²)  arctan(b/a)  (−sin s, cos s)   a rotation, a = cos s and b = sin s
=====  ==========  ===========  ================  ============================================

y = u/scale, of a level u = a·x_0 + b·ε. The rate is what a network itself predicts that predicts
`velocity` in the first and `v_prediction` in the second. Both hold from the clean code to pure
noise, where the σ/α of DEIS and BELM has no end.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import final

from latentdb.affine import Level, Prediction


class AbstractCoordinates(ABC):
    """Scale and time of a noise level, and the rate of a state there."""

    @abstractmethod
    def scale(self, level: Level) -> float:
        """What u is divided by to give y."""

    @abstractmethod
    def time(self, level: Level) -> float:
        """s, rising from the clean code to noise."""

    @abstractmethod
    def rate(self, level: Level) -> tuple[float, float]:
        """Shares (p, q) of x_0 and ε in dy/ds."""

    @abstractmethod
    def flow_time(self, time: float) -> float:
        """Flow time b/(a + b) at s."""


@final
class FlowCoordinates(AbstractCoordinates):
    """Those of flow matching: Euler's step in them is DDIM's, whatever the schedule."""

    def scale(self, level: Level) -> float:
        """Sum of the shares, a + b."""
        return level.signal + level.sigma

    def time(self, level: Level) -> float:
        """Flow time b/(a + b)."""
        return level.flow_time

    def rate(self, level: Level) -> tuple[float, float]:  # noqa: ARG002 - everywhere the same
        """Shares of ε − x_0."""
        return -1.0, 1.0

    def flow_time(self, time: float) -> float:
        """The time s itself."""
        return time


@final
class AngleCoordinates(AbstractCoordinates):
    """Those of variance-preserving models, which keep the variance of white codes."""

    def scale(self, level: Level) -> float:
        """Root of the sum of squares, √(a² + b²)."""
        return math.hypot(level.signal, level.sigma)

    def time(self, level: Level) -> float:
        """Angle arctan(b/a), from 0 to π/2."""
        return math.atan2(level.sigma, level.signal)

    def rate(self, level: Level) -> tuple[float, float]:
        """Shares of cos s·ε − sin s·x_0."""
        scale = self.scale(level)
        return -level.sigma / scale, level.signal / scale

    def flow_time(self, time: float) -> float:
        """Share of the noise, sin s/(sin s + cos s)."""
        sine, cosine = math.sin(time), math.cos(time)
        return sine / (sine + cosine)


def coordinates_for(prediction: Prediction) -> AbstractCoordinates:
    """Those that a model's own schedule is even in."""
    return FlowCoordinates() if prediction == "velocity" else AngleCoordinates()
