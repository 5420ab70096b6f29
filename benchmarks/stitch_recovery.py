"""Spaces C_i Z + ε_i of a known Z: what GCCA finds of Z, and how near maps come to Bayes.

    python -m benchmarks.stitch_recovery            # 100,000 items, 4 views of 64 to 512 dimensions
    python -m benchmarks.stitch_recovery --quick    # 5,000 items, 3 views of 24 to 64

All errors are exact: they follow from the fitted matrices and the known C_i, no test rows drawn.
Every view adds white noise, whose variance is `NOISE`, to a view of a Z of `LATENT` dimensions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise, permutations

import numpy as np
from scipy.linalg import subspace_angles

from benchmarks._arguments import make_parser
from benchmarks._record import record
from latentdb.space import Space
from latentdb.stitch.fit import MapOptions, fit_map_stream
from latentdb.stitch.gcca import Gcca, new_view_stream, stacked, views_of

LATENT = 16
NOISE = 0.5
BATCH = 10_000
METHODS = ("ridge", "reduced_rank", "cca")


class World:
    """Views C_i Z + ε_i + m_i, drawn batch by batch."""

    def __init__(self, dims: list[int], *, n: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.n, self.seed, self.dims = n, seed, dims
        self.loadings = [rng.normal(size=(dim, LATENT)) / np.sqrt(LATENT) for dim in dims]
        self.means = [rng.normal(size=dim) for dim in dims]

    def batches(self) -> Iterator[tuple[np.ndarray, list[np.ndarray]]]:
        """Ids and every view's rows (m, dim) float32; the same at every call."""
        rng = np.random.default_rng(self.seed + 1)
        for start in range(0, self.n, BATCH):
            ids = np.arange(start, min(start + BATCH, self.n))
            Z = rng.normal(size=(len(ids), LATENT))
            views = [
                Z @ C.T + np.sqrt(NOISE) * rng.normal(size=(len(ids), len(C))) + mean
                for C, mean in zip(self.loadings, self.means, strict=True)
            ]
            yield ids, [view.astype(np.float32) for view in views]

    def covariance(self, i: int, j: int) -> np.ndarray:
        """Cov(x_i, x_j)."""
        shared = self.loadings[i] @ self.loadings[j].T
        return shared + NOISE * np.eye(len(shared)) if i == j else shared

    def error(self, i: int, j: int, W: np.ndarray) -> float:
        """E‖x_j − W x_i‖² of centred views."""
        cross = W @ self.covariance(i, j)
        own = self.covariance(j, j)
        return float(np.trace(own) - 2 * np.trace(cross) + np.sum(W @ self.covariance(i, i) * W))

    def bayes(self, i: int, j: int) -> float:
        """The least that any map, linear or not, can have: E Var(x_j | x_i)."""
        best = np.linalg.solve(self.covariance(i, i), self.covariance(i, j)).T
        return self.error(i, j, best)


def main() -> None:
    """Fit on drawn items, compare with what is known, print and keep it."""
    arguments = make_parser(__doc__)
    arguments.add_argument("--n", type=int, default=100_000)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--quick", action="store_true")
    asked = arguments.parse_args()
    dims = [24, 48, 64] if asked.quick else [64, 128, 256, 512]
    world = World(dims, n=5000 if asked.quick else asked.n, seed=asked.seed)
    results = {
        "n": world.n,
        "dims": dims,
        "latent": LATENT,
        "noise_variance": NOISE,
        "gcca": _shared(world),
        "maps": _maps(world),
    }
    if asked.quick:
        print(json.dumps(results, indent=2))
        return
    record("stitch_recovery", results, seed=asked.seed)


def _shared(world: World) -> dict[str, object]:
    """Principal angles in degrees between what GCCA finds and what there is."""
    stream = new_view_stream(world.dims, seed=world.seed, n_kept=2000)
    for ids, views in world.batches():
        stream.update(ids, *stacked(views))
    split = stream.split(0, min(2000, world.n // 5))
    validation = views_of(split.validation.X, split.validation.Y, world.dims)
    fitted = Gcca(LATENT).fit_moments(split.train, world.dims, validation=validation)
    chosen = Gcca().fit_moments(split.train, world.dims, validation=validation)
    # g = P x for all views x side by side; Cov(x_i, g) spans C_i where g is a function of Z.
    projection = np.concatenate(fitted.weights_, axis=1)
    C = np.concatenate(world.loadings)
    covariance = C @ C.T + NOISE * np.eye(len(C))
    ends = np.cumsum([0, *world.dims])
    loadings = [(covariance @ projection.T)[a:b] for a, b in pairwise(ends)]
    return {
        "loading_angle_max_deg": [
            _largest(found, known) for found, known in zip(loadings, world.loadings, strict=True)
        ],
        "latent_angle_max_deg": _latent_angle(projection, C, covariance),
        "latent_angle_max_deg_of_bayes": _latent_angle(
            np.linalg.solve(covariance, C).T, C, covariance
        ),
        "dimension_chosen": chosen.dim_,
        "eigenvalues_of_as_many_as_there_are": fitted.eigenvalues_.tolist(),
    }


def _latent_angle(projection: np.ndarray, C: np.ndarray, covariance: np.ndarray) -> float:
    """Largest principal angle between Z and g = P x as random variables, in degrees."""
    own = np.linalg.cholesky(projection @ covariance @ projection.T)
    cosines = np.linalg.svd(np.linalg.solve(own, projection @ C), compute_uv=False)
    return float(np.degrees(np.arccos(min(cosines.min(), 1.0))))


def _largest(found: np.ndarray, known: np.ndarray) -> float:
    return float(np.degrees(subspace_angles(found, known).max()))


def _maps(world: World) -> list[dict[str, object]]:
    """Excess error over Bayes of the map of every ordered pair by every method."""
    rows = []
    for i, j in permutations(range(len(world.dims)), 2):
        spaces = (_space(i, world.dims[i]), _space(j, world.dims[j]))
        bayes = world.bayes(i, j)
        for method in METHODS:
            fitted = fit_map_stream(
                ((ids, views[i], views[j]) for ids, views in world.batches()),
                spaces=spaces,
                method=method,
                options=MapOptions(n_permutations=0),
            )
            excess = world.error(i, j, fitted.weight.astype(np.float64)) / bayes - 1
            rows.append(
                {
                    "from": world.dims[i],
                    "to": world.dims[j],
                    "method": method,
                    "rank": fitted.rank,
                    "bayes_error": bayes,
                    "excess": excess,
                }
            )
    return rows


def _space(i: int, dim: int) -> Space:
    return Space(f"view-{i}", "embedding", dim, "none", {"view": i})


if __name__ == "__main__":
    main()
