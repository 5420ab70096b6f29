"""Certified NAO search against plain cosine search, in one run.

    python -m benchmarks.nao_search

One query at a time, its ten nearest, under the chi prior. Compared: our flat and our SQ8 index
(both exact: every answer must come back certified), FAISS `IndexFlatIP` over the unit rows, which
knows nothing of norms and is the limit (every row read once), and the exhaustive scan that measures
NAO to every row. Ours and FAISS take turns; a ratio is of medians of one round, and the median of
the rounds is kept. With one thread all share one core; with two, FAISS still compares a single
query on one, and so do our codes.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks._arguments import make_parser
from benchmarks._record import record
from indexers.faiss_library import faiss
from indexers.index import VectorIndex, build_index
from indexers.kinds import make_config
from indexers.metric import ChiPrior, NaoMetric
from indexers.types import Float32Array

K = 10
SHAPES = ((100_000, 1024), (20_000, 16_384))
NORM_STDS = (0.0, 0.7, 2.0, 8.0)
KINDS = ("flat", "sq8")
EXHAUSTIVE_QUERIES = 2
GOALS = {"flat": 1.0, "sq8": 0.5}


class Corpus(NamedTuple):
    """Directions of rows and queries, and their norms."""

    units: Float32Array
    query_units: Float32Array
    vectors: Float32Array
    queries: Float32Array


def main() -> None:
    """Measure every shape, spread of norms, kind and number of threads."""
    arguments = make_parser(__doc__)
    arguments.add_argument("--queries", type=int, default=30)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    arguments.add_argument("--scale", type=float, default=1.0, help="of the numbers of rows")
    arguments.add_argument("--seed", type=int, default=0)
    asked = arguments.parse_args()
    results = []
    for n, dim in SHAPES:
        shape = (int(n * asked.scale), dim)
        for std in NORM_STDS:
            corpus = _corpus(shape, std, asked.queries, asked.seed)
            results += _compare(corpus, std, asked.threads, asked.rounds)
    found = {"k": K, "queries": asked.queries, "goals": GOALS, "cases": results}
    record("nao_search", found, seed=asked.seed)


def _corpus(shape: tuple[int, int], std: float, n_queries: int, seed: int) -> Corpus:
    n, dim = shape
    rng = np.random.default_rng(seed)
    units = rng.standard_normal((n + n_queries, dim), dtype=np.float32)
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    norms = np.sqrt(dim - 1) + std * rng.standard_normal((n + n_queries, 1))
    vectors = units * np.abs(norms).astype(np.float32)
    return Corpus(units[:n], units[n:], vectors[:n], vectors[n:])


def _compare(
    corpus: Corpus, std: float, threads: Sequence[int], rounds: int
) -> list[dict[str, object]]:
    n, dim = corpus.vectors.shape
    metric = NaoMetric(ChiPrior(dim))
    cosine = faiss.IndexFlatIP(dim)
    cosine.add(corpus.units)
    exhaustive_ms = _exhaustive_ms(metric, corpus)
    cases: list[dict[str, object]] = []
    for kind in KINDS:
        index = build_index(corpus.vectors, np.arange(n), metric=metric, config=make_config(kind))
        for count in threads:
            faiss.omp_set_num_threads(count)
            with threadpool_limits(count):
                case = _one_kind(index, cosine, corpus, rounds)
            row: dict[str, object] = {
                "n": n,
                "dim": dim,
                "norm_std": std,
                "kind": kind,
                "threads": count,
                **case,
                "ratio_to_exhaustive_nao": case["nao_ms"] / exhaustive_ms,
            }
            print(row, flush=True)
            cases.append(row)
    return cases


def _one_kind(index: VectorIndex, cosine: Any, corpus: Corpus, rounds: int) -> dict[str, float]:
    exact = [index.search(query[None], K).exact for query in corpus.queries]
    ours, theirs, ratios = [], [], []
    for _ in range(rounds):
        theirs.append(_median_ms(lambda at: cosine.search(corpus.query_units[at, None], K), corpus))
        ours.append(_median_ms(lambda at: index.search(corpus.queries[at, None], K), corpus))
        ratios.append(ours[-1] / theirs[-1])
    return {
        "certified": sum(exact) / len(exact),
        "nao_ms": statistics.median(ours),
        "cosine_ms": statistics.median(theirs),
        "ratio_to_cosine": statistics.median(ratios),
    }


def _median_ms(call: Callable[[int], object], corpus: Corpus) -> float:
    """Milliseconds per query."""
    seconds = []
    for at in range(len(corpus.queries)):
        started = time.perf_counter()
        call(at)
        seconds.append(time.perf_counter() - started)
    return 1e3 * statistics.median(seconds)


def _exhaustive_ms(metric: NaoMetric, corpus: Corpus) -> float:
    """Milliseconds to measure NAO from one query to every row."""
    started = time.perf_counter()
    for query in corpus.queries[:EXHAUSTIVE_QUERIES]:
        metric.rows(query, corpus.vectors)
    return 1e3 * (time.perf_counter() - started) / EXHAUSTIVE_QUERIES


if __name__ == "__main__":
    main()
