"""Seconds and memory of a piece of work, and a limit on what it may take."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_EVERY_S = 0.02


def limit_own_memory(gib: float) -> None:
    """Have the system refuse this process more memory of its own.

    Pages of mapped files do not count: the system takes them back when it needs them.
    """
    limit = int(gib * 2**30)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def memory_mb() -> dict[str, float]:
    """What this process has in memory: of its own, and of mapped files."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {
        "own_mb": int(lines["RssAnon"].split()[0]) / 1024,
        "mapped_mb": int(lines["RssFile"].split()[0]) / 1024,
    }


@contextmanager
def watched() -> Iterator[dict[str, float]]:
    """Fills a dictionary with seconds, processor seconds and peaks of memory of the block."""
    found = {"own_mb": 0.0, "mapped_mb": 0.0}
    done = threading.Event()

    def watch() -> None:
        while True:
            for name, value in memory_mb().items():
                found[name] = max(found[name], value)
            if done.wait(_EVERY_S):
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        yield found
    finally:
        found["seconds"] = time.perf_counter() - wall
        found["cpu_s"] = time.process_time() - cpu
        done.set()
        watcher.join()


def run_phase(module: str, phase: str, folder: Path, arguments: list[str]) -> dict[str, Any]:
    """What a phase measured, in a process of its own; of one that is done, what it did.

    The process is `python -m MODULE --phase PHASE --folder FOLDER …` and writes PHASE.json.
    """
    kept = folder / f"{phase}.json"
    if not kept.is_file():
        command = [sys.executable, "-m", module, "--phase", phase, "--folder", str(folder)]
        print("phase", phase, flush=True)
        subprocess.run([*command, *arguments], check=True, stdout=sys.stderr)
    found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
    print(json.dumps({phase: found}), file=sys.stderr, flush=True)
    return found


def keep_phase(folder: Path, phase: str, found: dict[str, Any]) -> None:
    """Write what a phase measured, whole or not at all."""
    draft = folder / f".{phase}.json"
    draft.write_text(json.dumps(found), encoding="utf-8")
    draft.replace(folder / f"{phase}.json")


def bytes_below(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
