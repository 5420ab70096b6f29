"""How often what one face has over another is carried to a third, by each route."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from benchmarks.edit_scores import PerceptualDistance, Resampled, Seen
from benchmarks.rare_concepts.judges import Judges
from latentdb.arrays import BoolArray
from latentdb.directions.pair_svd import AT, RANK, integrate, require_trajectory
from latentdb.geometry import restore_norm
from latentdb.model import Pixels, Vectors

Rows = NDArray[np.int64]


@final
@dataclass(frozen=True, eq=False)
class Triples:
    """Rows of faces: B has an attribute that A lacks, and C lacks it too.

    Parameters
    ----------
    a, b, c : (n,) int
    target : (n,) int
        Column of the attribute.
    """

    a: Rows
    b: Rows
    c: Rows
    target: Rows


def draw_triples(has: BoolArray, n: int, *, alike: bool, seed: int) -> Triples:
    """Faces by chance; with `alike`, A and B differ by their labels in the target alone."""
    rng = np.random.default_rng(seed)
    codes = has @ (1 << np.arange(has.shape[1]))
    rows: list[tuple[int, int, int, int]] = []
    while len(rows) < n:
        target, a = len(rows) % has.shape[1], int(rng.integers(len(has)))
        if has[a, target]:
            continue
        partners = np.flatnonzero(has[:, target])
        if alike:
            partners = np.flatnonzero(codes == codes[a] + (1 << target))
        lacking = np.flatnonzero(~has[:, target])
        lacking = lacking[lacking != a]
        if len(partners):
            rows.append((a, int(rng.choice(partners)), int(rng.choice(lacking)), target))
    return Triples(*np.array(rows).T)


@final
class PairStudy:
    """Every route over one set of triples.

    Parameters
    ----------
    judges : Judges
    noise : (n, dim) float32
        Of all faces.
    has : (n, 12) bool
        Their labels.
    """

    def __init__(self, judges: Judges, noise: Vectors, has: BoolArray) -> None:
        self._judges, self._noise, self._has = judges, noise, has
        self._model = require_trajectory(judges.generator)
        self._steps = self._model.grid.steps
        self._level = round(AT * self._steps)
        self._distance = PerceptualDistance()

    def run(self, triples: Triples, *, seed: int) -> dict[str, Any]:
        """Scores of each route."""
        a, b, c = (self._noise[rows] for rows in (triples.a, triples.b, triples.c))
        midway = [self._follow(rows) for rows in (a, b, c)]
        shift = self._integrated(midway[0], midway[1]) - midway[0]
        own = self._model.follow(
            (midway[0] + shift).astype(np.float32), start=self._level, stop=self._steps
        )
        routes: dict[str, Callable[[], Pixels]] = {
            "difference of noises, half": lambda: self._at_norm(c + 0.5 * (b - a), c),
            "difference of noises": lambda: self._at_norm(c + (b - a), c),
            "difference midway": lambda: self._midway(midway[2] + midway[1] - midway[0]),
            "svd, carried on to noise": lambda: self._at_norm(c + (own - a), c),
            "svd midway (`edit --pair`)": lambda: self._midway(midway[2] + shift),
        }
        before = Seen.by(self._judges, self._judges.decode(c))
        scores = {name: self._score(triples, before, draw(), seed) for name, draw in routes.items()}
        first = Seen.by(self._judges, self._judges.decode(a))
        moved = self._midway(midway[0] + shift)
        itself = Triples(triples.a, triples.b, triples.a, triples.target)
        scores["svd midway, of the first of the pair itself"] = self._score(
            itself, first, moved, seed
        )
        return scores

    def _score(
        self, triples: Triples, before: Seen, pixels: Pixels, seed: int
    ) -> dict[str, dict[str, float]]:
        after = Seen.by(self._judges, pixels)
        change = after.change_from(before)
        rows = np.arange(len(pixels))
        resampled = Resampled(1, len(pixels), seed=seed)
        lacked = ~before.has[:, rows, triples.target]
        gained = lacked & after.has[:, rows, triples.target]
        alike = self._has[triples.a] == self._has[triples.b]
        unasked = np.where(alike, np.abs(change), np.nan)
        return {
            "success": resampled.ratio(
                gained.mean(axis=0).astype(float), lacked.mean(axis=0).astype(float)
            ),
            "unasked": resampled.mean(np.nanmean(unasked, axis=1)),
            "identity": resampled.mean((after.ssl * before.ssl).sum(axis=1).astype(float)),
            "perceptual": resampled.mean(self._distance(pixels, before.pixels)),
        }

    def _follow(self, noise: Vectors) -> NDArray[np.float64]:
        states = self._model.follow(noise, start=self._steps, stop=self._level)
        return states.astype(np.float64)

    def _integrated(
        self, source: NDArray[np.float64], target: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """States (n, dim) of the first in each pair, by singular vectors of both."""
        shape = (-1, *self._model.latent_shape)
        whole = integrate(source.reshape(shape), target.reshape(shape), RANK)
        return whole.reshape(source.shape)

    def _midway(self, states: NDArray[np.float64]) -> Pixels:
        return self._model.decode_from(states.astype(np.float32), self._level)

    def _at_norm(self, moved: Vectors, of: Vectors) -> Pixels:
        norms = np.linalg.norm(of.astype(np.float64), axis=1)
        return self._judges.decode(restore_norm(moved, norms))
