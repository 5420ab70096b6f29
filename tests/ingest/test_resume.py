"""Killed at any moment and called again: nothing lost, nothing doubled, little done twice."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from pooled_model import PooledEncoder

from latentdb.ingest import IngestOptions, ingest
from latentdb.ingest.decode import pixel_id
from latentdb.model import AbstractEncoder, Embedded, Pixels
from latentdb.store import Store

CHILD = Path(__file__).parent / "ingest_child.py"
N = 120


def start(db: Path, source: Path) -> subprocess.Popen[str]:
    command = [sys.executable, str(CHILD), str(db), str(source)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


@pytest.fixture
def faces(tmp_path: Path, draw) -> Path:
    folder = tmp_path / "faces"
    folder.mkdir()
    for seed in range(N):
        draw(seed).save(folder / f"{seed:03}.png")
    return folder


def models() -> dict[str, PooledEncoder]:
    return {"one": PooledEncoder("one", dim=8), "two": PooledEncoder("two", dim=4)}


def test_kill_minus_nine_loses_and_doubles_nothing(tmp_path: Path, faces: Path, draw) -> None:
    db = tmp_path / "db.ldb"
    Store.create(str(db))
    rng = random.Random(0)
    for _ in range(3):
        child = start(db, faces)
        time.sleep(rng.uniform(0.1, 0.9))
        child.kill()
        child.wait()
    store = Store.open(str(db))
    before = len(store.item_ids())
    resumed = models()
    summary = ingest(store, resumed, faces, options=IngestOptions(batch_size=4))
    assert sorted(store.item_ids()) == sorted(pixel_id(draw(seed)) for seed in range(N))
    for name in resumed:
        np.testing.assert_array_equal(store.vector_ids(name), store.item_ids())
    assert store.check() == []
    assert summary.added == N - before
    assert max(model.seen for model in resumed.values()) <= N - before


def test_ctrl_c_keeps_what_is_finished_and_leaves_no_process(tmp_path: Path, faces: Path) -> None:
    db = tmp_path / "db.ldb"
    Store.create(str(db))
    child = start(db, faces)
    time.sleep(0.7)
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=120)
    assert child.returncode in {-signal.SIGINT, 1, 0}
    store = Store.open(str(db))
    ingest(store, models(), faces)
    assert len(store.item_ids()) == N
    assert store.check() == []


class Interrupting(AbstractEncoder):
    """Passes batches on, and is interrupted like by Ctrl-C at one of them."""

    def __init__(self, inner: PooledEncoder, *, after: int) -> None:
        self._inner = inner
        self._after = after

    space = property(lambda self: self._inner.space)
    transform = property(lambda self: self._inner.transform)

    def embed(self, pixels: Pixels) -> Embedded:
        if self._inner.seen >= self._after:
            raise KeyboardInterrupt
        return self._inner.embed(pixels)


def test_an_interrupt_writes_the_batches_that_were_done(tmp_path: Path, faces: Path) -> None:
    store = Store.create(str(tmp_path / "db.ldb"))
    interrupting = {"one": Interrupting(PooledEncoder("one"), after=24)}
    with pytest.raises(KeyboardInterrupt):
        ingest(store, interrupting, faces, options=IngestOptions(batch_size=8))
    assert len(store.item_ids()) == 24
    again = PooledEncoder("one")
    ingest(store, {"one": again}, faces)
    assert again.seen == N - 24
