"""How cost grows with the number of rows: import, ingest, index, open, search and commit.

    python -m benchmarks.growth [--folder FOLDER] [--quick]

Vectors of 128 values by the law of real noise (`benchmarks._synthetic`) from a thousand to a
million rows, and drawn faces from a hundred to a hundred thousand through the bundled encoder;
every size in a process of its own. An index of every kind is built with its default settings and
asked 30 questions that are not stored, one at a time. A straight line is fitted to the logarithms
of time and rows: its slope is the exponent, with the 95 % interval of the fit. It takes half an
hour, ten minutes of it a graph of a million; with `--folder` an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

import latentdb
from benchmarks._arguments import make_parser
from benchmarks._growth_page import show
from benchmarks._record import record
from benchmarks._synthetic import zoo_noise
from benchmarks._watched import keep_phase, run_phase
from indexers.kinds import make_config
from indexers.persistence import load_index, save_index
from indexers.recall import recall_at_k
from indexers.types import INDEX_KINDS
from latentdb.database import LatentDB
from latentdb.index.build import build_from_store, row_reader
from latentdb.index.name import IndexName
from latentdb.types import ItemRow, SpaceRows
from latentdb.zoo.faces import write_folder

DIM, K, QUESTIONS, REPEATS = 128, 10, 30, 5
SPACE = "zoo"
ROWS = (1_000, 3_162, 10_000, 31_623, 100_000, 316_228, 1_000_000)
PICTURES = (100, 316, 1_000, 3_162, 10_000, 31_623, 100_000)
_BATCH = 512
_MODULE = "benchmarks.growth"


def main() -> None:
    """Run every size that is not done yet, fit exponents, print, keep and draw them."""
    asked = _asked()
    if asked.phase is not None:
        what, count = asked.phase.split("-")
        work = {"vectors": _vectors, "pictures": _pictures}[what]
        with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
            keep_phase(asked.folder, asked.phase, work(Path(folder), int(count), asked.seed))
        return
    rows, pictures = (ROWS[:3], PICTURES[:2]) if asked.quick else (ROWS, PICTURES)
    phases = [*(f"vectors-{n}" for n in rows), *(f"pictures-{n}" for n in pictures)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        seed = [f"--seed={asked.seed}"]
        found = {name: run_phase(_MODULE, name, folder, seed) for name in phases}
    curves = _curves(found)
    fits = {name: _fit(curve) for name, curve in curves.items()}
    results = {"dim": DIM, "curves": curves, "fits": fits, "recall": _recalls(found)}
    show(results, keep=not asked.quick)
    if not asked.quick:
        record("growth", results, seed=asked.seed)


def _asked() -> argparse.Namespace:
    arguments = make_parser(__doc__)
    arguments.add_argument("--folder", type=Path)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--quick", action="store_true", help="small sizes, nothing is kept")
    arguments.add_argument("--phase", help=argparse.SUPPRESS)
    return arguments.parse_args()


def _pictures(folder: Path, n: int, seed: int) -> dict[str, Any]:
    """Ingest of drawn faces; the first picture, with which models are loaded, is not counted."""
    write_folder(folder / "first", 1, seed=seed + 1)
    write_folder(folder / "faces", n, seed=seed)
    db = latentdb.create(folder / "pictures.ldb", spaces=["faces-clip"])
    db.ingest(folder / "first")
    return {"ingest": _seconds(lambda: db.ingest(folder / "faces"))}


def _vectors(folder: Path, n: int, seed: int) -> dict[str, Any]:
    rows = np.concatenate(list(zoo_noise(n, DIM, seed))).astype(np.float16)
    np.save(folder / "noises_zoo.npy", rows)
    del rows
    questions = np.concatenate(list(zoo_noise(QUESTIONS, DIM, seed, start=n)))
    db = latentdb.create(folder / "rows.ldb")
    found: dict[str, Any] = {"recall": {}}
    found["import"] = _seconds(
        lambda: db.import_vectors(folder / "noises_zoo.npy", spaces=[f"{SPACE}=noises_zoo.npy"])
    )
    truth: np.ndarray | None = None
    for kind in INDEX_KINDS:
        built, search, distances = _kind(db, folder / kind, kind, questions)
        truth = distances if truth is None else truth
        found[f"build {kind}"], found[f"search {kind}"] = built, search
        found["recall"][kind] = recall_at_k(distances, truth, K)
    return {**found, **_facade(db, questions, n, seed)}


def _kind(
    db: LatentDB, folder: Path, kind: str, questions: np.ndarray
) -> tuple[float, float, np.ndarray]:
    """Seconds to build and save an index, and of a question; distances of what was found."""
    space = db.store.space(SPACE)
    name = IndexName.of(SPACE, "cosine", None)

    def build() -> None:
        save_index(build_from_store(db.store, space, name, make_config(kind)), folder)

    built = _seconds(build)
    index = load_index(folder, mmap=True, reader=row_reader(db.store, space))
    index.search(questions[:1], K)
    seconds = [_seconds(partial(index.search, one[None], K)) for one in questions]
    return built, statistics.median(seconds), index.search(questions, K).distances


def _facade(db: LatentDB, questions: np.ndarray, n: int, seed: int) -> dict[str, float]:
    """Opening, a first and a later answer, a commit, and the answer after one, with an index."""
    config = make_config("rabitq")
    name = IndexName.of(SPACE, "cosine", None)
    index = build_from_store(db.store, db.store.space(SPACE), name, config)
    extra = {
        "space": SPACE,
        "fingerprint": db.store.space(SPACE).fingerprint,
        "table_version": db.store.version(SPACE),
        "prior": None,
        "seconds": 0.0,
        "recall_at_10": 0.0,
    }
    save_index(index, db.store.artefact_dir("indexes") / str(name), manifest_extra=extra)
    started = time.perf_counter()
    reader = latentdb.open(db.uri)

    def ask(question: np.ndarray) -> None:
        reader.search(vector=question, space=SPACE, k=K)

    ask(questions[0])
    found = {"open and first answer": time.perf_counter() - started}
    for question in questions:
        ask(question)
    found["answer"] = statistics.median(_seconds(partial(ask, one)) for one in questions)
    commits, grown = [], []
    for at in range(REPEATS):
        ids = 2**62 + np.arange(at * _BATCH, (at + 1) * _BATCH)
        start = n + QUESTIONS + at * _BATCH
        vectors = np.concatenate(list(zoo_noise(_BATCH, DIM, seed, start=start)))
        batch = {
            "items": [ItemRow(int(one), f"new/{one}", 0, 0, b"") for one in ids],
            "vectors": {SPACE: SpaceRows(ids, vectors)},
        }
        commits.append(_seconds(partial(db.store.write_batch, sources=[], quarantine=[], **batch)))
        grown.append(_seconds(partial(ask, questions[0])))
    return {
        **found,
        "commit": statistics.median(commits),
        "answer after a commit": statistics.median(grown),
    }


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _curves(found: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Seconds of every measurement by number of rows."""
    curves: dict[str, dict[str, float]] = {}
    for phase, one in found.items():
        count = phase.split("-")[1]
        for name, value in one.items():
            if name != "recall":
                curves.setdefault(name, {})[count] = value
    return curves


def _recalls(found: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    recalls: dict[str, dict[str, float]] = {}
    for phase, one in found.items():
        for kind, value in one.get("recall", {}).items():
            recalls.setdefault(kind, {})[phase.split("-")[1]] = value
    return recalls


def _fit(curve: Mapping[str, float]) -> dict[str, float]:
    """Exponent over all sizes with its interval, and over the last decade."""
    rows, seconds = np.log([int(n) for n in curve]), np.log(list(curve.values()))
    line = stats.linregress(rows, seconds)
    within = stats.t.ppf(0.975, len(rows) - 2) * line.stderr if len(rows) > 2 else np.inf
    last = rows >= rows[-1] - np.log(10) - 1e-3
    slope = stats.linregress(rows[last], seconds[last]).slope if last.sum() > 1 else np.nan
    return {
        "exponent": float(line.slope),
        "low": float(line.slope - within),
        "high": float(line.slope + within),
        "last_decade": float(slope),
    }


if __name__ == "__main__":
    main()
