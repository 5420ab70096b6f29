"""What rows are held against: a Gaussian of their own mean and covariance, and two of them."""

from __future__ import annotations

from typing import Final

import numpy as np

from latentdb.model import Vectors

SEPARATION: Final = 3.0


def gaussian_twin(vectors: Vectors, n: int, *, rng: np.random.Generator) -> Vectors:
    """Draws (n, dim) from the Gaussian with the mean and covariance of `vectors` (m, dim).

    A combination of the centred rows with standard normal weights has their covariance exactly,
    whatever the dimension, and needs no decomposition of it.
    """
    mean = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    weights = rng.standard_normal((n, len(vectors)), dtype=np.float32)
    twin: Vectors = mean + weights @ (vectors - mean) / np.float32(np.sqrt(len(vectors) - 1))
    return twin


def bimodal(twin: Vectors, *, rng: np.random.Generator) -> Vectors:
    """`twin` (n, dim) with its rows moved, at random, one way or the other.

    The way is a random direction, and so long that on a random projection the two centres lie
    ±3 standard deviations from the middle, as a root mean square.
    """
    spread = np.sqrt(twin.var(axis=0, dtype=np.float64).sum())
    way = rng.standard_normal(twin.shape[1])
    way *= SEPARATION * spread / np.linalg.norm(way)
    sides = rng.choice([-1.0, 1.0], size=len(twin))
    moved: Vectors = twin + np.outer(sides, way).astype(np.float32)
    return moved
