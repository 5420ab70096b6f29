"""One query of a NAO search against the rows of a stage: exact distances, nearest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from indexers.checks import row_blocks
from indexers.metric.angles import angle_matrix
from indexers.metric.nao import NaoMetric
from indexers.metric.nao_bound import NaoBound
from indexers.stage import AbstractStage
from indexers.types import Float32Array, FloatArray, IdArray


@final
@dataclass(frozen=True, slots=True, eq=False)
class NaoCorpus:
    """The rows that queries are measured against, their norms (n,) and penalties g (n,)."""

    stage: AbstractStage
    norms: FloatArray
    penalties: FloatArray


@final
class NaoQuery:
    """A unit query (dim,) of norm `radius`, and the nearest rows it has met so far.

    Attributes
    ----------
    positions, distances, angles : (m,)
        Of the rows that were measured, nearest first.
    """

    def __init__(
        self,
        measure: tuple[NaoMetric, NaoBound],
        corpus: NaoCorpus,
        unit: Float32Array,
        radius: float,
    ) -> None:
        self._metric, self._bound = measure
        self._corpus = corpus
        self.unit, self.radius = unit, float(radius)
        # Through float32 like the rows, so that an identical vector is at angle 0.
        self._direction = _directions(unit[None, :])
        self._home = float(self._bound.penalty(np.array([self.radius]))[0])
        self._met = np.zeros(len(corpus.norms), np.bool_)
        self.positions: IdArray = np.empty(0, np.int64)
        self.distances: FloatArray = np.empty(0)
        self.angles: FloatArray = np.empty(0)

    def kth(self, k: int) -> float:
        """Distance of the k-th nearest met; `inf` where there are fewer."""
        return float(self.distances[k - 1]) if len(self.distances) >= k else float("inf")

    def meet(self, positions: IdArray, k: int) -> None:
        """Measure the rows at `positions`, distinct, as far as they may be among the k nearest.

        They are measured in the order of a lower bound, until it exceeds the k-th best. A row
        that was passed over stays so: the k-th best only falls.
        """
        new = positions[~self._met[positions]]
        if not new.size:
            return
        self._met[new] = True
        angles = self._angles(new)
        least = self._least(new, angles)
        order = np.argsort(least, kind="stable")
        step = k + 6
        start = 0
        while start < len(order) and least[order[start]] <= self.kth(k):
            some = order[start : start + step]
            self._insert(new[some], angles[some])
            start, step = start + step, 2 * step

    def _insert(self, positions: IdArray, angles: FloatArray) -> None:
        norms = self._corpus.norms[positions]
        distances = self._metric.from_polar(self.radius, norms, angles)
        merged = np.concatenate([self.distances, distances])
        order = np.argsort(merged, kind="stable")
        self.distances = merged[order]
        self.positions = np.concatenate([self.positions, positions])[order]
        self.angles = np.concatenate([self.angles, angles])[order]

    def _least(self, positions: IdArray, angles: FloatArray) -> FloatArray:
        """A cheap lower bound of f for each row, from its norm and exact angle.

        κ·θ + |R(r0) − R(r1)| beyond the core: a near pair saves at most twice the lesser R.
        Of a pair with an end in the core nothing is said.
        """
        norms = self._corpus.norms[positions]
        apart = np.abs(self._corpus.penalties[positions] - self._home)
        least: FloatArray = self._bound.kappa * (angles + apart) * (1.0 - 1e-9)
        is_covered = self._bound.covers(norms) & self._bound.covers(np.array(self.radius))
        return np.where(is_covered, least, 0.0)

    def _angles(self, positions: IdArray) -> FloatArray:
        angles = np.empty(len(positions))
        dim = len(self.unit)
        for block in row_blocks(len(positions), dim):
            # The penalty column of a graph's rows is no coordinate.
            rows = self._corpus.stage.gather(positions[block])[:, :dim]
            angles[block] = angle_matrix(self._direction, _directions(rows))[0]
        # The angle at the origin means nothing; 0 keeps the angular part out.
        angles[(self._corpus.norms[positions] == 0) | (self.radius == 0)] = 0.0
        return angles


def _directions(units: Float32Array) -> FloatArray:
    """Unit rows of float32 made so in float64; a zero row stays zero."""
    rows = units.astype(np.float64)
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    rows /= np.where(lengths > 0, lengths, 1.0)[:, None]
    return rows
