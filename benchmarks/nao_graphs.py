"""NAO over a graph: ours, usearch with a native NAO metric, and re-ranked candidates, in one run.

    pip install -c constraints.txt -e ".[bench]"
    python -m benchmarks.nao_graphs
    python -m benchmarks.nao_graphs --n 100000 --ef-construction 128 --cases clustered:2:fitted

Every method answers the same queries on one thread, in one call of all of them, at widths (`ef`)
from 16 up; recall@10 is against brute-force exact NAO. The measure is the processor time of a query
over that of a bare FAISS cosine HNSW where both reach the same recall (cosine's against brute-force
cosine), interpolated between widths. Same links per row and same width of construction everywhere.

- *ours*: `build_index` with a NaoMetric and an HnswConfig.
- *usearch*: its graph under a compiled metric over rows [x̂, g(r)]: θ + g(r0) + g(r1), g = R/κ.
  That is NAO's far field: near pairs, for which NAO needs a solve, it gets too long.
- *l2, re-ranked*: 100 candidates of a FAISS L2 HNSW over the raw vectors, ranked by exact NAO.
- *cosine, re-ranked*: 100 candidates of the cosine HNSW, ranked by exact NAO.

In whole-space Gaussian noise neighbours are hardly nearer than anything else, and the recall of any
graph is low at any width that pays: those cases are a limit, the clustered ones are what latents
look like (a mixture of Gaussians of 32 intrinsic dimensions; norms drawn apart).
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from importlib.metadata import version
from typing import Any, NamedTuple, final

import numpy as np
from numba import carray, cfunc, types  # type: ignore[attr-defined]
from usearch.compiled import MetricKind, MetricSignature
from usearch.index import CompiledMetric, Index

from benchmarks._arguments import make_parser
from benchmarks._record import record
from indexers.faiss_library import faiss
from indexers.hnsw import HnswConfig
from indexers.index import VectorIndex, build_index
from indexers.metric import ChiPrior, FittedPrior, NaoMetric
from indexers.metric.priors import AbstractRadialPrior
from indexers.metric.shell import shell_of
from indexers.recall import recall_at_k
from indexers.types import Float32Array, FloatArray, IdArray

K = 10
RERANKED = 100
WIDTHS = (16, 32, 64, 128, 256, 512, 1024, 2048)
GOAL_RECALL = 0.98
# Below this nothing is compared.
LEAST_RECALL = 0.5
CASES = ("clustered:2:chi", "gaussian:0.7:chi", "gaussian:2:chi", "gaussian:8:chi")
CLUSTERS, INTRINSIC_DIM, SPREAD, AMBIENT = 100, 32, 1.0, 0.02


class Corpus(NamedTuple):
    """Vectors and queries of a case; unit rows and norms of both are made from these."""

    vectors: Float32Array
    queries: Float32Array


class Graph(NamedTuple):
    """How every graph is built."""

    m: int
    ef_construction: int


class Point(NamedTuple):
    """One width of one method."""

    width: int
    recall: float
    query_s: float


def main() -> None:
    """Run every case; print and keep the curves and the ratios."""
    arguments = make_parser(__doc__)
    arguments.add_argument("--n", type=int, default=20_000)
    arguments.add_argument("--dim", type=int, default=1024)
    arguments.add_argument("--queries", type=int, default=64)
    arguments.add_argument("--cases", nargs="+", default=list(CASES), help="data:norm_sd:prior")
    arguments.add_argument("--m", type=int, default=32)
    arguments.add_argument("--ef-construction", type=int, default=64)
    arguments.add_argument("--repeats", type=int, default=2)
    arguments.add_argument("--seed", type=int, default=0)
    asked = arguments.parse_args()
    faiss.omp_set_num_threads(1)
    started = time.perf_counter()
    graph = Graph(asked.m, asked.ef_construction)
    cases = {}
    # Cases of one kind of data differ in norms alone: the cosine graph is the same.
    cosines: dict[str, Faiss] = {}
    for name in asked.cases:
        data, std, prior = name.split(":")
        corpus = _corpus(data, float(std), (asked.n, asked.queries, asked.dim), asked.seed)
        if data not in cosines:
            cosines[data] = Faiss(corpus, graph, cosine=True)
        metric = NaoMetric(_prior(prior, corpus))
        methods = _methods(corpus, metric, graph, cosines[data])
        cases[name] = _run(corpus, metric, methods, asked.repeats)
    results = {
        "n": asked.n,
        "dim": asked.dim,
        "queries": asked.queries,
        "graph": graph._asdict(),
        "goal_recall": GOAL_RECALL,
        "cases": cases,
        "versions": {package: version(package) for package in ("usearch", "numba")},
        "seconds": round(time.perf_counter() - started, 1),
    }
    record("nao_graphs", results, seed=asked.seed)


def _corpus(data: str, std: float, shape: tuple[int, int, int], seed: int) -> Corpus:
    """Directions of a kind, at normal norms around the mode of the chi law."""
    n, n_queries, dim = shape
    rng = np.random.default_rng(seed)
    rows = n + n_queries
    if data == "gaussian":
        vectors = rng.standard_normal((rows, dim), dtype=np.float32)
    elif data == "clustered":
        centres = rng.standard_normal((CLUSTERS, INTRINSIC_DIM), dtype=np.float32)
        inner = centres[rng.integers(CLUSTERS, size=rows)]
        inner += SPREAD * rng.standard_normal((rows, INTRINSIC_DIM), dtype=np.float32)
        frame = np.linalg.qr(rng.standard_normal((dim, INTRINSIC_DIM)))[0].astype(np.float32)
        vectors = inner @ frame.T
        vectors += AMBIENT * rng.standard_normal((rows, dim), dtype=np.float32)
    else:
        raise ValueError(f"expected gaussian or clustered data, got {data!r}")
    norms = math.sqrt(dim - 1) + std * rng.standard_normal((rows, 1), dtype=np.float32)
    vectors *= norms / np.linalg.norm(vectors, axis=1, keepdims=True)
    return Corpus(vectors[:n], vectors[n:])


def _prior(name: str, corpus: Corpus) -> AbstractRadialPrior:
    if name == "fitted":
        return FittedPrior.from_norms(np.linalg.norm(corpus.vectors, axis=1))
    return ChiPrior(corpus.vectors.shape[1])


class AbstractMethod(ABC):
    """A graph and how it is searched; `build` was timed."""

    build_s: float

    @abstractmethod
    def search(self, queries: Float32Array, width: int) -> IdArray:
        """Ids (n_queries, K) of the nearest, at a width of the search."""


@final
class Ours(AbstractMethod):
    """HNSW-backed NAO index."""

    def __init__(self, corpus: Corpus, metric: NaoMetric, graph: Graph) -> None:
        self._graph = graph
        ids = np.arange(len(corpus.vectors))
        started = time.perf_counter()
        self._index = build_index(
            corpus.vectors, ids, metric=metric, config=HnswConfig(*graph, ef_search=K)
        )
        self.build_s = time.perf_counter() - started

    def search(self, queries: Float32Array, width: int) -> IdArray:
        return self._at(width).search(queries, K).ids

    def _at(self, width: int) -> VectorIndex:
        """The same graph, searched at another width."""
        return self._index.at_effort(HnswConfig(*self._graph, ef_search=width))


@final
class Usearch(AbstractMethod):
    """The graph of usearch under a compiled far field of NAO."""

    def __init__(self, corpus: Corpus, metric: NaoMetric, graph: Graph) -> None:
        assert isinstance(metric.prior, AbstractRadialPrior)
        self._shell = shell_of(metric.prior)
        rows = self._rows(corpus.vectors)
        compiled = _far_field_metric(rows.shape[1])
        self._index: Any = Index(
            ndim=rows.shape[1],
            metric=CompiledMetric(compiled.address, MetricKind.Unknown, MetricSignature.ArrayArray),
            dtype="f32",
            connectivity=graph.m,
            expansion_add=graph.ef_construction,
        )
        self._compiled = compiled  # usearch holds its address only
        started = time.perf_counter()
        self._index.add(np.arange(len(rows)), rows, threads=1)
        self.build_s = time.perf_counter() - started

    def search(self, queries: Float32Array, width: int) -> IdArray:
        self._index.expansion_search = width
        keys = self._index.search(self._rows(queries), K, threads=1).keys
        return np.asarray(keys).reshape(len(queries), K).astype(np.int64)

    def _rows(self, vectors: Float32Array) -> Float32Array:
        norms = np.linalg.norm(vectors, axis=1).astype(np.float64)
        penalties = self._shell.radial(norms) / self._shell.kappa
        rows: Float32Array = np.column_stack([vectors / norms[:, None], penalties]).astype(
            np.float32
        )
        return rows


def _far_field_metric(width: int) -> Any:
    """θ + g(r0) + g(r1) of two rows [x̂, g], as machine code."""
    row = types.CPointer(types.float32)  # type: ignore[no-untyped-call]

    @cfunc(types.float32(row, row), fastmath=True)
    def far_field(first: Any, second: Any) -> Any:
        x, y = carray(first, (width,)), carray(second, (width,))
        cosine = np.float32(0.0)
        for i in range(width - 1):
            cosine += x[i] * y[i]
        cosine = min(max(cosine, np.float32(-1.0)), np.float32(1.0))
        return np.float32(math.acos(cosine)) + x[width - 1] + y[width - 1]

    return far_field


@final
class Faiss(AbstractMethod):
    """A bare FAISS HNSW, cosine or L2."""

    def __init__(self, corpus: Corpus, graph: Graph, *, cosine: bool) -> None:
        self._cosine = cosine
        kind = faiss.METRIC_INNER_PRODUCT if cosine else faiss.METRIC_L2
        rows = _unit(corpus.vectors) if cosine else corpus.vectors
        self._graph = faiss.IndexHNSWFlat(rows.shape[1], graph.m, kind)
        self._graph.hnsw.efConstruction = graph.ef_construction
        started = time.perf_counter()
        self._graph.add(rows)
        self.build_s = time.perf_counter() - started

    def search(self, queries: Float32Array, width: int) -> IdArray:
        return self.candidates(queries, width, K)

    def candidates(self, queries: Float32Array, width: int, count: int) -> IdArray:
        """Ids (n_queries, count); `width` is raised to `count`."""
        rows = _unit(queries) if self._cosine else queries
        parameters = faiss.SearchParametersHNSW(efSearch=max(width, count))
        found: IdArray = self._graph.search(rows, count, params=parameters)[1]
        return found


@final
class ReRanked(AbstractMethod):
    """Candidates of a FAISS HNSW, ranked by exact NAO: of all queries in one call."""

    def __init__(self, corpus: Corpus, metric: NaoMetric, graph: Faiss) -> None:
        self._graph, self._metric, self.build_s = graph, metric, graph.build_s
        self._norms = np.linalg.norm(corpus.vectors, axis=1).astype(np.float64)
        self._units = _unit(corpus.vectors)

    def search(self, queries: Float32Array, width: int) -> IdArray:
        found = self._graph.candidates(queries, width, RERANKED)
        norms = np.linalg.norm(queries, axis=1).astype(np.float64)
        units = (queries / norms[:, None]).astype(np.float64)
        cosines = np.stack(
            [
                self._units[ids].astype(np.float64) @ unit
                for ids, unit in zip(found, units, strict=True)
            ]
        )
        angles = np.arccos(np.clip(cosines, -1.0, 1.0))
        lengths = self._metric.from_polar(norms[:, None], self._norms[found], angles)
        lengths[found < 0] = np.inf
        return np.take_along_axis(found, np.argsort(lengths, axis=1)[:, :K], axis=1)


def _unit(vectors: Float32Array) -> Float32Array:
    units: Float32Array = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return units


def _methods(
    corpus: Corpus, metric: NaoMetric, graph: Graph, cosine: Faiss
) -> dict[str, AbstractMethod]:
    return {
        "cosine": cosine,
        "ours": Ours(corpus, metric, graph),
        "usearch": Usearch(corpus, metric, graph),
        "l2, re-ranked": ReRanked(corpus, metric, Faiss(corpus, graph, cosine=False)),
        "cosine, re-ranked": ReRanked(corpus, metric, cosine),
    }


def _run(
    corpus: Corpus, metric: NaoMetric, methods: dict[str, AbstractMethod], repeats: int
) -> dict[str, object]:
    """Sweep the widths and compare, for one corpus."""
    nao = metric.pairwise(corpus.queries, corpus.vectors)
    angles = np.arccos(np.clip(_unit(corpus.queries) @ _unit(corpus.vectors).T, -1, 1))
    curves = {
        name: _curve(method, corpus.queries, angles if name == "cosine" else nao, repeats)
        for name, method in methods.items()
    }
    return {
        "metric": metric.settings(),
        "build_s": {name: method.build_s for name, method in methods.items()},
        "best_recall": {name: max(point.recall for point in curves[name]) for name in curves},
        "against_cosine": {
            name: _against(curve, curves["cosine"])
            for name, curve in curves.items()
            if name != "cosine"
        },
        "curves": {name: [point._asdict() for point in curve] for name, curve in curves.items()},
    }


def _curve(
    method: AbstractMethod, queries: Float32Array, table: FloatArray, repeats: int
) -> list[Point]:
    """Recall and time at growing widths, until the goal is reached."""
    truth = np.sort(np.partition(table, K, axis=1)[:, :K], axis=1)
    points: list[Point] = []
    for width in WIDTHS:
        taken = []
        for _ in range(repeats):
            started = time.process_time()
            ids = method.search(queries, width)
            taken.append((time.process_time() - started) / len(queries))
        found = np.take_along_axis(table, ids, axis=1)
        recall = recall_at_k(found, truth, K, relative_tolerance=1e-6)
        points.append(Point(width, recall, min(taken)))
        if recall >= GOAL_RECALL:
            break
    return points


def _against(curve: list[Point], cosine: list[Point]) -> dict[str, float] | None:
    """Time over cosine's at the goal recall, or at the highest that both reach if it is fair."""
    reached = min(max(point.recall for point in some) for some in (curve, cosine))
    if reached < LEAST_RECALL:
        return None
    recall = min(GOAL_RECALL, reached)
    ours, theirs = _seconds_at(curve, recall), _seconds_at(cosine, recall)
    return {
        "at_recall": recall,
        "query_ms": 1e3 * ours,
        "queries_per_s": 1 / ours,
        "cosine_queries_per_s": 1 / theirs,
        "time_over_cosine": ours / theirs,
    }


def _seconds_at(curve: list[Point], recall: float) -> float:
    """Time at a recall, between the first width that reaches it and the one before."""
    after = next(i for i, point in enumerate(curve) if point.recall >= recall)
    high = curve[after]
    if after == 0:
        return high.query_s
    low = curve[after - 1]
    share = (recall - low.recall) / (high.recall - low.recall)
    return math.exp((1 - share) * math.log(low.query_s) + share * math.log(high.query_s))


if __name__ == "__main__":
    main()
