"""Kill -9 at random moments of ingest and index build, resume, and look for damage.

    python -m benchmarks.kill --rounds 20 --faces 400

The command is started and killed after a random part of the time that an undisturbed run takes,
again and again until it ends by itself; with a fresh database each time, until enough kills hit.
Then `check` must find nothing, and every database must hold exactly what an undisturbed one holds.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import latentdb
from benchmarks._arguments import make_parser
from benchmarks._record import record
from latentdb.zoo.faces import write_folder

SPACES = ("faces-clip", "faces-ssl")


def main() -> None:
    """Run the control, run the killed one, compare."""
    arguments = make_parser(__doc__)
    arguments.add_argument("--rounds", type=int, default=20)
    arguments.add_argument("--faces", type=int, default=400)
    arguments.add_argument("--seed", type=int, default=0)
    asked = arguments.parse_args()
    rng = random.Random(asked.seed)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_folder(root / "faces", asked.faces, seed=asked.seed + 1000, start=0)
        control = root / "control.ldb"
        latentdb.create(control, spaces=SPACES)
        whole = _undisturbed(_ingest_command(control, root / "faces"))
        found: list[dict[str, Any]] = []
        hit = 0
        while hit < asked.rounds:
            killed = root / f"killed-{len(found)}.ldb"
            latentdb.create(killed, spaces=SPACES)
            hit += _disturbed(_ingest_command(killed, root / "faces"), whole, rng)
            found.append(_compare(control, killed))
        command = _index_command(killed, root / "faces")
        building = _undisturbed(_index_command(control, root / "faces"))
        index_hit = 0
        while index_hit < asked.rounds:
            index_hit += _disturbed(command, building, rng)
        found.append(_compare(control, killed))
    results: dict[str, Any] = {
        "faces": asked.faces,
        "kills_during_ingest": hit,
        "kills_during_index_build": index_hit,
        "databases": len(found) - 1,
        "items": [one["items"] for one in found],
        "labels_equal": all(one["labels_equal"] for one in found),
        "problems": [problem for one in found for problem in one["problems"]],
    }
    for name in ("lost", "doubled", "differing_vectors"):
        results[name] = sum(one[name] for one in found)
    record("kill", results, seed=asked.seed)
    faults = results["lost"] or results["doubled"] or results["differing_vectors"]
    complete = results["labels_equal"] and set(results["items"]) == {asked.faces}
    if faults or results["problems"] or not complete:
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


def _disturbed(command: list[str], whole: float, rng: random.Random) -> int:
    """Start the command and kill it at a random moment, again and again, until it ends by itself.

    Returns how many kills hit it while it was running. After each the patience grows, or a machine
    that has become slower since `whole` was taken would never let the command end.
    """
    hit = 0
    while True:
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            if process.wait(timeout=rng.uniform(0.2, 1.0) * whole):
                raise RuntimeError(f"{' '.join(command)} failed by itself")
            return hit
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            hit += 1
            whole *= 1.1


def _compare(control: Path, killed: Path) -> dict[str, Any]:
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
