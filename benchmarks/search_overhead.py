"""What the facade adds to a search: its time over bare FAISS's on the same structure, in one run.

    python -m benchmarks.search_overhead [--n 100000] [--laws encoder noise] [--kinds flat hnsw]

Rows are like an encoder's embeddings, of 512 values, and like inverted noise, of 1,024. The graph
is searched as wide as recall@10 of .95 asks, which is measured on the questions that are timed.
All sides answer them by cosine: one at a time on one thread, in turns, with ours looking for new
commits at each and, in a block of `LatentDB.one_look`, once; and all together on two. Ours goes
through `LatentDB.search` and `search_many`, with name and labels in every hit, and through
`LatentDB.nearest`, which gives arrays, with name and labels as columns or ids alone, without and
with a filter that half of the rows pass; bare FAISS gives ids, under a filter those of a bitmap
that was made before. Sides take turns in who comes first with a question, and that one is timed:
rows that it has just fetched lie in the cache for the others.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

import latentdb
from benchmarks._arguments import make_parser
from benchmarks._record import record
from benchmarks._synthetic import BLOCK_ROWS, encoder_like, zoo_noise
from indexers.faiss_library import faiss
from indexers.hnsw import HnswConfig
from indexers.persistence import load_index
from indexers.recall import recall_at_k
from indexers.types import Float32Array
from latentdb.database import LatentDB
from latentdb.nearest import Neighbours
from latentdb.query import Query
from latentdb.space import Space
from latentdb.types import ItemRow, SpaceRows

SPACE = "vectors"
K = 10
_FILTER = "even"
_RECALL = 0.95
_TOLD = ("source", "even", "group")
_OURS = ("facade", "columns", "arrays")
Side = Callable[[Float32Array], object]


@final
@dataclass(frozen=True)
class _Law:
    """What rows are drawn by."""

    dim: int
    draw: Callable[[int, int, int, int], Iterable[Float32Array]]

    def rows(self, n: int, seed: int, start: int) -> Float32Array:
        """Rows (n, dim) from number `start` on."""
        return np.concatenate(list(self.draw(n, self.dim, seed, start)))


LAWS = {
    "encoder": _Law(512, lambda n, dim, seed, start: [encoder_like(n, dim, seed, start=start)]),
    "noise": _Law(1024, lambda n, dim, seed, start: zoo_noise(n, dim, seed, start=start)),
}


def main() -> None:
    """Fill a database, build each kind of index, time both sides, print and keep the ratios."""
    arguments = make_parser(__doc__)
    arguments.add_argument("--n", type=int, default=100_000)
    arguments.add_argument("--laws", nargs="+", choices=tuple(LAWS), default=list(LAWS))
    arguments.add_argument("--queries", type=int, default=500)
    arguments.add_argument("--kinds", nargs="+", choices=("flat", "hnsw"), default=["flat", "hnsw"])
    arguments.add_argument("--m", type=int, default=16)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--quick", action="store_true", help="10,000 rows; not kept")
    asked = arguments.parse_args()
    n = min(asked.n, 10_000) if asked.quick else asked.n
    results: dict[str, Any] = {"n": n, "queries": asked.queries, "m": asked.m}
    for name in asked.laws:
        law = LAWS[name]
        questions = law.rows(asked.queries, asked.seed, n)
        with tempfile.TemporaryDirectory() as folder:
            db = _filled(Path(folder) / "bench.ldb", n, law, asked.seed)
            truth = _nearest(db, questions).distances
            results[name] = {"dim": law.dim}
            for kind in asked.kinds:
                wanted = HnswConfig(m=asked.m) if kind == "hnsw" else kind
                db.build_index(SPACE, metric="cosine", kind=wanted, target_recall=_RECALL)
                # A scan of all rows takes milliseconds, so fewer questions say as much.
                timed = _compared(db, questions if kind == "hnsw" else questions[:60])
                recall = recall_at_k(_nearest(db, questions).distances, truth, K)
                results[name][kind] = {"recall_at_10": recall, **timed}
                print(name, kind, *(f"{k} {v:.3g}" for k, v in results[name][kind].items()))
    if not asked.quick:
        record("search_overhead", results, seed=asked.seed)


def _filled(path: Path, n: int, law: _Law, seed: int) -> LatentDB:
    """A database with one space and two labels, without any model."""
    db = latentdb.create(path)
    db.store.add_space(Space(SPACE, "embedding", law.dim, spec="none", settings={}))
    for start in range(0, n, BLOCK_ROWS):
        block = law.rows(min(BLOCK_ROWS, n - start), seed, start)
        ids = np.arange(start, start + len(block), dtype=np.int64)
        items = [
            ItemRow(i, f"pictures/{i}.png", 1, 1, b"", {"even": i % 2 == 0, "group": i % 10})
            for i in ids.tolist()
        ]
        db.store.write_batch(
            items=items, sources=[], vectors={SPACE: SpaceRows(ids, block)}, quarantine=[]
        )
    return db


def _compared(db: LatentDB, queries: Float32Array) -> dict[str, float]:
    """Medians one by one and seconds together, and ours over bare FAISS's."""
    found: dict[str, float] = {}
    for name, where in (("", None), ("filtered_", _FILTER)):
        sides = {
            "facade": lambda many, where=where: _ask(db, many, where),
            "columns": lambda many, where=where: _nearest(db, many, where, columns=_TOLD),
            "arrays": lambda many, where=where: _nearest(db, many, where),
            "bare_faiss": _bare(db, is_filtered=where is not None),
        }
        faiss.omp_set_num_threads(1)
        single = _one_by_one(sides, queries)
        with db.one_look():
            in_one_look = _one_by_one(sides, queries)
        faiss.omp_set_num_threads(2)
        together = _together(sides, queries)
        for way, taken in (
            ("one_by_one", single),
            ("one_look", in_one_look),
            ("together", together),
        ):
            found |= {f"{name}{way}_{side}_ms": ms for side, ms in taken.items()}
            for side in _OURS:
                found[f"{name}{way}_{side}_over_bare"] = taken[side] / taken["bare_faiss"]
    return found


def _nearest(
    db: LatentDB,
    queries: Float32Array,
    where: str | None = None,
    *,
    columns: tuple[str, ...] = (),
) -> Neighbours:
    return db.nearest(queries, space=SPACE, metric="cosine", k=K, where=where, columns=columns)


def _ask(db: LatentDB, queries: Float32Array, where: str | None) -> object:
    asked = [Query(vector=q, space=SPACE, metric="cosine", k=K, where=where) for q in queries]
    return db.search(asked[0]) if len(asked) == 1 else db.search_many(asked)


def _bare(db: LatentDB, *, is_filtered: bool) -> Side:
    """A search of the same structure, read from the same file."""
    folder = next(Path(db.uri).glob(f"indexes/{SPACE}--cosine*"))
    index = load_index(folder, mmap=True)
    graph = index.stage.faiss_index
    chosen: dict[str, Any] = {}
    if is_filtered:
        passes = index.position_ids % 2 == 0
        chosen["sel"] = faiss.IDSelectorBitmap(np.packbits(passes, bitorder="little"))
    parameters = faiss.SearchParameters(**chosen)
    if isinstance(index.config, HnswConfig):
        # As wide as ours is under a filter, which meets one row in two.
        width = index.config.ef_search * (2 if is_filtered else 1)
        parameters = faiss.SearchParametersHNSW(efSearch=width, **chosen)

    def search(queries: Float32Array) -> object:
        units = queries / np.linalg.norm(queries, axis=1, keepdims=True)
        # The rows that it finds are looked up: positions are not ids.
        return index.position_ids[graph.search(units, K, params=parameters)[1]]

    return search


def _one_by_one(sides: Mapping[str, Side], queries: Float32Array) -> dict[str, float]:
    """Median milliseconds of a question, of those that a side is the first to be asked."""
    taken: dict[str, list[float]] = {name: [] for name in sides}
    order = list(sides)
    for at, query in enumerate((*queries[:10], *queries)):
        first = order[at % len(order)]
        started = time.perf_counter()
        sides[first](query[None])
        if at >= 10:
            taken[first].append((time.perf_counter() - started) * 1e3)
        for name in order:
            if name != first:
                sides[name](query[None])
    return {name: statistics.median(ms) for name, ms in taken.items()}


def _together(
    sides: Mapping[str, Side], queries: Float32Array, rounds: int = 5
) -> dict[str, float]:
    """Least milliseconds of a question among all at once."""
    least = dict.fromkeys(sides, float("inf"))
    for _ in range(rounds):
        for name, side in sides.items():
            started = time.perf_counter()
            side(queries)
            least[name] = min(least[name], (time.perf_counter() - started) * 1e3 / len(queries))
    return least


if __name__ == "__main__":
    main()
