"""Two programs that write at once, with the lock and even without it."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from children import end_of, start
from trust_world import create, write

import latentdb
from latentdb.errors import StoreIOError, StoreLockedError

INSIST = """
import sys, time
sys.path.insert(0, sys.argv[1])
import latentdb
from latentdb.errors import StoreLockedError
from trust_world import write
db = latentdb.open(sys.argv[2])
for one in range(int(sys.argv[3]), int(sys.argv[3]) + 12):
    while True:
        try:
            write(db, [one, one + 6])
            break
        except StoreLockedError:
            time.sleep(0.002)
"""


def test_writers_that_insist_lose_and_double_nothing(tmp_path, record_property):
    create(tmp_path / "db.ldb")
    here = str(Path(__file__).parent)
    children = [
        subprocess.Popen([sys.executable, "-c", INSIST, here, str(tmp_path / "db.ldb"), str(first)])
        for first in (0, 8)
    ]
    assert [child.wait() for child in children] == [0, 0]
    db = latentdb.open(tmp_path / "db.ldb")
    assert db.store.item_ids().tolist() == list(range(26))
    assert db.store.vector_ids("noise").tolist() == list(range(26))
    assert db.check() == []
    record_property("fault|two writers that insist|batches", 24)


def test_second_writer_is_refused_and_changes_nothing(tmp_path):
    db = create(tmp_path / "db.ldb")
    write(db, range(10))
    with db.store.writer():
        said = end_of(start(tmp_path / "db.ldb", ("ingest", "label", "compact", "snapshot")))
    assert [what for what, text in said.items() if "is being written by process" not in text] == []
    assert len(db) == 10
    assert db.check() == []


def test_writers_double_nothing_where_somebody_deleted_the_lock(tmp_path, record_property):
    db = create(tmp_path / "db.ldb")
    other = latentdb.open(tmp_path / "db.ldb")
    refused: list[Exception] = []

    def keep_writing(one: latentdb.database.LatentDB) -> None:
        for first in range(0, 30, 3):
            try:
                write(one, range(first, first + 6))
            except (StoreIOError, StoreLockedError) as error:
                refused.append(error)

    with db.store.writer():
        (tmp_path / "db.ldb" / "writer.lock").unlink()
        threads = [threading.Thread(target=keep_writing, args=(one,)) for one in (db, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    ids = db.store.item_ids()
    assert len(set(ids.tolist())) == len(ids)
    keep_writing(latentdb.open(tmp_path / "db.ldb"))
    left = [one for one in latentdb.open(tmp_path / "db.ldb").check() if one.severity == "fault"]
    assert left == []
    assert db.store.item_ids().tolist() == list(range(33))
    record_property("fault|lock deleted under two writers|batches", 20)
