"""A cluster of one machine, started for one run, is gone when the run is."""

from __future__ import annotations

import socket
import subprocess
import sys
import time

import pytest

from latentdb.cluster.local_head import local_cluster

pytest.importorskip("ray", reason="Ray is not installed: pip install 'latentdb[ray]'")

CALLER = """
import time
from latentdb.cluster.local_head import local_cluster
with local_cluster(1) as address:
    print(address, flush=True)
    time.sleep(600)
"""


def answers(address: str) -> bool:
    host, port = address.rsplit(":", 1)
    with socket.socket() as asked:
        asked.settimeout(1)
        return asked.connect_ex((host, int(port))) == 0


def is_gone(address: str) -> bool:
    give_up = time.monotonic() + 30
    while answers(address) and time.monotonic() < give_up:
        time.sleep(0.2)
    return not answers(address)


def test_it_ends_with_its_block() -> None:
    with local_cluster(1) as address:
        assert answers(address)
    assert is_gone(address)


def test_it_ends_with_a_caller_that_is_killed() -> None:
    caller = subprocess.Popen([sys.executable, "-c", CALLER], stdout=subprocess.PIPE, text=True)
    assert caller.stdout is not None
    address = caller.stdout.readline().strip()
    assert answers(address)
    caller.kill()
    caller.communicate()
    assert is_gone(address)
