"""Memory that a piece of work takes, here and on GPUs, said without importing torch."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

_PROCESS = Path("/proc/self")
_RESET_PEAK = "5"  # proc(5): writing it to clear_refs sets VmHWM to VmRSS
_MACHINE = Path("/proc/meminfo")
# Limit and use of a container, by version of control groups.
_CONTAINER = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),
    (
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        Path("/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ),
)


@final
@dataclass(frozen=True)
class Taken:
    """What a piece of work took in one place.

    Parameters
    ----------
    is_gpu : bool
        A GPU's memory, or this machine's.
    peak_bytes : int
        The most above what was in use before, in bytes.
    free_bytes : int
        What may be taken more than before, in bytes.
    """

    is_gpu: bool
    peak_bytes: int
    free_bytes: int


@contextmanager
def watched() -> Iterator[list[Taken]]:
    """Watch the memory that the body takes.

    Yields
    ------
    list of Taken
        Filled when the body ends: an entry for each GPU that torch uses, and one for this machine
        where it is Linux.
    """
    found: list[Taken] = []
    resident = _begin_here()
    torch = _torch_with_gpus()
    gpus = range(torch.cuda.device_count()) if torch else ()
    allocated = [torch.cuda.memory_allocated(gpu) for gpu in gpus]
    for gpu in gpus:
        torch.cuda.reset_peak_memory_stats(gpu)
    yield found
    for gpu in gpus:
        peak = torch.cuda.max_memory_allocated(gpu) - allocated[gpu]
        cached = torch.cuda.memory_reserved(gpu) - torch.cuda.memory_allocated(gpu)
        found.append(Taken(True, peak, torch.cuda.mem_get_info(gpu)[0] + cached))
    free = free_bytes()
    if resident is not None and free is not None:
        found.append(Taken(False, max(0, _status("VmHWM") - resident), free))


def free_bytes() -> int | None:
    """Bytes that this process can still take: of the machine or of its container, if that is less.

    None where that cannot be told, off Linux.
    """
    if not _MACHINE.is_file():
        return None
    free = [_field(_MACHINE, "MemAvailable")]
    for limit, used in _CONTAINER:
        # "max" and files that are not there alike mean no limit.
        with suppress(OSError, ValueError):
            free.append(int(limit.read_text()) - int(used.read_text()))
    return max(0, min(free))


def _begin_here() -> int | None:
    """Resident bytes now, from which the peak is counted anew; None where it cannot be."""
    try:
        (_PROCESS / "clear_refs").write_text(_RESET_PEAK)
    except OSError:
        return None
    return _status("VmRSS")


def _torch_with_gpus() -> Any:
    """torch, where something has brought it and set up a GPU; else None."""
    torch: Any = sys.modules.get("torch")
    return torch if torch is not None and torch.cuda.is_initialized() else None


def _status(key: str) -> int:
    return _field(_PROCESS / "status", key)


def _field(path: Path, key: str) -> int:
    """Bytes of a line `key: N kB`."""
    line = next(line for line in path.read_text().splitlines() if line.startswith(f"{key}:"))
    return int(line.split()[1]) * 1024
