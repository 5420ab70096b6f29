"""What upkeep costs: refreshing an index beside building it anew, and backups beside what is new.

    python -m benchmarks.upkeep [--quick]

Vectors of 256 values by the law of real embeddings (`benchmarks._synthetic`). Of each kind an
index is built and audited; then a part of the rows is deleted and another comes, and the index is
brought up to its table while a thread searches by it, and built anew. Both are asked the same
held-out questions. Snapshots and backups are of the same database before and after such changes.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import latentdb
from benchmarks._arguments import make_parser
from benchmarks._record import record
from benchmarks._synthetic import encoder_like
from indexers.recall import recall_at_k
from indexers.types import INDEX_KINDS, Float32Array, IndexKind
from latentdb.backup import Repository
from latentdb.database import LatentDB
from latentdb.index.truth import exact_neighbours
from latentdb.space import Space
from latentdb.store import Store
from latentdb.types import ItemRow, SpaceRows

DIM, K, QUESTIONS, BATCH = 256, 10, 200, 5000
DELETED, ADDED = 0.02, 0.05
SPACE = Space("drawn", "embedding", DIM, "none", {"model": "drawn"})


def main() -> None:
    """Measure, print and keep."""
    arguments = make_parser(__doc__)
    arguments.add_argument("--quick", action="store_true", help="10,000 rows in place of 50,000")
    arguments.add_argument("--seed", type=int, default=0)
    asked = arguments.parse_args()
    n = 10_000 if asked.quick else 50_000
    drawn = encoder_like(int(n * (1 + ADDED)) + QUESTIONS, DIM, asked.seed)
    rows, questions = drawn[:-QUESTIONS], drawn[-QUESTIONS:]
    with tempfile.TemporaryDirectory() as folder:
        kinds = {kind: _refreshed(Path(folder), kind, rows, n, questions) for kind in INDEX_KINDS}
        results = {
            "n": n,
            "dim": DIM,
            "deleted": DELETED,
            "added": ADDED,
            "refresh": kinds,
            "backup": _backed_up(Path(folder), rows, n),
        }
    _print(results)
    record("upkeep_quick" if asked.quick else "upkeep", results, seed=asked.seed)


def _filled(folder: Path, rows: Float32Array) -> LatentDB:
    store = Store.create(str(folder))
    store.add_space(SPACE)
    db = latentdb.open(folder)
    _add(db, rows, 0)
    db.upkeep.compact()
    return db


def _add(db: LatentDB, rows: Float32Array, first: int) -> None:
    for start in range(0, len(rows), BATCH):
        block = rows[start : start + BATCH]
        ids = np.arange(first + start, first + start + len(block))
        db.store.write_batch(
            items=[ItemRow(one, f"{one}.png", 1, 1, b"", {}) for one in ids.tolist()],
            sources=[],
            vectors={SPACE.name: SpaceRows(ids, block)},
            quarantine=[],
        )


def _change(db: LatentDB, rows: Float32Array, n: int) -> None:
    db.delete(range(int(DELETED * n)))
    _add(db, rows[n:], n)


def _refreshed(
    folder: Path, kind: IndexKind, rows: Float32Array, n: int, questions: Float32Array
) -> Mapping[str, Any]:
    """Seconds of a refresh and of a build, what each then finds, and how long searches waited."""
    db = _filled(folder / f"{kind}.ldb", rows[:n])
    db.build_index(SPACE.name, kind=kind)
    _change(db, rows, n)
    _found(db, questions)
    waits, ended = [], threading.Event()

    def search() -> None:
        while not ended.is_set():
            started = time.perf_counter()
            db.catalog.indexes.live(SPACE, "cosine", None).search(questions[:1], K)
            waits.append((time.perf_counter() - started) * 1000)

    searching = threading.Thread(target=search)
    searching.start()
    refreshed = db.upkeep.refresh_index(SPACE.name)
    ended.set()
    searching.join()
    recall = _found(db, questions)
    alone = time.perf_counter()
    built = db.build_index(SPACE.name, kind=kind)
    anew = time.perf_counter() - alone
    return {
        "refresh_s": refreshed.seconds,
        "build_s": built.seconds,
        "build_wall_s": anew,
        "ratio": refreshed.seconds / built.seconds,
        "recall_refreshed": recall,
        "recall_built": _found(db, questions),
        "search_ms_median": statistics.median(waits),
        "search_ms_longest": max(waits),
        "searches_meanwhile": len(waits),
    }


def _found(db: LatentDB, questions: Float32Array) -> float:
    live = db.catalog.indexes.live(SPACE, "cosine", None)
    truth = exact_neighbours(db.store, SPACE.name, live.metric, questions, K + 1)
    found = live.search(questions, K)
    return recall_at_k(found.distances, truth.distances, k=K)


def _backed_up(folder: Path, rows: Float32Array, n: int) -> list[Mapping[str, Any]]:
    """Seconds and MB of each step in the life of a database that is backed up."""
    db, kept = _filled(folder / "kept.ldb", rows[:n]), folder / "backups"
    db.build_index(SPACE.name)
    steps = []

    def step(name: str, do: Any) -> None:
        started = time.perf_counter()
        done = do()
        seconds = time.perf_counter() - started
        new = getattr(done, "new_bytes", None)
        steps.append(
            {"step": name, "seconds": seconds, "new_mb": None if new is None else new / 1e6}
        )

    step("snapshot", lambda: db.upkeep.snapshot("first"))
    step("first backup", lambda: db.upkeep.backup(kept))
    step("second backup, nothing changed", lambda: db.upkeep.backup(kept))
    _change(db, rows, n)
    step("backup after the change", lambda: db.upkeep.backup(kept))
    db.upkeep.refresh_index(SPACE.name)
    step("backup after the index was refreshed", lambda: db.upkeep.backup(kept))
    step("compaction", db.upkeep.compact)
    step("backup after compaction", lambda: db.upkeep.backup(kept))
    step("verification", lambda: Repository(kept).faults())
    step("restore", lambda: latentdb.restore(kept, folder / "back.ldb"))
    total = Repository(kept).get().total_bytes
    return [*steps, {"step": "the database", "seconds": None, "new_mb": total / 1e6}]


def _print(results: Mapping[str, Any]) -> None:
    print("kind      refresh s  build s  ratio  recall: refreshed  built   longest search ms")
    for kind, one in results["refresh"].items():
        print(
            f"{kind:9} {one['refresh_s']:9.2f} {one['build_s']:8.2f} {one['ratio']:6.2f}"
            f" {one['recall_refreshed']:18.4f} {one['recall_built']:6.4f}"
            f" {one['search_ms_longest']:10.1f} (median {one['search_ms_median']:.1f})"
        )
    for one in results["backup"]:
        seconds = "" if one["seconds"] is None else f"{one['seconds']:8.2f} s"
        size = "" if one["new_mb"] is None else f"{one['new_mb']:8.1f} MB"
        print(f"{one['step']:40} {seconds:>12} {size:>12}")


if __name__ == "__main__":
    main()
