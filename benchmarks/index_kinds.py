"""The kinds of index side by side: build time, bytes, and recall against time at every effort.

    python -m benchmarks.index_kinds
    python -m benchmarks.index_kinds --quick

Under cosine, one thread, one question at a time, over vectors drawn from the laws of real ones
(`benchmarks._synthetic`): embeddings of 512 dimensions, inverted noise of 1,024 and of 16,384.
Questions are rows that are not stored. Full vectors are read from an array in memory, and rows
read per question are counted: what they cost elsewhere is that many reads more. Beside our kinds
stands FAISS's 8-bit codes in cells, bare, which we do not have.

The second part is NAO over codes: the same noise at norms spread by 1.4, 2 and 8 around the shell,
recall at the default effort and at all cells.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks._arguments import make_parser
from benchmarks._record import record, write_section
from benchmarks._synthetic import encoder_like, zoo_noise
from indexers.faiss_library import faiss
from indexers.flat import FlatConfig
from indexers.index import VectorIndex, build_index
from indexers.kinds import make_config
from indexers.metric import AbstractMetric, ChiPrior, CosineMetric, NaoMetric
from indexers.persistence import save_index
from indexers.recall import recall_at_k
from indexers.sq8 import Sq8Config
from indexers.types import INDEX_KINDS, Float32Array, FloatArray, IdArray

K = 10
ENOUGH, GOAL = 0.999, 0.95
EFFORTS = ("ef_search", "nprobe", "refine")
NORM_SDS = (1.4, 2.0, 8.0)
CODES = ("ivf_pq", "rabitq")


class Case(NamedTuple):
    """Data, its size, and the kinds that are built of it."""

    name: str
    n: int
    dim: int
    kinds: tuple[str, ...]


class Corpus(NamedTuple):
    """Stored vectors, questions, and the true distances of the questions' ten nearest."""

    vectors: Float32Array
    queries: Float32Array
    truth: FloatArray


def main() -> None:
    """Build, measure and keep."""
    arguments = make_parser(__doc__)
    arguments.add_argument("--n", type=int, default=50_000)
    arguments.add_argument("--queries", type=int, default=200)
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--cases", nargs="+", default=["encoder", "noise", "wide", "nao"])
    arguments.add_argument("--seed", type=int, default=0)
    asked = arguments.parse_args()
    n, wide = (5_000, 1_000) if asked.quick else (asked.n, 20_000)
    # A graph of 16,384 dimensions takes half an hour to build.
    rest = tuple(kind for kind in INDEX_KINDS if kind != "hnsw")
    cases = [
        Case("encoder", n, 512, INDEX_KINDS),
        Case("noise", n, 1024, INDEX_KINDS),
        Case("wide", wide, 16_384, rest),
    ]
    faiss.omp_set_num_threads(1)
    results: dict[str, object] = {}
    with threadpool_limits(1):
        for case in cases:
            if case.name in asked.cases:
                results[case.name] = _compare(case, asked.queries, asked.seed)
        if "nao" in asked.cases:
            results["nao"] = _nao(n, asked.queries, asked.seed)
    record("index_kinds", {"n": n, "k": K, "cases": results}, seed=asked.seed)
    if not asked.quick:
        write_section("indexes.md", "index_kinds", _table(results))


def _compare(case: Case, n_queries: int, seed: int) -> dict[str, object]:
    """Every kind at every effort, and 8-bit codes in cells."""
    metric = CosineMetric()
    corpus = _corpus(_drawn(case, n_queries, seed), n_queries, metric)
    print(f"\n{case.name}: {case.n:,} x {case.dim:,}, cosine, recall@{K}")
    print(f"{'kind':8} {'build':>8} {'bytes':>7} {'effort':22} {'recall':>6} {'ms':>7} {'read':>5}")
    kinds = {kind: _measure(kind, corpus, metric) for kind in case.kinds}
    return {"n": case.n, "dim": case.dim, "kinds": {**kinds, "ivf_sq8": _ivf_sq8(corpus)}}


def _measure(kind: str, corpus: Corpus, metric: AbstractMetric) -> dict[str, Any]:
    reads = [0]

    def reader(ids: IdArray) -> Float32Array:
        reads[0] += len(ids)
        return corpus.vectors[ids]

    ids = np.arange(len(corpus.vectors))
    started = time.perf_counter()
    index = build_index(corpus.vectors, ids, metric=metric, config=make_config(kind), reader=reader)
    built = time.perf_counter() - started
    size = _bytes(index) / len(ids)
    curve = []
    for config in index.config.efforts(len(ids)):
        at = index.at_effort(config)
        reads[0] = 0
        seconds, distances = _asked(lambda q, at=at: at.search(q, K).distances[0], corpus.queries)
        effort = {name: getattr(config, name) for name in config.effort}
        recall = recall_at_k(distances, corpus.truth, K)
        point = {**effort, "recall": recall, "query_ms": 1e3 * seconds}
        curve.append({**point, "rows_read": reads[0] / len(corpus.queries)})
        _show(kind, built, size, effort, curve[-1])
        if recall >= ENOUGH:
            break
    return {"build_s": built, "bytes_per_vector": size, "curve": curve}


def _ivf_sq8(corpus: Corpus) -> dict[str, Any]:
    """FAISS's 8-bit codes in cells, bare: distances are those of the codes."""
    units, queries = _unit(corpus.vectors), _unit(corpus.queries)
    n, dim = units.shape
    cells = make_config("ivf").cells_for(n)  # type: ignore[attr-defined]
    started = time.perf_counter()
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dim),
        dim,
        cells,
        faiss.ScalarQuantizer.QT_8bit,
        faiss.METRIC_INNER_PRODUCT,
    )
    index.cp.spherical = True
    index.train(units)
    index.add(units)
    built, curve = time.perf_counter() - started, []
    for config in make_config("ivf").efforts(n):
        parameters = faiss.SearchParametersIVF(nprobe=config.nprobe)  # type: ignore[attr-defined]
        seconds, ids = _asked(
            lambda q, parameters=parameters: index.search(q, K, params=parameters)[1][0], queries
        )
        true = 1.0 - np.einsum("qkd,qd->qk", units[ids.astype(np.int64)], queries)
        recall = recall_at_k(true, corpus.truth, K)
        effort = {"nprobe": parameters.nprobe}
        curve.append({**effort, "recall": recall, "query_ms": 1e3 * seconds, "rows_read": 0.0})
        _show("ivf_sq8", built, dim + 8.0, effort, curve[-1])
        if recall >= ENOUGH:
            break
    return {"build_s": built, "bytes_per_vector": dim + 8.0, "curve": curve}


def _nao(n: int, n_queries: int, seed: int) -> dict[str, object]:
    """Codes under NAO at spread norms: at the default effort, and over all cells."""
    case = Case("noise", n, 1024, CODES)
    drawn, metric = _drawn(case, n_queries, seed), NaoMetric(ChiPrior(1024))
    results: dict[str, object] = {}
    for sd in NORM_SDS:
        rng = np.random.default_rng(seed)
        norms = np.sqrt(1023.0) + sd * rng.standard_normal((len(drawn), 1))
        corpus = _corpus(_unit(drawn) * norms.astype(np.float32), n_queries, metric)
        for kind in CODES:
            index = build_index(
                corpus.vectors,
                np.arange(n),
                metric=metric,
                config=make_config(kind),
                reader=corpus.vectors.__getitem__,
            )
            points = {}
            for name, at in (("default", index), ("all", index.at_effort(_all_cells(kind)))):
                seconds, found = _asked(
                    lambda q, at=at: at.search(q, K).distances[0], corpus.queries
                )
                recall = recall_at_k(found, corpus.truth, K)
                points[name] = {"recall": recall, "query_ms": 1e3 * seconds}
                print(f"nao, sd {sd}, {kind}, {name}: {recall:.3f}, {1e3 * seconds:.2f} ms")
            results[f"{kind}:{sd}"] = points
    return results


def _table(results: dict[str, Any]) -> str:
    """Of every kind the cheapest effort that finds .95, or its best, for the page."""
    lines = [
        "| data | kind | build | bytes per vector | effort | recall@10 | ms | rows read |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, case in results.items():
        for kind, found in case.get("kinds", {}).items():
            curve = found["curve"]
            point = next((at for at in curve if at["recall"] >= GOAL), curve[-1])
            effort = ", ".join(f"`{key}` {point[key]}" for key in EFFORTS if key in point)
            lines.append(
                f"| {name}, {case['n']:,} × {case['dim']:,} | `{kind}` | {found['build_s']:.1f} s "
                f"| {found['bytes_per_vector']:,.0f} | {effort} | {point['recall']:.3f} "
                f"| {point['query_ms']:.2f} | {point['rows_read']:.0f} |"
            )
    return "\n".join(lines)


def _all_cells(kind: str) -> Any:
    return make_config(kind, nprobe=1 << 20, refine=16)


def _drawn(case: Case, n_queries: int, seed: int) -> Float32Array:
    """Stored rows, and questions after them."""
    if case.name == "encoder":
        return encoder_like(case.n + n_queries, case.dim, seed)
    blocks: Iterator[Float32Array] = chain(zoo_noise(case.n + n_queries, case.dim, seed))
    rows = np.empty((case.n + n_queries, case.dim), np.float32)
    at = 0
    for block in blocks:
        rows[at : at + len(block)] = block
        at += len(block)
    return rows


def _corpus(rows: Float32Array, n_queries: int, metric: AbstractMetric) -> Corpus:
    vectors, queries = rows[:-n_queries], rows[-n_queries:]
    config = FlatConfig() if metric.name == "cosine" else Sq8Config()
    exact = build_index(vectors, np.arange(len(vectors)), metric=metric, config=config)
    return Corpus(vectors, queries, exact.search(queries, K).distances)


def _asked(
    search: Callable[[Float32Array], Any], queries: Float32Array
) -> tuple[float, FloatArray]:
    """Median seconds of a question, and what was answered."""
    taken, answers = [], []
    for query in queries:
        started = time.perf_counter()
        answers.append(search(query[None]))
        taken.append(time.perf_counter() - started)
    return statistics.median(taken), np.array(answers)


def _bytes(index: VectorIndex) -> float:
    """Of the files of an index."""
    with tempfile.TemporaryDirectory() as folder:
        save_index(index, folder)
        return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())


def _show(
    kind: str, built: float, size: float, effort: dict[str, int], point: dict[str, float]
) -> None:
    text = " ".join(f"{name} {value}" for name, value in effort.items())
    print(
        f"{kind:8} {built:7.1f}s {size:7.0f} {text:22} {point['recall']:6.3f} "
        f"{point['query_ms']:7.3f} {point['rows_read']:5.0f}",
        flush=True,
    )


def _unit(vectors: Float32Array) -> Float32Array:
    units: Float32Array = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return units


if __name__ == "__main__":
    main()
