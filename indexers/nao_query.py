"""One query of a NAO search against the rows of a stage: exact distances, nearest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, final

import numpy as np

from indexers.checks import row_blocks
from indexers.metric.angles import angle_matrix
from indexers.metric.nao import NaoMetric
from indexers.metric.nao_bound import NaoBound
from indexers.stage import AbstractStage
from indexers.types import Float32Array, FloatArray, IdArray

# Rows measured first for k hits: at least this many more, and this many times as many.
_MORE, _TIMES = 30, 3


def foremost_count(k: int) -> int:
    """How many rows of the largest c − g are measured first for `k` hits."""
    return max(_TIMES * k, k + _MORE)


@final
@dataclass(frozen=True, slots=True, eq=False)
class NaoCorpus:
    """The rows that queries are measured against, their norms (n,) and penalties g (n,)."""

    stage: AbstractStage
    norms: FloatArray
    penalties: FloatArray


class _Queue(NamedTuple):
    """Rows to be measured, the least lower bound first."""

    positions: IdArray
    angles: FloatArray
    least: FloatArray


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
        bound: NaoBound,
        corpus: NaoCorpus,
        unit: Float32Array,
        radius: float,
    ) -> None:
        self._bound, self._corpus = bound, corpus
        self.unit, self.radius = unit, float(radius)
        # Through float32 like the rows, so that an identical vector is at angle 0.
        self._direction = _directions(unit[None, :])
        self._home = float(self._bound.penalty(np.array([self.radius]))[0])
        self._offered = np.zeros(len(corpus.norms), np.bool_)
        self._queue = _Queue(np.empty(0, np.int64), np.empty(0), np.empty(0))
        self.positions: IdArray = np.empty(0, np.int64)
        self.distances: FloatArray = np.empty(0)
        self.angles: FloatArray = np.empty(0)

    def kth(self, k: int) -> float:
        """Distance of the k-th nearest met; `inf` where there are fewer."""
        return float(self.distances[k - 1]) if len(self.distances) >= k else float("inf")

    def offer(self, positions: IdArray) -> None:
        """Queue the rows at `positions`, distinct, in the order of a lower bound, to be measured.

        A row that was offered before is passed over.
        """
        new = positions[~self._offered[positions]]
        self._offered[new] = True
        angles = self._angles(new)
        least = self._least(new, angles)
        order = np.argsort(least, kind="stable")
        self._queue = _Queue(new[order], angles[order], least[order])

    def next_rows(self, k: int, count: int) -> tuple[IdArray, FloatArray]:
        """Up to `count` rows of the queue that may be among the k nearest, and their angles.

        The k-th best only falls, so a row that cannot be now will never be.
        """
        queue = self._queue
        may_be = int(np.searchsorted(queue.least, self.kth(k), side="right"))
        some = slice(0, min(count, may_be))
        rest = slice(some.stop, may_be)
        self._queue = _Queue(queue.positions[rest], queue.angles[rest], queue.least[rest])
        return queue.positions[some], queue.angles[some]

    def forget(self) -> None:
        """Let go of what only the search itself needs: a flag for every row."""
        self._offered = np.empty(0, np.bool_)

    def insert(self, positions: IdArray, angles: FloatArray, distances: FloatArray) -> None:
        """Put measured rows among those that were met."""
        merged = np.concatenate([self.distances, distances])
        order = np.argsort(merged, kind="stable")
        self.distances = merged[order]
        self.positions = np.concatenate([self.positions, positions])[order]
        self.angles = np.concatenate([self.angles, angles])[order]

    def _least(self, positions: IdArray, angles: FloatArray) -> FloatArray:
        """A lower bound of f for each row; 0 where an end is in the core."""
        least = self._bound.least_of_pairs(self._home, self._corpus.penalties[positions], angles)
        norms = self._corpus.norms[positions]
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


def measure(metric: NaoMetric, corpus: NaoCorpus, queries: Sequence[NaoQuery], k: int) -> None:
    """Measure what the queries have queued, as far as it may be among their k nearest.

    Near pairs are solved by iteration, which costs little more for many than for one, so all
    queries are served at once.
    """
    count = k + 6
    while True:
        rows = [query.next_rows(k, count) for query in queries]
        sizes = [len(positions) for positions, _ in rows]
        if not any(sizes):
            return
        radii = np.repeat([query.radius for query in queries], sizes)
        positions = np.concatenate([positions for positions, _ in rows])
        angles = np.concatenate([angles for _, angles in rows])
        distances = metric.from_polar(radii, corpus.norms[positions], angles)
        ends = np.cumsum(sizes)[:-1]
        for query, (near, turned), lengths in zip(
            queries, rows, np.split(distances, ends), strict=True
        ):
            query.insert(near, turned, lengths)
        count *= 2


def _directions(units: Float32Array) -> FloatArray:
    """Unit rows of float32 made so in float64; a zero row stays zero."""
    rows = units.astype(np.float64)
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    rows /= np.where(lengths > 0, lengths, 1.0)[:, None]
    return rows
