"""A server of its own process on loopback, and what it takes of memory."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

READY_S = 180.0


@dataclass(frozen=True)
class Served:
    """Where a server listens, and its process."""

    port: int
    pid: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu_s(self) -> float:
        """Seconds of all cores that it has taken: what other work on the machine hardly changes."""
        ticks = os.sysconf("SC_CLK_TCK")
        return sum(_cpu_ticks(pid) for pid in [self.pid, *_children(self.pid)]) / ticks

    def rss_mib(self) -> float:
        """Resident memory of the process and its children, without the pages they share twice."""
        return sum(_private_mib(pid) for pid in [self.pid, *_children(self.pid)])


@contextmanager
def process(command: list[str], ready: str, **variables: str) -> Iterator[Served]:
    """Run a server that takes `--port`, until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    child = subprocess.Popen(
        [*command, "--port", str(port)],
        env={**os.environ, **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait(f"http://127.0.0.1:{port}{ready}", child)
        yield Served(port, child.pid)
    finally:
        os.killpg(child.pid, signal.SIGTERM)
        try:
            child.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)


def latentdb_server(
    db: Path, *, workers: int = 1, settings: Mapping[str, object] | None = None
) -> object:
    """`latentdb serve`, with `LATENTDB_SERVE_<NAME>` for each setting."""
    command = [sys.executable, "-m", "api.cli", "serve", str(db), "--device", "cpu"]
    given = {f"LATENTDB_SERVE_{name.upper()}": str(v) for name, v in (settings or {}).items()}
    return process([*command, "--workers", str(workers)], "/readyz", **given)


def _wait(address: str, child: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        if child.poll() is not None:
            raise RuntimeError(f"the server ended with status {child.returncode}: {child.args}")
        try:
            if httpx.get(address, timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"the server was not ready after {READY_S:g} s")


def _cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            child = int(path.parent.name)
            found += [child, *_children(child)]
    return found


def _private_mib(pid: int) -> float:
    """Proportional set size where the system tells it, else the resident size."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    kib = {line.split(":")[0]: line.split() for line in lines if line.endswith("kB")}
    return int(kib["Pss"][1]) / 1024
