"""Kill -9 while writing: the database opens, and the same run again completes it."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from latentdb.store import Store

CHILD = Path(__file__).with_name("kill_child.py")
N_BATCHES, BATCH_ROWS = 60, 16
# A run of all batches takes about a second.
KILLS_AFTER_S = [random.Random(7).uniform(0.0, 0.35) for _ in range(4)]


def start(store: Store) -> subprocess.Popen[str]:
    command = [sys.executable, str(CHILD), store.uri, str(N_BATCHES)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "writing\n"
    return child


@pytest.mark.slow
def test_killed_writer_loses_and_doubles_nothing(empty_store, batch, noise, clip):
    for delay in KILLS_AFTER_S:
        child = start(empty_store)
        time.sleep(delay)
        child.kill()
        child.wait()
        problems = Store.open(empty_store.uri).check()
        # Vectors written ahead of their items are all that a kill may leave.
        faults = {problem.kind for problem in problems if problem.severity == "fault"}
        assert faults <= {"orphan_vectors"}
    child = start(empty_store)
    assert child.wait() == 0
    assert Store.open(empty_store.uri).check() == []
    expected = batch(range(N_BATCHES * BATCH_ROWS))
    rows = empty_store.all_vectors(noise.name)
    assert np.array_equal(rows.ids, expected["vectors"][noise.name].ids)
    assert np.array_equal(rows.vectors, expected["vectors"][noise.name].vectors)
    assert (
        len(empty_store.items(rows.ids)) == len(empty_store.vector_ids(clip.name)) == len(rows.ids)
    )
    assert len(empty_store.known_sources()) == len(rows.ids)
