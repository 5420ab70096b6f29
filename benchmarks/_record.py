"""Keeps what a benchmark measured: in results/NAME.json with its machine, in docs as tables."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"
_PACKAGES = ("latentdb", "numpy", "torch", "faiss-cpu", "faiss-gpu", "lancedb", "pillow")


def record(name: str, results: Mapping[str, object], *, seed: int) -> Path:
    """Write `results/NAME.json` with commit, machine, versions and seed, and print it.

    Parameters
    ----------
    name : str
        Of the file; an older one of that name is replaced.
    results : mapping
        What was measured; anything JSON can hold.
    seed : int
        What the run was seeded with.
    """
    whole = {
        "name": name,
        "measured_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "commit": _commit(),
        "command": [Path(argument).name for argument in sys.argv],
        "machine": _machine(),
        "versions": _versions(),
        "seed": seed,
        "results": dict(results),
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    text = json.dumps(whole, indent=2)
    path.write_text(text + "\n", encoding="utf-8")
    print(text)
    print(f"written to {path.relative_to(ROOT)}", file=sys.stderr)
    return path


def write_section(page: str, benchmark: str, text: str) -> None:
    """Put `text` between the two marks that docs/PAGE has for `benchmarks.BENCHMARK`."""
    path = ROOT / "docs" / page
    begin, end = (f"<!-- {mark}: benchmarks.{benchmark} -->" for mark in ("begin", "end"))
    before, rest = path.read_text(encoding="utf-8").split(begin)
    _, after = rest.split(end)
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def _commit() -> str:
    """The commit, with `+changes` where a tracked file differs from it."""
    head = _git("rev-parse", "--short=12", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", "*.py", "*.safetensors")
    return f"{head}+changes" if changed else head


def _git(*arguments: str) -> str:
    run = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return run.stdout.strip() if run.returncode == 0 else "unknown"


def _machine() -> dict[str, object]:
    """What the numbers hang on; nothing that names the machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": cores,
        "memory_gib": _memory_gib(),
        "load_at_the_end": load,
        "accelerator": _accelerator(),
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _memory_gib() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (ValueError, OSError):
        return None


def _accelerator() -> str | None:
    """Name of the GPU, where the benchmark has loaded torch and torch sees one."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return None
    return str(torch.cuda.get_device_name())


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
