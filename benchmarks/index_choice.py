"""What kinds of index cost at a recall of .95, and whether `--kind auto` chooses the quickest.

    python -m benchmarks.index_choice [--quick]

Every kind is built over vectors like an encoder's (512 dimensions) and over noise by the zoo's
law (1,024), up to 64,000 of them, in a database, and tuned to recall .95 as `latentdb index` does
it. Queries are asked one at a time, of vectors that are not stored. Laws `scale · dim · n^power`
are fitted to what was measured: the constants of `latentdb/index/costs.py`, printed as it has
them. Last comes what they choose at every size that was measured, and how much longer that takes
than the quickest kind there. What is measured is kept in `--folder`, so that a run goes on.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from threadpoolctl import threadpool_limits

import latentdb
from benchmarks._arguments import make_parser
from benchmarks._record import record
from benchmarks._synthetic import encoder_like, zoo_noise
from indexers.faiss_library import faiss
from indexers.kinds import make_config
from indexers.types import INDEX_KINDS, Float32Array
from latentdb.database import LatentDB
from latentdb.index.choose import choose
from latentdb.index.costs import Law, Size, index_bytes, query_seconds
from latentdb.index.request import IndexRequest
from latentdb.space import Space
from latentdb.types import ItemRow, SpaceRows


def encoder_blocks(n: int, dim: int, seed: int, *, start: int = 0) -> Iterator[Float32Array]:
    """Vectors like an encoder's, some at a time."""
    whole = encoder_like(n, dim, seed, start=start)
    yield from np.array_split(whole, -(-n // 4096))


TARGET: Final = 0.95
CASES: Final[Mapping[str, tuple[Callable[..., Iterator[Float32Array]], int]]] = {
    "embedding": (encoder_blocks, 512),
    "noise": (zoo_noise, 1024),
}
SIZES, QUICK_SIZES = (4_000, 16_000, 64_000), (1_000, 4_000)
QUERIES, SPACE = 200, "v"
# All that this machine has, so that memory refuses nothing.
MEMORY: Final = 10**12

Measured = dict[str, Any]


def main() -> None:
    """Measure what is not measured yet, fit, compare and keep."""
    arguments = make_parser(__doc__)
    arguments.add_argument("--quick", action="store_true", help="Small sizes, kept nowhere.")
    arguments.add_argument("--folder", type=Path, help="Where measurements are kept meanwhile.")
    arguments.add_argument("--seed", type=int, default=0)
    asked = arguments.parse_args()
    faiss.omp_set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary, threadpool_limits(1):
        folder = asked.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        rows = [
            row
            for case in CASES
            for count in (QUICK_SIZES if asked.quick else SIZES)
            for row in measured(case, count, folder, asked.seed)
        ]
    laws = {kind: fitted(rows, kind) for kind in INDEX_KINDS}
    print_laws(laws)
    choices = [compared(rows, case, count) for case, count in sorted({at(row) for row in rows})]
    print_choices(choices)
    if not asked.quick:
        told = {kind: {name: list(law) for name, law in of.items()} for kind, of in laws.items()}
        record("index_choice", {"rows": rows, "laws": told, "choices": choices}, seed=asked.seed)


def measured(case: str, count: int, folder: Path, seed: int) -> Iterator[Measured]:
    """Every kind at one size, those that `folder` has not."""
    database: LatentDB | None = None
    for kind in INDEX_KINDS:
        kept = folder / f"{case}-{count}-{kind}.json"
        if not kept.is_file():
            database = database or filled(case, count, folder, seed)
            kept.write_text(json.dumps(one_kind(database, case, count, kind, seed)))
        row = json.loads(kept.read_text())
        print(
            f"{case:>9} {count:>6} {kind:>7}: {row['query_ms']:8.3f} ms, recall "
            f"{row['recall_at_10']:.3f}, built in {row['build_s']:7.1f} s, {row['settings']}",
            flush=True,
        )
        yield row


def filled(case: str, count: int, folder: Path, seed: int) -> LatentDB:
    """A database of one space of so many vectors; that which is there, where there is one."""
    make, dim = CASES[case]
    path = folder / f"{case}-{count}-{seed}.ldb"
    if path.is_dir():
        there = latentdb.open(path)
        if len(there) == count:
            return there
        raise SystemExit(f"{path} was filled by halves: delete it")
    database = latentdb.create(path)
    kind = "noise" if case == "noise" else "embedding"
    database.store.add_space(Space(SPACE, kind, dim, spec="none"))
    start = 0
    for block in make(count, dim, seed):
        ids = np.arange(start, start + len(block), dtype=np.int64)
        items = [ItemRow(int(i), f"{i}.png", 1, 1, b"") for i in ids]
        vectors = {SPACE: SpaceRows(ids, block)}
        database.store.write_batch(items=items, sources=[], vectors=vectors, quarantine=[])
        start += len(block)
    return database


def one_kind(database: LatentDB, case: str, count: int, kind: Any, seed: int) -> Measured:
    """Build, tune and ask."""
    make, dim = CASES[case]
    moments: list[tuple[float, str]] = []

    def tell(_done: int, _total: int, doing: str) -> None:
        moments.append((time.perf_counter(), doing))

    started = time.perf_counter()
    built = database.build_index(SPACE, kind=kind, target_recall=TARGET, progress=tell)
    # Approximate kinds are measured once they are built; exact ones are saved at once.
    ended = next((at for at, doing in moments if "true neighbours" in doing), time.perf_counter())
    questions = np.concatenate(list(make(QUERIES, dim, seed, start=count)))
    live = database.catalog.indexes.live(database.store.space(SPACE), "cosine", None)
    seconds = []
    for question in questions:
        before = time.perf_counter()
        live.search(question[None], 10)
        seconds.append(time.perf_counter() - before)
    return {
        "case": case,
        "count": count,
        "dim": dim,
        "kind": kind,
        "query_ms": 1e3 * statistics.median(seconds),
        "recall_at_10": built.recall_at_10,
        "target_met": built.target_met,
        "settings": {} if built.tuning is None else dict(built.tuning.settings),
        "build_s": ended - started,
        "tuning_s": built.seconds - (ended - started),
        "index_mb": built.index_bytes / 1e6,
        "predicted_mb": index_bytes(live.index.config, Size(count, dim, "cosine")) / 1e6,
    }


# Ways through a graph grow with the logarithm of the rows, about; centroids, all of which are
# compared, and rows of a cell with their root. Three sizes may seem to say less, where reading full
# vectors takes most of the time.
_LEAST_POWER: Final = {"hnsw": 0.1, "ivf": 0.5, "ivf_pq": 0.5, "rabitq": 0.5}


def fitted(rows: list[Measured], kind: str) -> dict[str, Law]:
    """Laws of one kind: a query in either case, and a build over both.

    What compares with all rows takes as long whatever they are.
    """
    own = [row for row in rows if row["kind"] == kind]
    if make_config(kind).is_exact:
        law = _law([(row, row["query_ms"]) for row in own], 1.0)
        queries = dict.fromkeys(CASES, law)
    else:
        queries = {
            case: _law(
                [(row, row["query_ms"]) for row in own if row["case"] == case],
                least=_LEAST_POWER[kind],
            )
            for case in CASES
        }
    return {**queries, "build": _law([(row, 1e3 * row["build_s"]) for row in own], most=1.5)}


def _law(
    measured_ms: list[tuple[Measured, float]],
    power: float | None = None,
    *,
    least: float = 0.0,
    most: float = 1.0,
) -> Law:
    """Overhead, scale and power of least squares of the logarithms; of one power, where given.

    Powers lie from `least` to `most`: comparing with all rows is the most that a search
    takes.
    """
    n = np.log([row["count"] for row, _ in measured_ms])
    dim = np.array([row["dim"] for row, _ in measured_ms])
    took = np.array([ms for _, ms in measured_ms])
    tried = []
    for overhead in np.linspace(0.0, 0.95 * took.min(), 39):
        grows = np.log(1e6 * (took - overhead) / dim)
        slope = float(np.polyfit(n, grows, 1)[0]) if power is None else power
        slope = min(max(slope, least), most)
        scale = np.exp((grows - slope * n).mean())
        law = Law(*(float(f"{one:.3g}") for one in (overhead, scale, slope)))
        told = law.overhead + 1e-6 * law.scale * dim * np.exp(law.power * n)
        tried.append((float(np.square(np.log(told / took)).sum()), law))
    return min(tried)[1]


def print_laws(laws: Mapping[str, Mapping[str, Law]]) -> None:
    """As `latentdb/index/costs.py` has them."""
    for kind, of in laws.items():
        parts = ", ".join(f"Law{tuple(of[name])}" for name in (*CASES, "build"))
        print(f'    "{kind}": KindCosts({parts}),')


def at(row: Measured) -> tuple[str, int]:
    """Which comparison a row belongs to."""
    return str(row["case"]), int(row["count"])


def compared(rows: list[Measured], case: str, count: int) -> Measured:
    """What is chosen at a size by the laws in use, and how it compares with what was measured."""
    there = {row["kind"]: row for row in rows if at(row) == (case, count)}
    met = {kind: row["query_ms"] for kind, row in there.items() if row["target_met"]}
    size = Size(count, CASES[case][1], "cosine")
    chosen = choose(size, IndexRequest("auto", TARGET, MEMORY), is_noise=case == "noise")
    kind = chosen.config.kind
    best = min(met, key=lambda one: met[one])
    return {
        "case": case,
        "count": count,
        "chosen": kind,
        "quickest": best,
        "chosen_ms": there[kind]["query_ms"],
        "quickest_ms": met[best],
        "predicted_ms": 1e3 * query_seconds(kind, size, target=TARGET, is_noise=case == "noise"),
        "reason": chosen.reason,
    }


def print_choices(choices: list[Measured]) -> None:
    """A line for each size."""
    heads = ("case", 9), ("n", 6), ("chosen", 7), ("ms", 8), ("told", 8), ("quickest", 8), ("ms", 8)
    print(" ".join(f"{name:>{width}}" for name, width in heads))
    for one in choices:
        print(
            f"{one['case']:>9} {one['count']:>6} {one['chosen']:>7} {one['chosen_ms']:8.3f} "
            f"{one['predicted_ms']:8.3f} {one['quickest']:>8} {one['quickest_ms']:8.3f}"
        )


if __name__ == "__main__":
    main()
