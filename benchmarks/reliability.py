"""Kill -9 at random points of everything that writes, and every fault that tests/trust knows.

    python -m benchmarks.reliability --write

Each work is killed at a random time or at a random change of the files, up to four times, then
done undisturbed; the database must then answer as one that nothing disturbed, and `check` must find
nothing, after each kill nothing but vectors whose items had not come yet. Then the tests of trust
run for longer than they do every day, and what they tried is counted. Works that are done are kept
in results/reliability_kills.json: a run that was cut short goes on; --fresh begins again.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, final

import latentdb
from benchmarks._arguments import make_parser
from benchmarks._record import RESULTS, ROOT, record, write_section
from benchmarks._reliability_cost import checksum_cost
from benchmarks._reliability_tables import cost_sentence, fault_table, kill_table
from benchmarks._reliability_tests import run_tests
from benchmarks._reliability_work import WORKS, answers, prepare

# What a kill may leave for the next run or `check --repair` to take away.
_BEFORE_ITS_ITEM = {"orphan_vectors", "orphan_sources"}
_SPARE = 3


@final
class WarmChildren:
    """Programs that have imported everything and wait for what to do."""

    def __init__(self) -> None:
        self._waiting = [self._start() for _ in range(_SPARE)]

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "benchmarks._reliability_work"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            start_new_session=True,
        )

    def begin(self, work: str, database: Path) -> subprocess.Popen[str]:
        """One that has just begun `work`."""
        child = self._waiting.pop(0)
        self._waiting.append(self._start())
        assert child.stdout is not None
        assert child.stdin is not None
        if child.stdout.readline() != "ready\n":
            raise RuntimeError("a child ended before it was ready")
        child.stdin.write(f"{work}\t{database}\n")
        child.stdin.flush()
        return child

    def end(self) -> None:
        """Let go of those that wait."""
        for child in self._waiting:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


@final
class Rounds:
    """Rounds of kills of one work."""

    def __init__(self, work: str, before: Path, children: WarmChildren, seed: int) -> None:
        self._work = work
        self._before = before
        self._children = children
        self._rng = random.Random(f"{seed} {work}")
        self._scratch = before.parent.with_name("scratch")
        self.seen: Counter[str] = Counter()
        self.faults: list[str] = []
        control = self._fresh()
        child = children.begin(work, control)
        started = time.perf_counter()
        child.wait()
        self._seconds = time.perf_counter() - started
        self._wanted = self._answers(control)
        self._changes = _files_of(control) - _files_of(before)

    def _fresh(self) -> Path:
        shutil.rmtree(self._scratch, ignore_errors=True)
        return Path(shutil.copytree(self._before.parent, self._scratch)) / "db.ldb"

    def run(self, kills: int) -> dict[str, Any]:
        """Kill until so many kills have hit."""
        while self.seen["kills"] < kills:
            database = self._fresh()
            for _ in range(self._rng.randint(2, 4)):
                self._kill(database)
                self._look(database)
            WORKS[self._work](database)
            self._compare(database)
        return {"seconds": round(self._seconds, 2), **self.seen, "faults": self.faults}

    def _kill(self, database: Path) -> None:
        child = self._children.begin(self._work, database)
        at_change = self._rng.random() < 0.5
        # Past the end now and then: the last moment is one too.
        patience = self._rng.uniform(0, 1.05) * self._seconds
        changes = self._rng.randint(1, max(2, len(self._changes)))
        _wait(child, patience, database.parent, changes if at_change else None)
        if child.poll() is None:
            self.seen["kills"] += 1
            self.seen["at a change of files"] += at_change
        else:
            self.seen["too late"] += 1
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()

    def _look(self, database: Path) -> None:
        for problem in latentdb.open(database).check():
            if problem.severity == "fault" and problem.kind not in _BEFORE_ITS_ITEM:
                self.faults.append(f"after a kill: {problem}")
        self.seen["checks after a kill"] += 1

    def _answers(self, database: Path) -> list[Any]:
        if self._work == "backup":
            # What is in a backup is seen once it is restored.
            WORKS["restore"](database)
        return answers(database)

    def _compare(self, database: Path) -> None:
        self.seen["databases compared"] += 1
        if self._answers(database) != self._wanted:
            self.faults.append("another answer than without kills")
        left = latentdb.open(database).check(repair=True)
        self.faults += [str(one) for one in left if one.severity == "fault"]


def _files_of(database: Path) -> set[Path]:
    return {path.relative_to(database) for path in database.rglob("*")}


def _wait(child: subprocess.Popen[str], patience: float, folder: Path, changes: int | None) -> None:
    """Until a time is over, or files below `folder` have changed so often; or the child ends."""
    until = time.perf_counter() + (patience if changes is None else 60.0)
    seen = _names(folder)
    while time.perf_counter() < until and child.poll() is None:
        if changes is not None:
            now = _names(folder)
            changes -= len(now ^ seen)
            seen = now
            if changes <= 0:
                return
        time.sleep(0.0005)


def _names(folder: Path) -> frozenset[str]:
    found = []
    for root, _, names in os.walk(folder):
        found += [f"{root}/{name}" for name in names]
    return frozenset(found)


def main() -> None:
    """Kill, run the tests, count, write."""
    parser = make_parser(__doc__)
    parser.add_argument("--kills", type=int, default=21, help="of each work")
    parser.add_argument("--rounds", type=int, default=4, help="of the tests of trust")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="a moment of each")
    parser.add_argument("--fresh", action="store_true", help="forget works that are done")
    parser.add_argument("--write", action="store_true", help="put it into docs/reliability.md")
    asked = parser.parse_args()
    kills, rounds = (2, 1) if asked.quick else (asked.kills, asked.rounds)
    works = _kill_all(kills, asked.seed, fresh=asked.fresh or asked.quick)
    tests = run_tests(rounds)
    cost = checksum_cost()
    results = {"kills_per_work": kills, "rounds": rounds, "works": works, "tests": tests}
    results["cost"] = cost
    if not asked.quick:
        record("reliability", results, seed=asked.seed)
    print(kill_table(works), fault_table(tests), cost_sentence(cost), sep="\n\n")
    if asked.write:
        write_section("reliability.md", "reliability.kills", kill_table(works))
        write_section("reliability.md", "reliability.faults", fault_table(tests))
        write_section("reliability.md", "reliability.cost", cost_sentence(cost))
    if tests["failed"] or any(one["faults"] for one in works.values()):
        sys.exit(1)


def _kill_all(kills: int, seed: int, *, fresh: bool) -> dict[str, Any]:
    """Results of each work; what an earlier run with the same settings did is not done again."""
    kept = RESULTS / "reliability_kills.json"
    done: dict[str, Any] = {}
    if kept.exists() and not fresh:
        said = json.loads(kept.read_text(encoding="utf-8"))
        done = said["works"] if (said["kills"], said["seed"]) == (kills, seed) else {}
    children = WarmChildren()
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made"
        made.mkdir()
        prepare(made / "db.ldb")
        for work in WORKS:
            if work not in done:
                done[work] = _timed(
                    lambda w=work: Rounds(w, made / "db.ldb", children, seed), kills
                )
                print(work, done[work], file=sys.stderr)
                text = json.dumps({"kills": kills, "seed": seed, "works": done}, indent=1)
                kept.write_text(text + "\n", encoding="utf-8")
    children.end()
    return done


def _timed(make: Callable[[], Rounds], kills: int) -> dict[str, Any]:
    started = time.perf_counter()
    told = make().run(kills)
    return {**told, "minutes": round((time.perf_counter() - started) / 60, 1)}


if __name__ == "__main__":
    main()
