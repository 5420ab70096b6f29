"""Import and export of a NoiseZoo folder against a plain copy of its file: time and memory.

    python -m benchmarks.interchange --n 19867

Every round writes a synthetic `noises_sd15.npy` of 16,384 half-precision numbers a row with
CelebA's 40 attributes, copies the file (flushed to disk), imports it into a new database, imports
it again, and exports it in every format; each in a process of its own. Memory is the peak of what
the process has of its own above what it has with the library loaded; pages of mapped files, which
the system takes back as it needs them, do not count.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import numpy as np

from benchmarks._arguments import make_parser
from benchmarks._record import record
from latentdb.interchange import Format
from latentdb.interchange.attributes import CELEBA

DIM = 16_384
_CHUNK = 1 << 24
# Timed inside the child, so that imports do not count; its own memory is read every 5 ms.
_CHILD = """
import json, sys, threading, time
from pathlib import Path
from latentdb.store import Store
from latentdb.interchange import export_vectors, import_vectors

def own_memory():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024

def watch():
    while not done.wait(0.005):
        peak[0] = max(peak[0], own_memory())

doing, database, path, kind = sys.argv[1:]
store = Store.create(database) if doing == "create" else Store.open(database)
store.item_ids()
before, done = own_memory(), threading.Event()
peak = [before]
watcher = threading.Thread(target=watch)
watcher.start()
wall, cpu = time.perf_counter(), time.process_time()
if doing == "export":
    export_vectors(store, path, format=kind)
else:
    import_vectors(store, path)
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
done.set()
watcher.join()
print(json.dumps({"seconds": wall, "cpu_s": cpu, "memory_mb": peak[0] - before}))
"""


def main() -> None:
    """Time every step in turns, print and keep medians."""
    arguments = make_parser(__doc__)
    arguments.add_argument("--n", type=int, default=19_867)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--seed", type=int, default=0)
    asked = arguments.parse_args()
    rounds: list[dict[str, dict[str, float]]] = []
    with tempfile.TemporaryDirectory() as folder:
        zoo = Path(folder) / "zoo"
        size = _write_zoo(zoo, asked.n, asked.seed)
        for at in range(asked.rounds):
            rounds.append(_round(zoo, Path(folder) / f"{at}"))
    steps = {name: _medians([one[name] for one in rounds]) for name in rounds[0]}
    copied = steps["copy"]["seconds"]
    for step in steps.values():
        step["mb_per_s"] = size / 1e6 / step["seconds"]
        step["times_of_a_copy"] = step["seconds"] / copied
    record(
        "interchange",
        {"rows": asked.n, "dim": DIM, "mb": size / 1e6, "rounds": asked.rounds, "steps": steps},
        seed=asked.seed,
    )


def _write_zoo(folder: Path, n: int, seed: int) -> int:
    """A NoiseZoo folder; the bytes of its vectors."""
    folder.mkdir()
    rng = np.random.default_rng(seed)
    path = folder / "noises_sd15.npy"
    vectors = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=(n, DIM))
    for start in range(0, n, 256):
        some = vectors[start : start + 256]
        some[:] = rng.standard_normal(some.shape, dtype=np.float32)
    vectors.flush()
    signs = rng.integers(0, 2, (n, len(CELEBA))) * 2 - 1
    rows = [f"{i + 1:06d}.jpg {' '.join(map(str, row))}" for i, row in enumerate(signs)]
    text = "\n".join([str(n), " ".join(CELEBA), *rows])
    (folder / "list_attr_celeba.txt").write_text(text + "\n", encoding="utf-8")
    return path.stat().st_size


def _round(zoo: Path, folder: Path) -> dict[str, dict[str, float]]:
    folder.mkdir()
    database = folder / "zoo.ldb"
    steps = {"copy": {"seconds": _copy(zoo / "noises_sd15.npy", folder / "copy.npy")}}
    steps["import"] = _child("create", database, zoo)
    steps["import again"] = _child("again", database, zoo)
    for kind in get_args(Format):
        steps[f"export {kind}"] = _child("export", database, folder / kind, kind)
    return steps


def _copy(source: Path, target: Path) -> float:
    """Seconds to copy a file and have it on disk."""
    started = time.perf_counter()
    with source.open("rb") as read, target.open("wb") as written:
        while block := read.read(_CHUNK):
            written.write(block)
        written.flush()
        os.fsync(written.fileno())
    return time.perf_counter() - started


def _child(doing: str, database: Path, path: Path, kind: str = "") -> dict[str, float]:
    command = [sys.executable, "-c", _CHILD, doing, str(database), str(path), kind]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    measured: dict[str, float] = json.loads(run.stdout)
    return measured


def _medians(measured: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(one[name] for one in measured) for name in measured[0]}


if __name__ == "__main__":
    main()
