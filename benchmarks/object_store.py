"""What a database in an object store costs beside one in a folder: seconds and requests.

    python -m benchmarks.object_store
    python -m benchmarks.object_store --quick

The object store is moto's server on this machine, asked directly and over a line of 20 ms, which
is about what S3 takes to answer within a region. Every operation is timed on all three in one run.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import latentdb
from benchmarks._arguments import make_parser
from benchmarks._record import record, write_section
from benchmarks._slow_line import slow_line
from latentdb.database import LatentDB
from latentdb.space import Space
from latentdb.store.polled import STALE_SECONDS
from latentdb.types import ItemRow, SpaceRows

LATENCY_S = 0.02
BATCH = 2000
_SETTINGS = {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_REGION": "us-east-1",
}


class Requests:
    """Requests that a server has logged."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def count(self) -> int:
        """So far."""
        return self._log.read_text(encoding="utf-8", errors="replace").count(" HTTP/1.1")


class Timed:
    """Seconds and requests of operations at one place."""

    def __init__(self, requests: Requests | None) -> None:
        self._requests = requests
        self.seconds: dict[str, float] = {}
        self.requests: dict[str, float] = {}

    def measure(self, name: str, work: Callable[[], object], *, times: int = 1) -> None:
        """Median of several times, and mean number of requests."""
        before = self._requests.count() if self._requests else 0
        taken = []
        for _ in range(times):
            started = time.perf_counter()
            work()
            taken.append(time.perf_counter() - started)
        self.seconds[name] = statistics.median(taken)
        if self._requests:
            self.requests[name] = (self._requests.count() - before) / times


def main() -> None:
    """Do the same at each place, print a table and keep it."""
    arguments = make_parser(__doc__)
    arguments.add_argument("--n", type=int, default=20_000)
    arguments.add_argument("--dim", type=int, default=512)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--quick", action="store_true", help="2,000 rows of 64 values")
    asked = arguments.parse_args()
    n, dim = (2000, 64) if asked.quick else (asked.n, asked.dim)
    rng = np.random.default_rng(asked.seed)
    vectors = rng.standard_normal((n, dim), dtype=np.float32)
    os.environ.update(_SETTINGS)
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder) / "log") as (port, requests):
        root = Path(folder)
        latentdb.create(root / "first.ldb")  # loads the libraries
        places = {"folder": _work(str(root / "local.ldb"), vectors, root / "unused", None)}
        for name, latency in (("object store", 0.0), ("object store, 20 ms", LATENCY_S)):
            with slow_line(port, latency_s=latency) as address:
                os.environ["AWS_ENDPOINT_URL"] = address if latency else f"http://127.0.0.1:{port}"
                uri = _in_new_bucket(f"bench-{int(latency * 1000)}")
                places[name] = _work(uri, vectors, root / name, requests)
    table = {
        operation: {
            "folder_s": seconds,
            **{
                f"{name}_{what}": getattr(places[name], what)[operation]
                for name in list(places)[1:]
                for what in ("seconds", "requests")
            },
        }
        for operation, seconds in places["folder"].seconds.items()
    }
    print(_section(table))
    if not asked.quick:
        write_section("object_storage.md", "object_store", _section(table))
        record("object_store", {"n": n, "dim": dim, "table": table}, seed=asked.seed)


def _work(uri: str, vectors: np.ndarray, caches: Path, requests: Requests | None) -> Timed:
    """Everything that is timed, at one place."""
    timed = Timed(requests)
    os.environ["LATENTDB_CACHE"] = str(caches / "one")
    timed.measure("create", lambda: latentdb.create(uri))
    db = latentdb.open(uri)
    db.store.add_space(Space("a", "embedding", vectors.shape[1], spec="none"))
    db.store.add_space(Space("b", "embedding", 32, spec="none"))
    batches = iter(range(0, len(vectors), BATCH))
    with db.store.writer():
        count = len(vectors) // BATCH
        timed.measure(
            f"batch of {BATCH} rows", lambda: _add(db, vectors, next(batches)), times=count
        )
    timed.measure("labels of one item", lambda: db.store.set_labels([5], {"n": [7]}), times=3)
    timed.measure("index, flat", lambda: db.build_index("a", metric="cosine"))
    timed.measure("map", lambda: db.stitch("a", "b", force=True))
    timed.measure("open", lambda: latentdb.open(uri), times=3)
    timed.measure("first search", lambda: _search(latentdb.open(uri), vectors, 3))
    timed.measure("search, the next", lambda: _search(db, vectors, 4), times=30)

    def after_rest() -> None:
        _search(db, vectors, 5)

    for _ in range(3):
        time.sleep(STALE_SECONDS * 1.1)
        timed.measure("search after a second", after_rest)
    os.environ["LATENTDB_CACHE"] = str(caches / "two")
    timed.measure("open and search elsewhere", lambda: _search(latentdb.open(uri), vectors, 6))
    timed.measure("compact", db.store.compact)
    return timed


def _add(db: LatentDB, vectors: np.ndarray, start: int) -> None:
    block = vectors[start : start + BATCH]
    ids = np.arange(start, start + len(block), dtype=np.int64)
    items = [ItemRow(int(i), f"{i}.png", 8, 8, b"", {}) for i in ids]
    rows = {"a": SpaceRows(ids, block), "b": SpaceRows(ids, np.ascontiguousarray(block[:, :32]))}
    db.store.write_batch(items=items, sources=[], vectors=rows, quarantine=[])


def _search(db: LatentDB, vectors: np.ndarray, row: int) -> None:
    db.search(vector=vectors[row], space="a", k=10)


def _in_new_bucket(name: str) -> str:
    import boto3

    boto3.client("s3").create_bucket(Bucket=name)
    return f"s3://{name}/bench.ldb"


@contextmanager
def _server(log: Path) -> Iterator[tuple[int, Requests]]:
    """Port of an object store, and the requests it was sent."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with log.open("wb") as out:
        server = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        try:
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.1)
            yield port, Requests(log)
        finally:
            server.kill()
            server.wait()


def _section(table: dict[str, dict[str, float]]) -> str:
    """The table as Markdown."""
    lines = [
        "| | folder, s | object store, s | ratio | over 20 ms, s | ratio | requests |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in table.items():
        local, near, _, far, requests = row.values()
        ratios = f"{near:.3f} | {near / local:.1f} | {far:.3f} | {far / local:.1f}"
        lines.append(f"| {name} | {local:.3f} | {ratios} | {requests:.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
