"""The kinds of index side by side: build time, recall, and time of a query over bare FAISS.

    python -m benchmarks.index_kinds

Under cosine, one thread, one query at a time, for data in clusters (a mixture of Gaussians of 32
intrinsic dimensions, as embeddings are) and for whole-space Gaussian noise, where neighbours are
hardly nearer than anything else. Every kind with its default settings.
"""

from __future__ import annotations

import statistics
import time

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks._arguments import make_parser
from benchmarks._record import record
from indexers.faiss_library import faiss
from indexers.flat import FlatConfig
from indexers.index import build_index
from indexers.kinds import make_config
from indexers.metric import CosineMetric
from indexers.recall import measured_recall
from indexers.types import INDEX_KINDS, Float32Array

K = 10
CLUSTERS, INTRINSIC_DIM, CENTRE_SPREAD = 100, 32, 0.7


def main() -> None:
    """Build, measure and keep."""
    arguments = make_parser(__doc__)
    arguments.add_argument("--n", type=int, default=20_000)
    arguments.add_argument("--dim", type=int, default=1024)
    arguments.add_argument("--queries", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=0)
    asked = arguments.parse_args()
    faiss.omp_set_num_threads(1)
    cases = {}
    with threadpool_limits(1):
        for name, make in (("clusters", _clusters), ("noise", _noise)):
            vectors = make(asked.n, asked.dim, np.random.default_rng(asked.seed))
            cases[name] = _compare(vectors, asked.queries)
    record("index_kinds", {"n": asked.n, "dim": asked.dim, "cases": cases}, seed=asked.seed)


def _compare(vectors: Float32Array, n_queries: int) -> dict[str, dict[str, float]]:
    ids, queries, metric = np.arange(len(vectors)), vectors[:n_queries], CosineMetric()
    exact = build_index(vectors, ids, metric=metric, config=FlatConfig())
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    bare = faiss.IndexFlatIP(vectors.shape[1])
    bare.add(units)
    results: dict[str, dict[str, float]] = {}
    for kind in INDEX_KINDS:
        started = time.perf_counter()
        index = build_index(vectors, ids, metric=metric, config=make_config(kind))
        built = time.perf_counter() - started
        bare_s, query_s = [], []
        for query, unit in zip(queries, units, strict=False):
            started = time.perf_counter()
            bare.search(unit[None], K)
            between = time.perf_counter()
            index.search(query[None], K)
            bare_s.append(between - started)
            query_s.append(time.perf_counter() - between)
        results[kind] = {
            "build_s": built,
            "query_ms": 1e3 * statistics.median(query_s),
            "time_over_bare_flat": statistics.median(query_s) / statistics.median(bare_s),
            "recall_at_10": measured_recall(index, exact, queries),
        }
        print(kind, results[kind], flush=True)
    return results


def _clusters(n: int, dim: int, rng: np.random.Generator) -> Float32Array:
    centres = CENTRE_SPREAD * rng.standard_normal((CLUSTERS, dim))
    axes = rng.standard_normal((CLUSTERS, INTRINSIC_DIM, dim)) / np.sqrt(INTRINSIC_DIM)
    rows = [
        centres[cluster] + rng.standard_normal(INTRINSIC_DIM) @ axes[cluster]
        for cluster in rng.integers(0, CLUSTERS, n)
    ]
    return np.asarray(rows, np.float32)


def _noise(n: int, dim: int, rng: np.random.Generator) -> Float32Array:
    return rng.standard_normal((n, dim), dtype=np.float32)


if __name__ == "__main__":
    main()
