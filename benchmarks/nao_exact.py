"""Whether every answer that is called exact is the true one: random queries over ten corpora.

    python -m benchmarks.nao_exact
    python -m benchmarks.nao_exact --queries 100

Of each corpus a thousand queries are answered by the flat and by the SQ8 index in turns, some of
them under a filter, and compared with brute force: the NAO distance to every allowed row. An
answer fails when it is not called exact, or when one of its distances is not the true one.
"""

from __future__ import annotations

import sys
import time
from typing import NamedTuple

import numpy as np

from benchmarks._arguments import make_parser
from benchmarks._record import record
from indexers.index import build_index
from indexers.kinds import make_config
from indexers.metric import AbstractPrior, ChiPrior, FittedPrior, NaoMetric, NoPrior
from indexers.types import Float32Array

K = 10
KINDS = ("flat", "sq8")
# Directions are kept in float32: an angle is off by some 5e-8.
RELATIVE, ANGLE = 1e-6, 2e-7


class Recipe(NamedTuple):
    """How a corpus is made."""

    name: str
    n: int
    dim: int
    norm_std: float
    prior: str = "chi"
    clusters: int = 0
    spread: float = 0.3


RECIPES = (
    Recipe("on the shell", 4000, 1024, 0.0),
    Recipe("norms as chi says", 4000, 1024, 0.7),
    Recipe("norms twice as wide", 4000, 1024, 2.0),
    Recipe("norms far off", 2000, 1024, 8.0),
    Recipe("high dimension", 1000, 16_384, 2.0),
    Recipe("fitted prior", 3000, 512, 3.0, "fitted"),
    Recipe("angles only", 3000, 512, 2.0, "none"),
    Recipe("near duplicates", 1000, 1024, 1.0, clusters=40, spread=0.02),
    Recipe("clusters", 1500, 256, 1.0, clusters=30, spread=0.5),
    Recipe("low dimension", 300, 16, 0.7),
)


def main() -> None:
    """Answer all queries, count failures, keep the counts."""
    arguments = make_parser(__doc__)
    arguments.add_argument("--queries", type=int, default=1000, help="per corpus")
    arguments.add_argument("--seed", type=int, default=0)
    asked = arguments.parse_args()
    corpora = []
    for number, recipe in enumerate(RECIPES):
        started = time.perf_counter()
        result = _check(recipe, asked.queries, np.random.default_rng([asked.seed, number]))
        corpora.append({**recipe._asdict(), **result})
        print(corpora[-1], f"{time.perf_counter() - started:.0f} s", flush=True)
    failed = sum(int(corpus["failed"]) for corpus in corpora)
    results = {"queries": asked.queries * len(RECIPES), "failed": failed, "corpora": corpora}
    record("nao_exact", results, seed=asked.seed)
    if failed:
        sys.exit(1)


def _check(recipe: Recipe, n_queries: int, rng: np.random.Generator) -> dict[str, float]:
    everything = _vectors(recipe, recipe.n + n_queries, rng)
    vectors, queries = everything[: recipe.n], everything[recipe.n :]
    # Some ask for what is stored.
    queries[::7] = vectors[rng.integers(0, recipe.n, len(queries[::7]))]
    metric = NaoMetric(_prior(recipe, vectors))
    ids = np.arange(recipe.n)
    indexes = [build_index(vectors, ids, metric=metric, config=make_config(kind)) for kind in KINDS]
    slack = ANGLE * float(metric.from_polar(np.sqrt(recipe.dim), np.sqrt(recipe.dim), 1.0))
    failed, worst = 0, 0.0
    for at, query in enumerate(queries):
        allowed = ids if at % 3 else np.flatnonzero(rng.random(recipe.n) < 0.3)
        found = indexes[at % 2].search(query[None], K, allowed_ids=None if at % 3 else allowed)
        true = np.sort(metric.rows(query, vectors[allowed]))[:K]
        apart = np.abs(found.distances[0] - true)
        worst = max(worst, float((apart / np.maximum(true, 1.0)).max()))
        failed += not (found.exact and (apart <= RELATIVE * true + slack).all())
    return {"failed": failed, "worst_difference": worst}


def _vectors(recipe: Recipe, count: int, rng: np.random.Generator) -> Float32Array:
    directions = rng.standard_normal((count, recipe.dim), dtype=np.float32)
    if recipe.clusters:
        centres = directions[rng.integers(0, recipe.clusters, count)]
        directions = centres + np.float32(recipe.spread) * directions
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    norms = np.sqrt(recipe.dim - 1) + recipe.norm_std * rng.standard_normal((count, 1))
    vectors: Float32Array = directions * np.abs(norms).astype(np.float32)
    return vectors


def _prior(recipe: Recipe, vectors: Float32Array) -> AbstractPrior:
    if recipe.prior == "fitted":
        return FittedPrior.from_norms(np.linalg.norm(vectors, axis=1))
    return NoPrior() if recipe.prior == "none" else ChiPrior(recipe.dim)


if __name__ == "__main__":
    main()
