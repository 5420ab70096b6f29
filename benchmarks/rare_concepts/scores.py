"""What is said of a set of made faces: agreement, diversity, Fréchet distance, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist, pdist

Vectors = NDArray[np.float32]
COMPONENTS = 16
RESAMPLES = 2_000
LEVEL = 95


@final
@dataclass(frozen=True, slots=True)
class Made:
    """Faces of one cell, judged.

    Parameters
    ----------
    has : (n_judges, n, n_attributes) bool
        The judges' answers on the concept's attributes.
    ssl : (n, 256)
        Unit vectors, for distances between faces.
    clip : (n, 256)
        Unit vectors, for the Fréchet distance.
    to_seeds : (n,)
        Distance in `ssl` to the nearest reconstructed seed, NaN where there are no seeds.
    norms : (n,)
        Of the noise, NaN where there is none.
    """

    has: NDArray[np.bool_]
    ssl: Vectors
    clip: Vectors
    to_seeds: NDArray[np.float64]
    norms: NDArray[np.float64]

    def first(self, n: int) -> Made:
        """The first `n` faces alone."""
        return Made(self.has[:, :n], self.ssl[:n], self.clip[:n], self.to_seeds[:n], self.norms[:n])

    @property
    def scores(self) -> dict[str, float]:
        """Means over the cell; diversity is NaN for a single face."""
        alone = len(self.ssl) < 2
        return {
            "agreement_all": float(self.has.all(axis=2).mean()),
            "agreement_mean": float(self.has.mean()),
            "diversity": float("nan") if alone else float(pdist(self.ssl).mean()),
            "distance_to_seeds": float(self.to_seeds.mean()),
            "noise_norm": float(self.norms.mean()),
        }


def unit(vectors: Vectors) -> Vectors:
    """Rows (n, dim) of norm 1."""
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def nearest_distance(rows: Vectors, others: Vectors) -> NDArray[np.float64]:
    """Euclidean distance (n,) of each row to the nearest of `others`."""
    distances: NDArray[np.float64] = cdist(rows, others).min(axis=1)
    return distances


@final
class Frechet:
    """Fréchet distance on the first principal components of real faces.

    Sets are of some tens of faces, so 16 directions are all whose covariance they can tell;
    the value of two real sets of the same sizes is the floor to read it against.

    Parameters
    ----------
    real : (n, dim)
        Vectors of real faces of every concept, whose components are taken.
    """

    def __init__(self, real: Vectors) -> None:
        self._mean = real.mean(axis=0, dtype=np.float64)
        _, spread, rows = np.linalg.svd(real - self._mean, full_matrices=False)
        self._axes = rows[:COMPONENTS].T
        self.share = float((spread[:COMPONENTS] ** 2).sum() / (spread**2).sum())

    def __call__(self, made: Vectors, reference: Vectors) -> float:
        """‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½)."""
        first, second = ((rows - self._mean) @ self._axes for rows in (made, reference))
        left, right = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
        # tr (Σ₁Σ₂)^½ is the sum of the singular values of Σ₁^½ Σ₂^½, singular Σ included.
        cross = np.linalg.svd(_root(left) @ _root(right), compute_uv=False).sum()
        shift = np.square(first.mean(axis=0) - second.mean(axis=0)).sum()
        return float(shift + np.trace(left) + np.trace(right) - 2 * cross)


def cells_interval(values: NDArray[np.float64], seed: int) -> dict[str, Any]:
    """Mean of cells (n_concepts, n_draws) and its interval: concepts resampled, then their draws.

    A single draw a concept leaves the concepts to resample, whose values hold what draws add.

    Returns
    -------
    dict
        `value`, `low`, `high`; None throughout where a cell has no value.
    """
    if not np.isfinite(values).all():
        return {"value": None, "low": None, "high": None}
    rng = np.random.default_rng(seed)
    means = [_resampled(values, rng).mean() for _ in range(RESAMPLES)]
    return _interval(float(values.mean()), np.array(means))


def _root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    values, axes = np.linalg.eigh(covariance)
    root: NDArray[np.float64] = (axes * np.sqrt(values.clip(min=0))) @ axes.T
    return root


def _resampled(values: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    concepts, draws = values.shape
    rows = values[rng.integers(concepts, size=concepts)]
    return np.take_along_axis(rows, rng.integers(draws, size=(concepts, draws)), axis=1)


def _interval(value: float, resampled: NDArray[np.float64]) -> dict[str, Any]:
    low, high = np.percentile(resampled, [(100 - LEVEL) / 2, (100 + LEVEL) / 2])
    return {"value": round(value, 5), "low": round(float(low), 5), "high": round(float(high), 5)}
