"""From a few inverted faces to new noise: one recipe of points, drawn by every method alike.

A cell (concept, draw) fixes which points are made: the centroid of the seeds, then by turns a
point between the centroid and a seed and a point between two seeds. Every method makes the same
ones, so that methods can be compared point by point.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from indexers.metric import ChiPrior, FittedPrior

Noise = NDArray[np.float32]
PATH_STEPS = 9
_INNER = range(2, PATH_STEPS - 2)
PERTURBATION_RAD = 0.3

METHODS: Mapping[str, tuple[Any, Any, str | None]] = {
    "lerp + mean": ("lerp", "mean", None),
    "slerp + karcher": ("slerp", "karcher", None),
    "NAO, chi": ("nao", "nao", "chi"),
    "NAO, fitted": ("nao", "nao", "fitted"),
    "LOL": ("lol", "lol", None),
}
"""Path, centroid and prior of each way that is compared."""


@final
@dataclass(frozen=True, slots=True)
class Point:
    """One new noise: the centroid, or a point `step` of the way of nine on a path to `end`.

    Parameters
    ----------
    kind : "centroid", "spoke" or "chord"
        A spoke starts at the centroid, a chord at seed `start`.
    start, end, step : int
        Places of seeds, and of the point on the path.
    """

    kind: Literal["centroid", "spoke", "chord"]
    start: int = 0
    end: int = 0
    step: int = 0


def choose_points(shots: int, n: int, rng: np.random.Generator) -> list[Point]:
    """`n` points for `shots` seeds; one seed has no path, and only its centroid is made."""
    points = [Point("centroid")]
    while len(points) < n and shots > 1:
        start, end = rng.choice(shots, size=2, replace=False).tolist()
        step = int(rng.choice(_INNER))
        kind: Literal["spoke", "chord"] = "spoke" if len(points) % 2 else "chord"
        points.append(Point(kind, start, end, step))
    return points


def make_noise(
    method: str, seeds: Noise, points: list[Point], priors: Mapping[str, Any]
) -> NDArray[np.float32]:
    """The points (n, dim) of one cell, made by one method.

    Parameters
    ----------
    method : str
        A key of `METHODS`.
    seeds : (shots, dim)
        Inverted faces. Not modified.
    points : list of Point
    priors : mapping
        `chi` and `fitted`.
    """
    from latentdb.geometry import centroid, interpolate

    path, middle, prior_name = METHODS[method]
    prior = {} if prior_name is None else {"prior": priors[prior_name]}
    exact = seeds.astype(np.float64)
    if not np.isfinite(exact).all():
        sys.exit("a seed's noise is not finite")
    centre = centroid(exact, method=middle, **prior)
    made = []
    for point in points:
        if point.kind == "centroid":
            made.append(centre)
            continue
        first = centre if point.kind == "spoke" else exact[point.start]
        curve = interpolate(first, exact[point.end], steps=PATH_STEPS, method=path, **prior)
        made.append(curve[point.step])
    return np.stack(made).astype(np.float32)


def make_priors(dim: int, norms: NDArray[np.float64]) -> dict[str, Any]:
    """The paper's prior, and one fitted to the norms of inverted faces that are no seeds."""
    return {"chi": ChiPrior(dim), "fitted": FittedPrior.from_norms(norms)}


def perturb(seeds: Noise, angles_rad: NDArray[np.float64], rng: np.random.Generator) -> Noise:
    """Each seed (n, dim) turned by an angle (n,) into a random direction, its norm kept."""
    norms = np.linalg.norm(seeds, axis=1, keepdims=True)
    units = seeds.astype(np.float64) / norms
    random = rng.standard_normal(units.shape)
    random -= (random * units).sum(axis=1, keepdims=True) * units
    random /= np.linalg.norm(random, axis=1, keepdims=True)
    turned = np.cos(angles_rad)[:, None] * units + np.sin(angles_rad)[:, None] * random
    return np.asarray(norms * turned, np.float32)


def angle_to_nearest(noise: Noise, seeds: Noise) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Place (n,) of the seed of the smallest angle, and that angle in radians (n,)."""
    rows = noise.astype(np.float64) / np.linalg.norm(noise, axis=1, keepdims=True)
    units = seeds.astype(np.float64) / np.linalg.norm(seeds, axis=1, keepdims=True)
    cosines = rows @ units.T
    return cosines.argmax(axis=1), np.arccos(np.clip(cosines.max(axis=1), -1.0, 1.0))
