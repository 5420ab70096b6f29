"""What the facade adds to a search: its latency over bare FAISS on the same vectors, in one run.

    python -m benchmarks.search_overhead --n 100000 --dim 1024

Both sides answer one query at a time, cosine, exhaustive; ours goes through `LatentDB.search`,
labels and filter included.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import latentdb
from benchmarks._arguments import make_parser
from benchmarks._record import record
from indexers.faiss_library import faiss
from latentdb.database import LatentDB
from latentdb.space import Space
from latentdb.types import ItemRow, SpaceRows

BATCH = 5000
SPACE = "vectors"


def main() -> None:
    """Fill a database, time both sides alternately, print and keep the ratios."""
    arguments = make_parser(__doc__)
    arguments.add_argument("--n", type=int, default=100_000)
    arguments.add_argument("--dim", type=int, default=1024)
    arguments.add_argument("--queries", type=int, default=100)
    arguments.add_argument("--seed", type=int, default=0)
    asked = arguments.parse_args()
    rng = np.random.default_rng(asked.seed)
    vectors = rng.standard_normal((asked.n, asked.dim), dtype=np.float32)
    queries = rng.standard_normal((asked.queries, asked.dim), dtype=np.float32)
    with tempfile.TemporaryDirectory() as folder:
        db = _filled(Path(folder) / "bench.ldb", vectors)
        db.build_index(SPACE, metric="cosine")
        del vectors
        results = _compare(db, queries)
    results |= {"n": asked.n, "dim": asked.dim, "queries": asked.queries}
    record("search_overhead", results, seed=asked.seed)


def _filled(path: Path, vectors: np.ndarray) -> LatentDB:
    """A database with one space and one label, without any model."""
    db = latentdb.create(path)
    db.store.add_space(Space(SPACE, "embedding", vectors.shape[1], spec="none", settings={}))
    for start in range(0, len(vectors), BATCH):
        block = vectors[start : start + BATCH]
        ids = np.arange(start, start + len(block), dtype=np.int64)
        items = [ItemRow(int(i), f"{i}.png", 1, 1, b"", {"even": int(i) % 2 == 0}) for i in ids]
        db.store.write_batch(
            items=items, sources=[], vectors={SPACE: SpaceRows(ids, block)}, quarantine=[]
        )
    return db


def _compare(db: LatentDB, queries: np.ndarray) -> dict[str, float]:
    """Median milliseconds of bare FAISS and of ours, query by query in turn."""
    rows = db.store.all_vectors(SPACE).vectors
    bare = faiss.IndexFlatIP(rows.shape[1])
    bare.add(rows / np.linalg.norm(rows, axis=1, keepdims=True))
    sides: dict[str, Callable[[np.ndarray], object]] = {
        "bare_faiss": lambda q: bare.search(q[None] / np.linalg.norm(q), 10),
        "facade": lambda q: db.search(vector=q, space=SPACE, metric="cosine", k=10),
        "facade_filtered": lambda q: db.search(
            vector=q, space=SPACE, metric="cosine", k=10, where="even"
        ),
    }
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for query in (*queries[:3], *queries):
        for name, side in sides.items():
            started = time.perf_counter()
            side(query)
            taken[name].append((time.perf_counter() - started) * 1e3)
    medians = {f"{name}_ms": statistics.median(ms[3:]) for name, ms in taken.items()}
    return medians | {
        "facade_over_bare": medians["facade_ms"] / medians["bare_faiss_ms"],
        "filtered_over_bare": medians["facade_filtered_ms"] / medians["bare_faiss_ms"],
    }


if __name__ == "__main__":
    main()
