"""A small real encoder for the tests of ingest: pooled pixels through a fixed projection."""

from __future__ import annotations

from typing import final

import numpy as np

from latentdb.model import AbstractEncoder, Embedded, Pixels, Transform
from latentdb.space import Space


@final
class PooledEncoder(AbstractEncoder):
    """Means over a 4 x 4 grid of cells, through a fixed random projection.

    `seen` counts the pictures embedded so far, so that a test can tell that work was not done
    again.
    """

    def __init__(self, name: str = "pooled", *, dim: int = 8, size: int = 16) -> None:
        self._name = name
        self._size = size
        self._projection = np.random.default_rng(dim).standard_normal((48, dim))
        self.seen = 0

    @property
    def space(self) -> Space:
        settings = {"size": self._size, "grid": 4}
        dim = self._projection.shape[1]
        return Space(
            self._name, "embedding", dim, f"{self._name}=test:pooled", settings, quality=("tone",)
        )

    @property
    def transform(self) -> Transform:
        return Transform(self._size, "bilinear")

    def embed(self, pixels: Pixels) -> Embedded:
        self.seen += len(pixels)
        cell = self._size // 4
        cells = pixels.reshape(len(pixels), 4, cell, 4, cell, 3).mean(axis=(2, 4)) / 255.0
        vectors = cells.reshape(len(pixels), 48) @ self._projection
        tone = cells.mean(axis=(1, 2, 3)).astype(np.float32)
        return Embedded(vectors.astype(np.float32), {"tone": tone})
