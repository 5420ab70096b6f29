"""Our searches beside those of others: recall, questions a second, building, memory, disk.

    python -m benchmarks.peers [--dataset encoder noise large] [--peers ours faiss …] [--quick]

Everything is by cosine, ten hits a question. Each structure of each peer is built in a process of
its own and searched in another, under limits of time and memory; what fails is a row that says why.
Questions come one at a time, with every thread on one core, and all together on two. Everybody is
asked for ids first, ours by `LatentDB.nearest`; then, where there is more, for names and labels of
every hit, ours by `search` and `search_many`, and for those that a filter leaves, which half of the
rows pass. The grid is printed and kept with the results. What is measured anew replaces
what was kept of the same data set and peer, and docs/peers.md and its plots are written from all.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks._arguments import make_parser
from benchmarks._record import RESULTS, record
from benchmarks.peers_base import Structure
from benchmarks.peers_data import DATASETS, make_data
from benchmarks.peers_run import PEERS
from benchmarks.peers_tables import write_page

_NAME = "peers"
_QUICK = 10
# Their own names for how they are to be kept off the network and on so many cores.
_ENVIRONMENT = {"OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "passive", "DO_NOT_TRACK": "1"}


def main() -> None:
    """Measure what is asked for, merge, write."""
    arguments = make_parser(__doc__)
    arguments.add_argument("--dataset", nargs="+", choices=DATASETS, default=list(DATASETS))
    arguments.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    arguments.add_argument("--quick", action="store_true", help="a tenth of the rows; not kept")
    arguments.add_argument("--limit-s", type=int, default=150, help="for one build or one search")
    arguments.add_argument("--memory-gib", type=float, default=12.0)
    asked = arguments.parse_args()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in asked.dataset:
            data = DATASETS[name].cut(_QUICK) if asked.quick else DATASETS[name]
            print(f"{name}: {data.rows:,} × {data.dim:,}", flush=True)
            make_data(data, Path(folder) / name)
            found[name] = {
                peer: _peer(asked, peer, name, Path(folder) / name) for peer in asked.peers
            }
            shutil.rmtree(Path(folder) / name)
    if asked.quick:
        print("not kept: the rows are too few")
        return
    merged = _merged(found)
    record(_NAME, merged, seed=0)
    write_page(merged)


def _peer(asked: Any, peer: str, name: str, data: Path) -> dict[str, Any]:
    """All structures of a peer over a data set."""
    about = PEERS[peer]
    told: dict[str, Any] = {"name": about.name, "version": None, "structures": []}
    try:
        told["version"] = version(about.package)
    except PackageNotFoundError:
        return {**told, "failed": f"{about.package} is not installed"}
    grid = about.grid(name)
    if not grid:
        return {**told, "failed": "left out of this data set, to keep the run short"}
    for at, structure in enumerate(grid):
        print(f"  {about.name}: {structure.label}", flush=True)
        one = _structure(asked, (peer, name, str(at), str(data)), structure)
        told["structures"].append(one)
        print(f"    {_line(one)}", flush=True)
    return told


def _structure(asked: Any, job: tuple[str, ...], structure: Structure) -> dict[str, Any]:
    """What one structure did: the facts of both phases, or why it failed."""
    found: dict[str, Any] = {"build": dict(structure.build), "efforts": list(structure.efforts)}
    with tempfile.TemporaryDirectory() as folder:
        for phase in ("build", "search"):
            command = [sys.executable, "-m", "benchmarks.peers_run", phase, *job, folder]
            limits = ["--memory-gib", str(asked.memory_gib)]
            try:
                run = subprocess.run(
                    [*command, *limits],
                    env=_environment(),
                    timeout=asked.limit_s,
                    capture_output=True,
                    text=True,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return {**found, "failed": f"its {phase} took longer than {asked.limit_s} s"}
            if run.returncode:
                last = (run.stderr.strip() or f"exit code {run.returncode}").splitlines()[-1]
                return {**found, "failed": f"its {phase} failed: {last[:300]}"}
            found |= json.loads((Path(folder) / f"{phase}.json").read_text(encoding="utf-8"))
    return found


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, **_ENVIRONMENT}


def _line(one: dict[str, Any]) -> str:
    """The structure in a line."""
    if "failed" in one:
        return str(one["failed"])
    shown = [
        f"{point['kind']} {point['recall']:.3f} {point['qps']:.0f}/s {point['qps_together']:.0f}/s"
        for point in one["points"]
    ]
    facts = f"built in {one['build_s']:.1f} s, {one['memory_mb']:.0f} MB, {one['disk_mb']:.0f} MB"
    return f"{facts}: {'; '.join(shown)}; {one['modes']}"


def _merged(found: dict[str, Any]) -> dict[str, Any]:
    """What was measured now, beside what was kept of other data sets and peers."""
    path = RESULTS / f"{_NAME}.json"
    kept = json.loads(path.read_text(encoding="utf-8"))["results"] if path.is_file() else {}
    return {
        name: {**kept.get(name, {}), **found.get(name, {})}
        for name in DATASETS
        if name in kept or name in found
    }


if __name__ == "__main__":
    main()
