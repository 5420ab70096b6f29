"""A cluster of this machine alone, for one caller.

A program of its own, and not `ray.init` in the caller's process: Ray forks to start its parts, and
the storage engine that the caller has open does not survive a fork. The cluster ends with the pipe
to its caller, and so also when that one is killed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from latentdb.errors import ClusterError

_STOP_SECONDS = 30.0


@contextmanager
def local_cluster(cpus: int) -> Iterator[str]:
    """Address of a cluster of `cpus` cores of this machine, for the length of the block.

    Raises
    ------
    ClusterError
        It did not start.
    """
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)  # noqa: PTH109 - a str
    head = subprocess.Popen(
        [sys.executable, "-P", "-m", "latentdb.cluster.head_program", str(cpus)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        # Ctrl-C at a terminal is for the group of the caller, which then closes the pipe.
        process_group=0,
    )
    assert head.stdin is not None
    assert head.stdout is not None
    try:
        address = _address(head.stdout)
        if not address:
            raise ClusterError(
                "no Ray cluster could be started on this machine; what it said is above"
            )
        yield address
    finally:
        head.stdin.close()
        try:
            head.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            head.kill()
            head.wait()
        head.stdout.close()


def _address(lines: Iterator[str]) -> str:
    """What the head says once it is there; empty where it ended before."""
    for line in lines:
        name, _, address = line.strip().partition(" ")
        if name == "ADDRESS":
            return address
    return ""
