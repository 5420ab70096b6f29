"""Requests a second of the HTTP server, by kind of question and number of clients.

    python -m benchmarks.serve            # about 20 minutes
    python -m benchmarks.serve --quick    # under 3 minutes

Starts `latentdb serve` as a process of its own on loopback and loads it with wrk (Debian package
`wrk`). Every question is another one, so that the cache answers none; the rows that say so ask the
same ones again. Chroma's server (`pip install chromadb`) answers the same vectors in
the same run. Clients, servers and models share the machine's cores.

What a text costs the model, alone and among 64, is timed in the library in the same run: it says
what batching can gain at most.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np

import latentdb
from benchmarks import serve_chroma, serve_data
from benchmarks._arguments import make_parser
from benchmarks._record import record, write_section
from benchmarks.serve_data import TEXTS, VECTORS, K
from benchmarks.serve_load import load
from benchmarks.serve_process import Served, latentdb_server
from benchmarks.serve_tables import tables
from latentdb.query import Query
from latentdb.search import run_searches

CLIENTS = (1, 16, 128, 512)
MANY = 128
SETTINGS = {"runs_jobs": "false"}


def main() -> None:
    """Measure, print and keep."""
    parser = make_parser(__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rows, shorter")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = measure(Path(folder), asked)
    if not asked.quick:
        write_section("serving_speed.md", "serve", tables(results))
    record("serve_quick" if asked.quick else "serve", results, seed=asked.seed)


def measure(folder: Path, asked: argparse.Namespace) -> dict[str, object]:
    """Everything, one after the other."""
    faces, vectors, seconds = (600, 5_000, 2.0) if asked.quick else (5_000, 50_000, 12.0)
    requests = 10_000 if asked.quick else 200_000
    db = serve_data.fill(folder, faces=faces, vectors=vectors, seed=asked.seed)
    path = Path(db.uri)
    queries = serve_data.clustered(1000, asked.seed + 1)
    texts, numbers = serve_data.text_bodies(), serve_data.vector_bodies(queries)
    results: dict[str, object] = {
        "faces": faces, "vectors": vectors, "dim": serve_data.DIM, "k": K, "seconds": seconds
    }  # fmt: skip
    results["library"] = library_times(path)

    def at(served: Served, bodies: list[str], clients: int) -> dict[str, float]:
        url = f"{served.address}/v1/search"
        return warmed(served, url, bodies, clients, seconds)

    with latentdb_server(path, settings=SETTINGS) as served:
        results["text"] = [at(served, texts, clients) for clients in CLIENTS]
        results["vector"] = [at(served, numbers, clients) for clients in CLIENTS]
        results["recall_at_10"] = recall(path, queries[:200], ours(served))
        results["batches"] = batch_sizes(served)
    with latentdb_server(path, settings=SETTINGS | {"max_batch": 1}) as served:
        results["text_one_at_a_time"] = [at(served, texts, MANY)]
        results["vector_one_at_a_time"] = [at(served, numbers, MANY)]
    with latentdb_server(path, workers=2, settings=SETTINGS) as served:
        results["text_two_workers"] = [at(served, texts, MANY)]
        results["vector_two_workers"] = [at(served, numbers, MANY)]
    with latentdb_server(path, settings=SETTINGS) as served:
        time.sleep(1)
        same = [body.replace("%d", "0") for body in numbers[:50]]
        results["vector_cached"] = [at(served, same, clients) for clients in (1, MANY)]
    # A cache that is full after some thousand answers, so that what grows later is something else.
    with latentdb_server(path, settings=SETTINGS | {"cache_mib": 8}) as served:
        results["memory"] = memory(served, texts, numbers, requests)
    rows = serve_data.clustered(vectors, asked.seed)
    results["chroma"] = chroma(folder, rows, queries, seconds)
    return results


def warmed(
    served: Served, url: str, bodies: list[str], clients: int, seconds: float
) -> dict[str, float]:
    """What wrk sees after a first second, in which connections are made."""
    start = int(time.monotonic() * 1000) * 1000
    load(url, bodies, clients=clients, seconds=1, start=start)
    cpu_s = served.cpu_s()
    found = load(url, bodies, clients=clients, seconds=seconds, start=start + 500_000_000)
    cpu_ms = 1e3 * (served.cpu_s() - cpu_s) / max(1, found.requests)
    print(
        f"{bodies[0][:12]} {clients} clients: {found.per_second:.0f}/s, p99 {found.p99_ms:.1f} ms, "
        f"{cpu_ms:.2f} ms of the server's cores each",
        flush=True,
    )
    return {**found.to_json(), "cpu_ms": round(cpu_ms, 3)}


def library_times(path: Path) -> dict[str, float]:
    """Milliseconds a question in the library: the text tower's part, and the whole."""
    db = latentdb.open(path, device="cpu")
    model = db.model(TEXTS)
    words = [f"a smiling face with a hat {i}" for i in range(64)]
    rng = np.random.default_rng(3)
    vectors = rng.standard_normal((64, serve_data.DIM)).astype(np.float32)
    asked = {
        "text": [Query(text=text, space=TEXTS, k=K) for text in words],
        "vector": [Query(vector=vector, space=VECTORS, k=K) for vector in vectors],
    }
    found = {
        "tower_alone_ms": _median_ms(lambda: model.encode_text(words[:1])),
        "tower_of_64_ms": _median_ms(lambda: model.encode_text(words)) / 64,
    }
    for kind, queries in asked.items():
        found[f"{kind}_alone_ms"] = _median_ms(lambda q=queries: run_searches(db.catalog, q[:1]))
        found[f"{kind}_of_64_ms"] = _median_ms(lambda q=queries: run_searches(db.catalog, q)) / 64
    return {name: round(value, 4) for name, value in found.items()}


def _median_ms(work: Callable[[], object], rounds: int = 30) -> float:
    taken = []
    for _ in range(rounds + 10):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1e3)
    return statistics.median(taken[10:])


def ours(served: Served) -> Callable[[np.ndarray], list[int]]:
    """What the server answers to a vector."""

    def ask(query: np.ndarray) -> list[int]:
        body = {"vector": query.tolist(), "space": VECTORS, "k": K}
        answer = httpx.post(f"{served.address}/v1/search", json=body, timeout=30).json()
        return [hit["id"] for hit in answer["hits"]]

    return ask


def recall(path: Path, queries: np.ndarray, ask: Callable[[np.ndarray], list[int]]) -> float:
    """Share of the true 10 nearest, by comparing with every vector, that is answered."""
    rows = latentdb.open(path, device="cpu").store.all_vectors(VECTORS)
    units = rows.vectors / np.linalg.norm(rows.vectors, axis=1, keepdims=True)
    true = rows.ids[np.argsort(-(queries @ units.T), axis=1)[:, :K]]
    shares = [len(set(ask(q)) & set(t.tolist())) / K for q, t in zip(queries, true, strict=True)]
    return round(float(np.mean(shares)), 4)


def batch_sizes(served: Served) -> float:
    """Questions in a batch, on average over all that was asked."""
    lines = httpx.get(f"{served.address}/metrics", timeout=30).text.splitlines()
    found = dict(line.rsplit(" ", 1) for line in lines if line.startswith("latentdb_search_batch"))
    name = "latentdb_search_batch_size"
    return round(float(found[f"{name}_sum"]) / float(found[f"{name}_count"]), 2)


def memory(
    served: Served, texts: list[str], numbers: list[str], requests: int
) -> dict[str, object]:
    """Memory of the server over so many requests, each another question."""
    series, done, slices = [(0, round(served.rss_mib(), 1))], 0, 0
    while done < requests:
        bodies = texts if slices % 2 else numbers
        found = load(
            f"{served.address}/v1/search",
            bodies,
            clients=MANY,
            seconds=4,
            start=int(time.monotonic() * 1000) * 1000,
        )
        done, slices = done + found.requests, slices + 1
        series.append((done, round(served.rss_mib(), 1)))
        if found.refused or found.broken:
            raise RuntimeError(f"{found.refused} answers were errors, {found.broken} broke off")
    # The first half fills the cache.
    late = np.array([one for one in series if one[0] >= done / 2])
    slope = float(np.polyfit(late[:, 0] / 100_000, late[:, 1], 1)[0]) if len(late) > 2 else 0.0
    return {"series": series, "mib_per_100000": round(slope, 2)}


def chroma(
    folder: Path, vectors: np.ndarray, queries: np.ndarray, seconds: float
) -> dict[str, object]:
    """The same vectors asked of Chroma's server."""
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    bodies = serve_data.chroma_bodies(queries)
    with serve_chroma.chroma_server(folder, vectors) as (served, url):
        rows = [warmed(served, url, bodies, clients, seconds) for clients in CLIENTS]
        true = np.argsort(-(queries[:200] @ units.T), axis=1)[:, :K]
        shares = []
        for body, nearest in zip(bodies[:200], true, strict=True):
            asked = body.replace("%d", "0")
            answer = httpx.post(url, content=asked, headers={"content-type": "application/json"})
            found = {int(one) for one in answer.json()["ids"][0]}
            shares.append(len(found & set(nearest.tolist())) / K)
    return {
        **serve_chroma.about(),
        "vector": rows,
        "recall_at_10": round(float(np.mean(shares)), 4),
    }


if __name__ == "__main__":
    main()
