"""One writer at a time, whatever dies, hangs or is cut off."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from made_remotely import add, make
from s3_gate import Gate

import latentdb
from latentdb.database import LatentDB
from latentdb.errors import StoreError, StoreLockedError
from latentdb.store import Store
from latentdb.store.bucket import Bucket
from latentdb.store.lease import LeaseLock
from latentdb.store.local_folder import LocalFolder
from latentdb.store.tables import Tables

CHILD = Path(__file__).with_name("lease_child.py")


def lock_of(uri: str, *, seconds: float = 30) -> LeaseLock:
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    return LeaseLock(Bucket(bucket, prefix), uri, seconds=seconds)


@contextmanager
def holding(uri: str) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock, for two seconds after its last sign of life."""
    command = [sys.executable, str(CHILD), uri]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert int(child.stdout.readline()) == child.pid
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def test_a_second_writer_is_told_the_first(uri: str) -> None:
    db, other = make(uri, count=5), latentdb.open(uri)
    with db.store.writer():
        with pytest.raises(StoreLockedError, match=f"by process {os.getpid()} on .*stop it"):
            other.delete([3])
        db.delete([3])
    assert other.delete([5]) == 1


def test_the_lock_is_shared_by_threads_and_nested(uri: str) -> None:
    store = Store.create(uri)
    with store.writer(), store.writer():
        thread = threading.Thread(target=store.delete, args=([1],))
        thread.start()
        thread.join()
    with Store.open(uri).writer():
        assert store.item_ids().size == 0


def test_the_lock_of_a_killed_process_ends_by_itself(uri: str) -> None:
    db = make(uri, count=5)
    with holding(uri) as child:
        child.communicate("\n")
        with pytest.raises(StoreLockedError, match=rf"by process {child.pid} .* free in [1-3] s"):
            db.delete([3])
        assert deleted_in_the_end(db, 3) == 1


def deleted_in_the_end(db: LatentDB, item: int) -> int:
    """Deletes an item once the lock is free; a store tells time in whole seconds."""
    for _ in range(40):
        try:
            return db.delete([item])
        except StoreLockedError:
            time.sleep(0.25)
    raise AssertionError("the lock of a dead process was held for ten seconds")


def test_a_lock_that_is_renewed_outlives_its_length(uri: str) -> None:
    db = make(uri, count=5)
    with holding(uri):
        time.sleep(4)
        with pytest.raises(StoreLockedError, match="is being written"):
            db.delete([3])


def test_of_many_that_try_at_once_one_gets_the_lock(uri: str) -> None:
    locks = [lock_of(uri) for _ in range(6)]
    start, refused, won = threading.Barrier(6), threading.Semaphore(0), []

    def take(lock: LeaseLock) -> None:
        start.wait()
        try:
            with lock.held():
                won.append(lock)
                # It is given back once every other was refused.
                assert all(refused.acquire(timeout=60) for _ in range(5))
        except StoreLockedError:
            refused.release()

    threads = [threading.Thread(target=take, args=(lock,)) for lock in locks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def test_a_holder_that_was_cut_off_writes_nothing_more(uri: str, gate: Gate) -> None:
    Store.create(uri)
    lock = lock_of(uri, seconds=4)
    with lock.held():
        lock.require_kept()
        gate.is_open = False
        time.sleep(4)
        with pytest.raises(StoreLockedError, match="was lost: it could not be renewed"):
            lock.require_kept()
        gate.is_open = True


def test_a_lost_lock_is_found_before_a_commit(tmp_path: Path, uri: str) -> None:
    local = make(str(tmp_path / "local.ldb"), count=5)
    lock, place = lock_of(uri, seconds=1.2), LocalFolder(local.store.path)
    place.lock = lock
    table = Tables(place).table("items")
    with lock.held():
        lock._etag = None  # as the thread that renews it leaves it, when another took it over
        with pytest.raises(StoreLockedError, match="Nothing more is written"):
            table.delete("id = 3")
    assert len(local) == 5


def test_who_was_thought_dead_does_not_take_the_lock_from_its_heir(
    uri: str, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = lock_of(uri, seconds=1)
    # The heir goes past the door, which is shut until it has the lock: the first cannot renew.
    monkeypatch.setenv("AWS_ENDPOINT_URL", gate.server)
    heir = lock_of(uri)
    with first.held():
        gate.is_open = False
        with once_free(heir):
            gate.is_open = True
            for _ in range(400):
                if first._etag is None:
                    break
                time.sleep(0.05)
            assert first._etag is None
            with pytest.raises(StoreLockedError, match="was lost"):
                first.require_kept()
            heir.require_kept()
    with lock_of(uri).held():
        pass


@contextmanager
def once_free(lock: LeaseLock) -> Iterator[None]:
    """Hold a lock as soon as it is free."""
    with ExitStack() as stack:
        for _ in range(200):
            try:
                stack.enter_context(lock.held())
                break
            except StoreLockedError:
                time.sleep(0.1)
        else:
            raise AssertionError("the lock was not free within twenty seconds")
        yield


def test_a_server_that_ignores_conditions_is_refused(uri: str, gate: Gate) -> None:
    gate.loses_conditions = True
    with pytest.raises(StoreError, match="ignores conditional writes"):
        latentdb.create(uri)


def test_a_write_gives_the_lock_back(uri: str) -> None:
    db = make(uri, count=5)
    add(db, range(10, 12))
    with Store.open(uri).writer(), pytest.raises(StoreLockedError, match="is being written"):
        add(db, range(12, 14))
