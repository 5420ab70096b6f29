"""What the sources of a direction give, and what it is measured by, before it is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, final

import numpy as np

from latentdb.arrays import BoolArray, FloatArray, IdArray, RealArray
from latentdb.space import Space


class Boundary(Protocol):
    """Where along a unit vector (dim,) having an attribute begins."""

    @property
    def name(self) -> str:
        """Word for it in the artefact."""

    def offset(self, vector: FloatArray, along: FloatArray) -> float:
        """Boundary on `vector`, along which the sample has projections `along` (n,)."""


@final
@dataclass(frozen=True, eq=False)
class Midpoint:
    """Halfway between two points (dim,): the boundary that treats both alike."""

    start: FloatArray
    end: FloatArray
    name: str = "midpoint"

    def offset(self, vector: FloatArray, along: FloatArray) -> float:  # noqa: ARG002
        """(start + end)·vector/2."""
        return float((self.start + self.end) @ vector) / 2.0


@final
@dataclass(frozen=True)
class Share:
    """Such that this share of the sample lies on the negative side."""

    negative: float
    name: str = "share"

    def offset(self, vector: FloatArray, along: FloatArray) -> float:  # noqa: ARG002
        """Quantile of the projections."""
        return float(np.quantile(along, self.negative))


MEDIAN = Share(0.5, "median")


@final
@dataclass(frozen=True)
class Fitted:
    """Where the fit put it; of no use once the vector is another."""

    value: float
    name: str = "fitted"

    def offset(self, vector: FloatArray, along: FloatArray) -> float:  # noqa: ARG002
        """The fit's own."""
        return self.value


@final
@dataclass(frozen=True, eq=False)
class Draft:
    """What a source gives: a vector, nothing measured yet.

    Parameters
    ----------
    name : str
        What it will be called.
    space : Space
        Which the vector is of.
    vector : (dim,) float64
        Of any non-zero norm.
    method, label : str
        See `Direction`.
    boundary : Boundary
    ids : (m,) int64
        Items that shaped it.
    classes : tuple of int
        How many of them are positive and negative, where a label says so.
    is_reading : bool
        Whether the vector is a reading rather than a movement.
    """

    name: str
    space: Space
    vector: FloatArray
    method: str
    label: str
    boundary: Boundary
    ids: IdArray
    classes: tuple[int, int] = (0, 0)
    is_reading: bool = False


@final
@dataclass(frozen=True, eq=False)
class Judges:
    """Items that did not shape a draft, which measure it.

    Parameters
    ----------
    vectors : (n, dim)
    is_positive : (n,) bool, optional
        Which have the attribute; None where no label says so.
    ids : (n,) int64
    label : str, optional
        Column of `is_positive` where the draft is of no label.
    nuisance_labels : mapping of name to (n,) float64
        1 and 0 for items that have and lack each nuisance, NaN where it is not known.
    """

    vectors: RealArray
    is_positive: BoolArray | None
    ids: IdArray
    label: str | None = None
    nuisance_labels: Mapping[str, FloatArray] = field(default_factory=dict)


@final
@dataclass(frozen=True)
class Resampling:
    """Seed of the split and of the resamples behind 95 % intervals, and how many of them."""

    seed: int = 0
    n_resamples: int = 500
