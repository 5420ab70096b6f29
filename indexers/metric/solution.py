"""What is known of a shortest path once it is solved: its length, and which geodesic it is."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from indexers.types import BoolArray, FloatArray, IdArray


class Family(IntEnum):
    """How a shortest path runs. r0 and r1 are its ends' radii, r* and κ the shell's.

    The parameter of a family makes Clairaut's invariant b: p as b = least·expit(−p), `least` being
    the least h between the ends; s as the turning point anchor + offset/cosh s, where h = b.
    """

    RADIAL = 0
    """Along a ray: at θ = 0, or from the origin."""
    ORIGIN = 1
    """Along one ray to the origin and along the other out of it."""
    ALONG = 2
    """To the shell, along it, and off it: b = κ, the far field."""
    PASS = 3
    """r monotone, b at most κ; parameter p, `least` = κ."""
    HANG = 4
    """r monotone on one side of the shell, b above κ; s, of the turn that is not reached."""
    DIP = 5
    """On one side of the shell, turning near it; s, anchor r*."""
    STRAIGHT = 6
    """r monotone, an end in the core or no shell; p."""
    AROUND = 7
    """Turning around the origin; s, anchor 0."""
    CIRCLE = 8
    """At one radius all the way, one where h' = 0 outside the reach of the other families."""


class Solution(NamedTuple):
    """Shortest paths of n pairs, all arrays (n,).

    Attributes
    ----------
    length : float64
        f.
    invariant : float64
        Clairaut's b = h(r)·sin ψ, which is ∂f/∂θ.
    family : int8
        A `Family` each.
    parameter : float64
        The family's p or s, to some 9 digits; 0 where it has none.
    """

    length: FloatArray
    invariant: FloatArray
    family: npt.NDArray[np.int8]
    parameter: FloatArray

    @classmethod
    def of(
        cls,
        family: Family,
        length: FloatArray,
        invariant: FloatArray | float = 0.0,
        parameter: FloatArray | float = 0.0,
    ) -> Solution:
        """Paths of one family; a number stands for an array of it."""
        shape = length.shape
        return cls(
            length,
            np.broadcast_to(invariant, shape).copy(),
            np.full(shape, family, np.int8),
            np.broadcast_to(parameter, shape).copy(),
        )

    @classmethod
    def none(cls, n: int) -> Solution:
        """No path yet: lengths of infinity."""
        return cls.of(Family.ALONG, np.full(n, np.inf))

    def pick(self, chosen: slice | BoolArray | IdArray) -> Solution:
        """Some of them; views where `chosen` is a slice."""
        length, invariant, family, parameter = self
        return Solution(length[chosen], invariant[chosen], family[chosen], parameter[chosen])

    def put(self, chosen: slice | BoolArray | IdArray, other: Solution) -> None:
        """Replace the `chosen` pairs' paths."""
        self.length[chosen] = other.length
        self.invariant[chosen] = other.invariant
        self.family[chosen] = other.family
        self.parameter[chosen] = other.parameter

    def put_shorter(self, pairs: BoolArray | IdArray, other: Solution) -> None:
        """Replace the paths of `pairs` where the other is shorter; one path per pair."""
        where = np.flatnonzero(pairs) if pairs.dtype == np.bool_ else pairs
        is_shorter = other.length < self.length[where]
        self.put(where[is_shorter], other.pick(is_shorter))

    def put_shortest(self, pairs: IdArray, other: Solution) -> None:
        """As `put_shorter`, with any number of paths per pair."""
        order = np.lexsort((other.length, pairs))
        distinct, first = np.unique(pairs[order], return_index=True)
        self.put_shorter(distinct, other.pick(order[first]))
