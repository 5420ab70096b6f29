"""Time of a single-query flat search through `indexers`, as a ratio to bare FAISS, in one run.

    python -m benchmarks.search_overhead_bare [--rows 100000] [--dim 1024] [--queries 30]

Every query is asked of both, alternately; the ratio of the medians is printed. Targets: 1.1 for
Euclidean and cosine; 1.0 for NAO (certified exact) against bare cosine.
"""

from __future__ import annotations

import time

import numpy as np

from benchmarks._arguments import make_parser
from indexers.faiss_library import faiss
from indexers.flat import FlatConfig
from indexers.index import build_index
from indexers.metric import ChiPrior, CosineMetric, EuclideanMetric, NaoMetric


def timed(function, *args):
    """Seconds that a call takes, and its result."""
    start = time.perf_counter()
    result = function(*args)
    return time.perf_counter() - start, result


def compare(metric, vectors, queries):
    """Median seconds of our search and of FAISS's, and how many answers were exact."""
    index = build_index(vectors, np.arange(len(vectors)), metric=metric, config=FlatConfig())
    # Of NAO the unit rows under the inner product, as of cosine, which it is measured against.
    bare = index.stage.faiss_index
    ours, theirs, exact = [], [], 0
    for query in queries:
        ours_s, result = timed(index.search, query[None, :], 10)
        theirs_s, _ = timed(bare.search, query[None, :], 10)
        ours.append(ours_s)
        theirs.append(theirs_s)
        exact += result.exact
    return np.median(ours), np.median(theirs), exact


def main():
    """Print one line per metric."""
    parser = make_parser(__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=1024)
    parser.add_argument("--queries", type=int, default=30)
    parser.add_argument("--norm-sd", type=float, default=0.7)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((options.rows, options.dim), dtype=np.float32)
    norms = np.sqrt(options.dim - 1) + options.norm_sd * rng.standard_normal(options.rows)
    vectors *= (norms / np.linalg.norm(vectors, axis=1))[:, None].astype(np.float32)
    queries = rng.standard_normal((options.queries, options.dim), dtype=np.float32)
    print(f"faiss {faiss.__version__}, {options.rows} x {options.dim}, single queries, k = 10")
    for metric in (EuclideanMetric(), CosineMetric(), NaoMetric(ChiPrior(options.dim))):
        ours, theirs, exact = compare(metric, vectors, queries)
        print(
            f"{metric.name:10s} ours {ours * 1e3:7.2f} ms  bare {theirs * 1e3:7.2f} ms  "
            f"ratio {ours / theirs:.2f}  exact {exact}/{len(queries)}"
        )


if __name__ == "__main__":
    main()
