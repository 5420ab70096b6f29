"""A million vectors of noise on one machine, within 8 GiB: import, index, search, commit.

    python -m benchmarks.million [--folder FOLDER] [--quick]

Vectors (1,024 values, half precision) come from the law of real noise (`benchmarks._synthetic`),
lie in a file with two attributes, and are imported, indexed and searched as anyone would. Every
phase is a process that the system refuses more than 8 GiB of its own; pages of mapped files are
counted apart. Questions are 200 vectors of the same law that are not stored; they are answered
alone, all at once, and with a filter that one row in five passes, and compared with an exact scan
of the store. Last, a tenth as many rows of Gaussian noise, of which none is near another, show what
an index does where there is nothing to find. A phase that is done is not done again: with
`--folder` an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import latentdb
from benchmarks._arguments import make_parser
from benchmarks._record import record, write_section
from benchmarks._synthetic import zoo_noise
from benchmarks._watched import (
    bytes_below,
    keep_phase,
    limit_own_memory,
    memory_mb,
    run_phase,
    watched,
)
from indexers.recall import recall_at_k
from latentdb.database import LatentDB
from latentdb.filters import filter_ids
from latentdb.index.name import IndexName, metric_for
from latentdb.index.truth import exact_neighbours
from latentdb.query import Query
from latentdb.types import Answer, ItemRow, SpaceRows

DIM, K = 1024, 10
MEMORY_GIB = 8.0
SPACE = "zoo"
WHERE = "age < 20"
BUILT = (("cosine", "rabitq"), ("cosine", "ivf_pq"), ("nao", "rabitq"))
_BATCH = 512
_MODULE = "benchmarks.million"


def main() -> None:
    """Run the phases that are not done yet, print and keep what they measured."""
    asked = _asked()
    if asked.phase is not None:
        limit_own_memory(MEMORY_GIB)
        keep_phase(asked.folder, asked.phase, _phases()[asked.phase](asked))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        sizes = [f"--n={asked.n}", f"--questions={asked.questions}", f"--seed={asked.seed}"]
        found = {name: run_phase(_MODULE, name, folder, sizes) for name in _phases()}
    results = {"n": asked.n, "dim": DIM, "questions": asked.questions, "phases": found}
    print(_table(results))
    if not asked.quick:
        record("million", results, seed=asked.seed)
        write_section("scale_one_machine.md", "million", _table(results))


def _asked() -> argparse.Namespace:
    arguments = make_parser(__doc__)
    arguments.add_argument("--folder", type=Path)
    arguments.add_argument("--n", type=int, default=1_000_000)
    arguments.add_argument("--questions", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--quick", action="store_true", help="20,000 rows, nothing is kept")
    arguments.add_argument("--phase", help=argparse.SUPPRESS)
    asked = arguments.parse_args()
    if asked.quick:
        asked.n, asked.questions = 20_000, 50
    return asked


def _phases() -> dict[str, Callable[[argparse.Namespace], dict[str, Any]]]:
    """In their order."""
    phases: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
        "write": _write,
        "import": _import,
        "compact": _compact,
    }
    for metric in dict.fromkeys(metric for metric, _ in BUILT):
        phases[f"truth-{metric}"] = partial(_truth, metric=metric)
        for kind in (kind for of, kind in BUILT if of == metric):
            phases[f"index-{metric}-{kind}"] = partial(_index, metric=metric, kind=kind)
            phases[f"search-{metric}-{kind}"] = partial(_search, metric=metric)
    return {**phases, "commit": _commit, "unrelated": _unrelated}


def _write(asked: argparse.Namespace) -> dict[str, Any]:
    """The file as anyone may have it."""
    source = asked.folder / "source"
    source.mkdir(exist_ok=True)
    path = source / f"noises_{SPACE}.npy"
    with watched() as found:
        shape = (asked.n, DIM)
        rows = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=shape)
        at = 0
        for block in zoo_noise(asked.n, DIM, asked.seed):
            rows[at : at + len(block)] = block
            at += len(block)
        rows.flush()
        rng = np.random.default_rng(asked.seed)
        ages, smiles = rng.integers(0, 100, asked.n), rng.integers(0, 2, asked.n)
        table = np.stack([ages, smiles], axis=1)
        header = "age,smiling"
        np.savetxt(source / "attributes.csv", table, "%d", ",", header=header, comments="")
    return {**found, "source_bytes": bytes_below(source)}


def _import(asked: argparse.Namespace) -> dict[str, Any]:
    with watched() as found:
        db = latentdb.create(asked.folder / "million.ldb")
        summary = db.import_vectors(asked.folder / "source")
    assert summary.spaces[SPACE].added == asked.n
    return {
        **found,
        "rows_per_s": asked.n / found["seconds"],
        "database_bytes": bytes_below(asked.folder / "million.ldb"),
    }


def _compact(asked: argparse.Namespace) -> dict[str, Any]:
    """Without the older versions that the commits of the import left behind."""
    db = latentdb.open(asked.folder / "million.ldb")
    with watched() as found:
        db.upkeep.compact()
    return {**found, "database_bytes": bytes_below(asked.folder / "million.ldb")}


def _truth(asked: argparse.Namespace, *, metric: str) -> dict[str, Any]:
    """True neighbours of the questions, among all rows and among those that pass the filter."""
    db, questions = _opened(asked)
    allowed = filter_ids(db.store, WHERE, SPACE)
    measure = metric_for(IndexName.of(SPACE, metric, None), DIM, lambda: np.empty(0))
    with watched() as found:
        every = exact_neighbours(db.store, SPACE, measure, questions, K)
        seconds = time.perf_counter()
        some = exact_neighbours(db.store, SPACE, measure, questions, K, among=allowed)
        found["filtered_s"] = time.perf_counter() - seconds
    np.savez(asked.folder / f"truth-{metric}.npz", every=every.distances, some=some.distances)
    return {**found, "nearest_median": float(np.median(every.distances[:, 0]))}


def _index(asked: argparse.Namespace, *, metric: str, kind: str) -> dict[str, Any]:
    db = latentdb.open(asked.folder / "million.ldb")
    with watched() as found:
        info = db.build_index(SPACE, metric=metric, kind=kind, target_recall=0.95)
    tuning = info.tuning
    assert tuning is not None
    return {
        **found,
        "index_bytes": info.index_bytes,
        "settings": dict(tuning.settings),
        "target_met": tuning.target_met,
        "recall_when_built": dict(tuning.recall),
        "tried": [dict(one) for one in tuning.tried],
    }


def _search(asked: argparse.Namespace, *, metric: str) -> dict[str, Any]:
    truth = np.load(asked.folder / f"truth-{metric}.npz")
    with watched() as found:
        before = memory_mb()
        db, questions = _opened(asked)
        found["open_s"] = _seconds(partial(latentdb.open, asked.folder / "million.ldb"))
        ask = partial(_ask, db, metric)
        found["first_search_s"] = _seconds(partial(ask, questions[0]))
        found["first_search_mb"] = memory_mb()["own_mb"] - before["own_mb"]
        found["first_filtered_s"] = _seconds(partial(ask, questions[0], where=WHERE))
        # What is kept of items once they are asked for often is read before anything is timed.
        for question in questions[: K * 2]:
            ask(question)
        alone = _one_by_one(ask, questions)
        filtered = _one_by_one(partial(ask, where=WHERE), questions)
        queries = [Query(vector=one, space=SPACE, metric=metric, k=K) for one in questions]
        started = time.perf_counter()
        together = db.search_many(queries)
        batched_s = time.perf_counter() - started
    return {
        **found,
        "single": {**_latency(alone[1]), "recall": _recall(alone[0], truth["every"])},
        "filtered": {**_latency(filtered[1]), "recall": _recall(filtered[0], truth["some"])},
        "batched": {
            "ms_per_question": 1e3 * batched_s / len(queries),
            "recall": _recall(together, truth["every"]),
        },
    }


def _commit(asked: argparse.Namespace) -> dict[str, Any]:
    """A batch more: to be stored, and to be found by a reader that was searching already."""
    reader, questions = _opened(asked)
    writer = latentdb.open(asked.folder / "million.ldb")
    metric = BUILT[-1][0]
    _ask(reader, metric, questions[0])
    with watched() as found:
        before = memory_mb()["own_mb"]
        for at in range(3):
            ids = 2**62 + np.arange(at * _BATCH, (at + 1) * _BATCH)
            start = asked.n + asked.questions + at * _BATCH
            vectors = np.concatenate(list(zoo_noise(_BATCH, DIM, asked.seed, start=start)))
            items = [ItemRow(int(one), f"new/{one}", 0, 0, b"") for one in ids]
            batch = {SPACE: SpaceRows(ids, vectors)}
            found["commit_s"] = _seconds(
                partial(
                    writer.store.write_batch, items=items, sources=[], vectors=batch, quarantine=[]
                )
            )
            found["next_search_s"] = _seconds(partial(_ask, reader, metric, questions[0]))
            nearest = _ask(reader, metric, vectors[0].astype(np.float16).astype(np.float32))
            assert nearest.hits[0].id == ids[0], "what was committed is not found"
        found["grown_mb"] = memory_mb()["own_mb"] - before
    return found


def _unrelated(asked: argparse.Namespace) -> dict[str, Any]:
    """The same index over rows of which none is near another, a tenth as many."""
    rng = np.random.default_rng(asked.seed)
    n = asked.n // 10
    path = asked.folder / "noises_gauss.npy"
    np.save(path, rng.standard_normal((n, DIM), dtype=np.float32).astype(np.float16))
    questions = rng.standard_normal((asked.questions, DIM), dtype=np.float32)
    metric, kind = BUILT[0]
    with watched() as found:
        db = latentdb.create(asked.folder / "unrelated.ldb")
        db.import_vectors(path, spaces=[f"{SPACE}={path.name}"])
        info = db.build_index(SPACE, metric=metric, kind=kind, target_recall=0.95)
        measure = metric_for(IndexName.of(SPACE, metric, None), DIM, lambda: np.empty(0))
        started = time.perf_counter()
        truth = exact_neighbours(db.store, SPACE, measure, questions, K).distances
        found["scan_s"] = time.perf_counter() - started
        answers, seconds = _one_by_one(partial(_ask, db, metric), questions)
    assert info.tuning is not None
    return {
        **found,
        "n": n,
        "settings": dict(info.tuning.settings),
        "target_met": info.tuning.target_met,
        "alone": {**_latency(seconds), "recall": _recall(answers, truth)},
    }


def _opened(asked: argparse.Namespace) -> tuple[LatentDB, np.ndarray]:
    """The database, and questions that are of none of its rows."""
    questions = np.concatenate(list(zoo_noise(asked.questions, DIM, asked.seed, start=asked.n)))
    return latentdb.open(asked.folder / "million.ldb"), questions


def _ask(db: LatentDB, metric: str, vector: np.ndarray, where: str | None = None) -> Answer:
    return db.search(vector=vector, space=SPACE, metric=metric, k=K, where=where)


def _one_by_one(
    ask: Callable[[np.ndarray], Answer], questions: np.ndarray
) -> tuple[list[Answer], list[float]]:
    answers, seconds = [], []
    for question in questions:
        started = time.perf_counter()
        answers.append(ask(question))
        seconds.append(time.perf_counter() - started)
    return answers, seconds


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _latency(seconds: list[float]) -> dict[str, float]:
    return {f"p{share}_ms": float(1e3 * np.percentile(seconds, share)) for share in (50, 99)}


def _recall(answers: list[Answer], true: np.ndarray) -> float:
    found = np.full(true.shape, np.inf)
    for row, answer in enumerate(answers):
        found[row, : len(answer.hits)] = [hit.distance for hit in answer.hits]
    return recall_at_k(found, true, K)


def _table(results: dict[str, Any]) -> str:
    """What was measured, for the page."""
    phases, n = results["phases"], results["n"]
    lines = [
        f"{n:,} × {results['dim']:,}, {results['questions']} questions that are not stored; "
        f"a process of its own for each phase, refused more than {MEMORY_GIB:g} GiB.",
        "",
        "| phase | seconds | own memory, GB | mapped, GB | |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    for name, one in phases.items():
        own, mapped = one["own_mb"] / 1e3, one["mapped_mb"] / 1e3
        lines.append(f"| {name} | {one['seconds']:.0f} | {own:.2f} | {mapped:.2f} | {_said(one)} |")
    lines += [
        "",
        "| index | asked | recall@10 | p50, ms | p99, ms |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for name, one in phases.items():
        if "single" in one:
            lines += _answer_lines(name.removeprefix("search-"), one)
    lost = phases["unrelated"]["alone"]
    lines.append(
        f"| {phases['unrelated']['n']:,} rows, none near another | single | {lost['recall']:.3f} "
        f"| {lost['p50_ms']:.1f} | {lost['p99_ms']:.1f} |"
    )
    return "\n".join(lines)


def _said(one: dict[str, Any]) -> str:
    said = {
        "source_bytes": lambda v: f"{v / 1e9:.2f} GB written",
        "rows_per_s": lambda v: f"{v:,.0f} rows/s",
        "database_bytes": lambda v: f"database {v / 1e9:.2f} GB",
        "settings": lambda v: ", ".join(f"{name} {value}" for name, value in v.items()),
        "index_bytes": lambda v: f"index {v / 1e9:.2f} GB",
        "open_s": lambda v: f"opened in {v:.2f} s",
        "first_search_s": lambda v: f"first answer after {v:.1f} s",
        "commit_s": lambda v: f"{_BATCH} rows more: {v:.2f} s",
        "next_search_s": lambda v: f"the next answer, with them: {v:.2f} s",
        "grown_mb": lambda v: f"{v:.0f} MB grown",
    }
    return "; ".join(tell(one[name]) for name, tell in said.items() if name in one)


def _answer_lines(name: str, one: dict[str, Any]) -> list[str]:
    lines = []
    for how in ("single", "filtered"):
        told = one[how]
        times = f"{told['p50_ms']:.1f} | {told['p99_ms']:.1f}"
        lines.append(f"| {name} | {how} | {told['recall']:.3f} | {times} |")
    batched = one["batched"]
    each = f"{batched['ms_per_question']:.1f} a question"
    return [*lines, f"| {name} | all at once | {batched['recall']:.3f} | {each} | |"]


if __name__ == "__main__":
    main()
