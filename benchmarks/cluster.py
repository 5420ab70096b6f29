"""Beyond one process: what one committer writes, and what workers of a cluster make.

    python -m benchmarks.cluster [--quick] [--only PART ...]

Parts: `committer` writes batches as an ingest does, of pictures with small pictures and two
spaces, into an empty database and into ones that hold up to a million items; `engines` ingests the
same drawn faces by the local engine and by one and two workers of Ray on this machine; `maps` fits
the same map both ways; `shards` builds and searches the same index in one piece and in four.
A part that is not asked for keeps the figures that are there.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import latentdb
from benchmarks import capacity
from benchmarks._arguments import make_parser
from benchmarks._record import RESULTS, record, write_section
from benchmarks._watched import bytes_below
from latentdb.cluster.fleet import ShardQuestion, scattered
from latentdb.cluster.ray_library import joined
from latentdb.database import LatentDB
from latentdb.ingest import IngestOptions
from latentdb.space import Space
from latentdb.types import ItemRow, SourceRow, SpaceRows
from latentdb.zoo.faces import write_folder

NAME = "cluster"
BATCH = 512
THUMBNAIL_BYTES = 8192
DIMS = (512, 1024)
_IDS = 1 << 62


def main() -> None:
    """Measure the parts that are asked for, print and keep them."""
    parts: dict[str, Callable[[argparse.Namespace, Path], object]] = {
        "committer": committer,
        "engines": engines,
        "maps": maps,
        "shards": shards,
    }
    parser = make_parser(__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes; nothing is kept")
    parser.add_argument("--only", nargs="+", choices=parts, default=list(parts))
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    kept = RESULTS / f"{NAME}.json"
    results = json.loads(kept.read_text())["results"] if kept.exists() else {}
    for name in asked.only:
        with tempfile.TemporaryDirectory() as folder:
            results[name] = parts[name](asked, Path(folder))
        print(name, json.dumps(results[name], indent=1))
        if not asked.quick:
            # After every part: the next may take long.
            record(NAME, results, seed=asked.seed)
            write_section("scale.md", NAME, tables(results))
    if not asked.quick and "committer" in results:
        # What an archive takes hangs on these figures.
        capacity.write()


def committer(asked: argparse.Namespace, folder: Path) -> dict[str, object]:
    """Rows and bytes a second of one committer, and what a commit costs by what is there."""
    n = 2048 if asked.quick else 16384
    db = empty(folder / "full.ldb", DIMS)
    took = [timed(db, batch) for batch in batches(n, DIMS, THUMBNAIL_BYTES, seed=asked.seed)]
    written = n * (THUMBNAIL_BYTES + 4 * sum(DIMS))
    db.upkeep.compact()
    growth = {}
    for held in (0, 10_000, 50_000) if asked.quick else (0, 10_000, 100_000, 1_000_000):
        growth[str(held)] = commit_into(folder / f"{held}.ldb", held, seed=asked.seed)
    return {
        "pictures": n,
        "batch": BATCH,
        "thumbnail_bytes": THUMBNAIL_BYTES,
        "dims": list(DIMS),
        "pictures_per_s": n / sum(took),
        "mb_per_s": written / 1e6 / sum(took),
        "bytes_per_picture": bytes_below(folder / "full.ldb") / n,
        "payload_bytes_per_picture": written / n,
        "commit_ms_by_items_there": growth,
    }


def commit_into(path: Path, held: int, *, seed: int) -> float:
    """Median ms of a commit of 512 pictures with 16 values each, beside `held` items."""
    db = empty(path, (16,))
    for batch in batches(held, (16,), 0, seed=seed + 1, size=50_000):
        timed(db, batch)
    if held:
        db.upkeep.compact()
    took = [timed(db, one) for one in batches(8 * BATCH, (16,), 0, seed=seed + 2)]
    return 1e3 * float(np.median(took))


def empty(path: Path, dims: tuple[int, ...]) -> LatentDB:
    """A database with a space for each width."""
    db = latentdb.create(path)
    for dim in dims:
        db.store.add_space(Space(f"s{dim}", "embedding", dim, f"imported:s{dim}"))
    return db


Batch = tuple[NDArray[np.int64], dict[str, NDArray[np.float32]], bytes]


def batches(
    n: int, dims: tuple[int, ...], thumbnail: int, *, seed: int, size: int = BATCH
) -> Iterator[Batch]:
    """Pictures as an ingest hands them over: random ids, vectors, and bytes no codec shrinks."""
    rng = np.random.default_rng(seed)
    for start in range(0, n, size):
        m = min(size, n - start)
        vectors = {f"s{dim}": rng.standard_normal((m, dim), np.float32) for dim in dims}
        yield rng.integers(0, _IDS, m), vectors, rng.bytes(m * thumbnail)


def timed(db: LatentDB, batch: Batch) -> float:
    """Seconds of one commit."""
    ids, vectors, pictures = batch
    each = len(pictures) // len(ids)
    items = [
        ItemRow(int(one), f"archive/{one}.jpg", 640, 480, pictures[at * each : (at + 1) * each])
        for at, one in enumerate(ids)
    ]
    sources = [SourceRow(item.source, f"{item.id:064x}", item.id) for item in items]
    rows = {name: SpaceRows(ids, block) for name, block in vectors.items()}
    started = time.perf_counter()
    db.store.write_batch(items=items, sources=sources, vectors=rows, quarantine=[])
    return time.perf_counter() - started


class FirstSeen:
    """When the first file was done: what came before is start-up, and happens once."""

    def __init__(self) -> None:
        self.first: float | None = None
        self.files = 0

    def total(self, files: int | None) -> None:
        """Nothing to note."""

    def advance(self, *, files: int = 1, quarantined: int = 0) -> None:  # noqa: ARG002
        """Note the first and count the rest."""
        if self.first is None:
            self.first = time.perf_counter()
        else:
            self.files += files

    def message(self, text: str) -> None:
        """Show what was said."""
        print(text)


def engines(asked: argparse.Namespace, folder: Path) -> dict[str, object]:
    """Pictures a second of both engines, after start-up, and what start-up took."""
    n = 128 if asked.quick else 2000
    write_folder(folder / "faces", n, seed=asked.seed)
    found: dict[str, object] = {"pictures": n, "spaces": ["faces-clip", "faces-ssl"]}
    runs = {"local": ("local", 1), "ray, 1 worker": ("ray", 1), "ray, 2 workers": ("ray", 2)}
    for name, (engine, workers) in runs.items():
        db = latentdb.create(folder / f"{engine}{workers}.ldb", spaces=["faces-clip", "faces-ssl"])
        seen, started = FirstSeen(), time.perf_counter()
        options = IngestOptions(workers=workers, batch_size=32)
        db.ingest(folder / "faces", options=options, progress=seen, engine=engine)  # type: ignore[arg-type]
        ended = time.perf_counter()
        assert seen.first is not None
        found[name] = {
            "start_s": seen.first - started,
            "pictures_per_s": seen.files / (ended - seen.first),
        }
    return found


def maps(asked: argparse.Namespace, folder: Path) -> dict[str, object]:
    """Seconds of a map of 512 dimensions from 512, both ways."""
    n = 4000 if asked.quick else 40_000
    db = empty(folder / "pairs.ldb", (512,))
    db.store.add_space(Space("other", "embedding", 512, "imported:other"))
    mixing = np.random.default_rng(9).standard_normal((512, 512)).astype(np.float32) / 16
    for ids, vectors, _ in batches(n, (512,), 0, seed=asked.seed, size=8192):
        noise = np.random.default_rng(len(ids)).standard_normal((len(ids), 512), np.float32)
        timed(db, (ids, {**vectors, "other": vectors["s512"] @ mixing + noise}, b""))
    found: dict[str, object] = {"items": n}
    weights = []
    cores = len(os.sched_getaffinity(0))
    with joined(None, cpus=cores):
        for name, engine in {"local": "local", "ray": "ray"}.items():
            started = time.perf_counter()
            made = db.stitch("s512", "other", engine=engine)  # type: ignore[typeddict-item]
            found[f"{name}_s"] = time.perf_counter() - started
            weights.append(made.weight)
    found["largest_difference"] = float(np.abs(weights[0] - weights[1]).max())
    return found


def shards(asked: argparse.Namespace, folder: Path) -> dict[str, object]:
    """Build and search times of one piece, of four shards here, and of four over two workers."""
    n = 4000 if asked.quick else 50_000
    db = empty(folder / "shards.ldb", (256,))
    for batch in batches(n, (256,), 0, seed=asked.seed, size=8192):
        timed(db, batch)
    store = db.store
    queries = np.random.default_rng(5).standard_normal((100, 256), np.float32)

    def search_ms() -> float:
        live = db.catalog.indexes.live(store.space("s256"), "cosine", None)
        return median_ms(lambda: live.search(queries, 10))

    found: dict[str, object] = {"vectors": n, "dim": 256, "queries_together": 100}
    with joined(None, cpus=2):
        for name, how in {
            "one piece": {},
            "4 shards": {"shards": 4},
            "4 shards, built by 2 workers": {"shards": 4, "engine": "ray"},
        }.items():
            built = db.build_index("s256", metric="cosine", kind="sq8", **how)  # type: ignore[arg-type]
            found[name] = {"build_s": built.seconds, "search_ms": search_ms()}
        with scattered(db.catalog, "s256") as fleet:
            nothing = np.empty(0, np.int64)
            question = ShardQuestion(queries, 10, None, None, nothing)
            found["4 shards, held by 4 workers"] = {
                "search_ms": median_ms(lambda: fleet.ask(question))
            }
    return found


def median_ms(call: Callable[[], object]) -> float:
    """Of seven calls after a first."""
    call()
    took = []
    for _ in range(7):
        started = time.perf_counter()
        call()
        took.append(time.perf_counter() - started)
    return 1e3 * float(np.median(took))


def tables(results: dict[str, dict[str, Any]]) -> str:
    """What docs/scale.md shows of the parts that were measured."""
    shown = {
        "committer": _committer_table,
        "engines": _engines_table,
        "maps": _maps_line,
        "shards": _shards_table,
    }
    return "\n\n".join(
        "\n".join(show(results[name])) for name, show in shown.items() if name in results
    )


def _committer_table(write: dict[str, Any]) -> list[str]:
    return [
        f"One committer, batches of {write['batch']} pictures with {write['thumbnail_bytes']} "
        f"bytes of small picture and spaces of {write['dims']} float32: "
        f"**{write['pictures_per_s']:.0f} pictures/s, {write['mb_per_s']:.0f} MB/s**; "
        f"{write['bytes_per_picture']:.0f} bytes a picture on disk, of which "
        f"{write['payload_bytes_per_picture']:.0f} are vectors and small pictures.",
        "",
        "| items there | commit of 512, ms |",
        "|---:|---:|",
        *(
            f"| {int(held):,} | {ms:.0f} |"
            for held, ms in write["commit_ms_by_items_there"].items()
        ),
    ]


def _engines_table(ran: dict[str, Any]) -> list[str]:
    return [
        f"| ingest of {ran['pictures']} faces, two encoders | start, s | pictures/s |",
        "|---|---:|---:|",
        *(
            f"| {name} | {one['start_s']:.1f} | {one['pictures_per_s']:.0f} |"
            for name, one in ran.items()
            if isinstance(one, dict)
        ),
    ]


def _maps_line(fits: dict[str, Any]) -> list[str]:
    return [
        f"Map from 512 to 512 dimensions, {fits['items']:,} items: {fits['local_s']:.1f} s here, "
        f"{fits['ray_s']:.1f} s by workers of the same machine; largest difference between the "
        f"weights {fits['largest_difference']:.1e}."
    ]


def _shards_table(parts: dict[str, Any]) -> list[str]:
    rows = {name: one for name, one in parts.items() if isinstance(one, dict)}
    return [
        f"| sq8 of {parts['vectors']:,} × {parts['dim']}, 100 questions together | build, s | "
        "search, ms |",
        "|---|---:|---:|",
        *(
            f"| {name} | {_seconds(one.get('build_s'))} | {one['search_ms']:.1f} |"
            for name, one in rows.items()
        ),
    ]


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    main()
