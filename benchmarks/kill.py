"""Kill -9 at random moments of ingest and index build, resume, and look for damage.

    python -m benchmarks.kill --rounds 20 --faces 400

Each round starts the command again and kills it after a random part of the time that an
undisturbed run takes; the last one runs to its end. Then `check` must find nothing, and the
database must hold exactly what an undisturbed one holds.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import latentdb
from benchmarks._record import record
from latentdb.zoo.faces import write_folder

SPACES = ("faces-clip", "faces-ssl")


def main() -> None:
    """Run the control, run the killed one, compare."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=20)
    arguments.add_argument("--faces", type=int, default=400)
    arguments.add_argument("--seed", type=int, default=0)
    asked = arguments.parse_args()
    rng = random.Random(asked.seed)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_folder(root / "faces", asked.faces, seed=asked.seed + 1000, start=0)
        control, killed = root / "control.ldb", root / "killed.ldb"
        for path in (control, killed):
            latentdb.create(path, spaces=SPACES)
        steps = [_ingest_command, _index_command]
        kills = {}
        for command in steps:
            whole = _undisturbed(command(control, root / "faces"))
            kills[command.__name__.strip("_")] = _disturbed(
                command(killed, root / "faces"), whole, asked.rounds, rng
            )
        results: dict[str, object] = {"rounds": asked.rounds, "faces": asked.faces, **kills}
        results |= _compare(control, killed)
    record("kill", results, seed=asked.seed)
    held = results["items"] == asked.faces and results["labels_equal"]
    if not held or results["problems"] or results["lost"] or results["doubled"]:
        sys.exit(1)


def _ingest_command(db: Path, faces: Path) -> list[str]:
    labels = str(faces / "labels.csv")
    return [*_CLI, "ingest", str(db), str(faces), "--labels", labels, "--batch-size", "16"]


def _index_command(db: Path, faces: Path) -> list[str]:
    del faces
    return [*_CLI, "index", str(db), "--space", SPACES[0], "--metric", "cosine", "--kind", "hnsw"]


_CLI = [sys.executable, "-m", "api.cli"]


def _undisturbed(command: list[str]) -> float:
    """Seconds that the command takes when it is left alone."""
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def _disturbed(command: list[str], whole: float, rounds: int, rng: random.Random) -> int:
    """Kill the command `rounds` times, each at another moment, then let it finish.

    Returns how many kills hit the command while it was running.
    """
    hit = 0
    for _ in range(rounds):
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            process.wait(timeout=rng.uniform(0.2, 1.0) * whole)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            hit += 1
    subprocess.run(command, check=True, capture_output=True)
    return hit


def _compare(control: Path, killed: Path) -> dict[str, object]:
    """What the killed database lacks, has twice or has wrong, against the undisturbed one."""
    left, right = latentdb.open(control), latentdb.open(killed)
    wanted, found = left.store.item_ids(), right.store.item_ids()
    lost = len(np.setdiff1d(wanted, found))
    doubled = len(found) - len(np.unique(found))
    differing = 0
    for space in SPACES:
        ids = right.store.vector_ids(space)
        lost += len(np.setdiff1d(wanted, ids))
        doubled += len(ids) - len(np.unique(ids))
        both = np.intersect1d(wanted, ids)
        apart = np.abs(left.store.vectors(space, both) - right.store.vectors(space, both))
        differing += int((apart.max(axis=1) > 1e-3).sum())
    labels = [item.labels for item in left.items(wanted)] == [
        item.labels for item in right.items(wanted)
    ]
    return {
        "items": len(found),
        "lost": lost,
        "doubled": doubled,
        "differing_vectors": differing,
        "labels_equal": labels,
        "problems": [str(problem) for problem in right.check()],
    }


if __name__ == "__main__":
    main()
