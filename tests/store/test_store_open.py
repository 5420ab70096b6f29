"""Making, opening, migrating and locking a database."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from latentdb.errors import (
    StoreError,
    StoreExistsError,
    StoreFormatError,
    StoreIOError,
    StoreLockedError,
    StoreNotFoundError,
)
from latentdb.store import Store
from latentdb.store.format import CURRENT_FORMAT, FormatRecord, migrate
from latentdb.store.local_folder import LocalFolder
from latentdb.store.migrations import STEPS, Step
from latentdb.store.tables import Tables


def test_created_database_says_its_format(tmp_path):
    Store.create(str(tmp_path / "a.ldb"))
    record = json.loads((tmp_path / "a.ldb" / "latentdb.json").read_text())
    assert record["format"] == record["minimum_reader"] == CURRENT_FORMAT == 1
    assert record["created_at"].endswith("+00:00")
    assert [path.name for path in tmp_path.iterdir()] == ["a.ldb"]


def test_create_fills_an_empty_folder_and_refuses_a_full_one(tmp_path):
    (tmp_path / "a.ldb").mkdir()
    Store.create(str(tmp_path / "a.ldb"))
    with pytest.raises(StoreExistsError, match=r"a\.ldb exists already; open it"):
        Store.create(str(tmp_path / "a.ldb"))


def test_file_address_and_path_lead_to_the_same_database(tmp_path):
    made = Store.create((tmp_path / "a b.ldb").as_uri())
    assert Store.open(str(tmp_path / "a b.ldb")).uri == made.uri == str(tmp_path / "a b.ldb")


@pytest.mark.parametrize("uri", ["https://x/a.ldb", "file://host/a.ldb"])
def test_address_that_is_not_local_is_refused(uri):
    with pytest.raises(StoreError, match="expected a local folder"):
        Store.open(uri)


@pytest.mark.parametrize("name", ["nowhere.ldb", "folder", "file.txt"])
def test_path_without_database_says_how_to_make_one(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file.txt").write_text("x")
    with pytest.raises(StoreNotFoundError, match="create one with: latentdb init"):
        Store.open(str(tmp_path / name))


def rewrite_format(store: Store, **changes: object) -> None:
    path = store.path / "latentdb.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_database_of_a_newer_format_is_refused(empty_store):
    rewrite_format(empty_store, format=7, minimum_reader=7)
    with pytest.raises(StoreFormatError, match=r"reads format 7; this one reads up to 1: upgrade"):
        Store.open(empty_store.uri)


def test_newer_format_that_can_be_read_is_read_only(store):
    rewrite_format(store, format=7)
    newer = Store.open(store.uri)
    assert len(newer.item_ids()) == 4
    with pytest.raises(StoreFormatError, match="can read it, but writes format 1 only"):
        newer.delete([3])


def test_unreadable_version_file_is_named(empty_store):
    (empty_store.path / "latentdb.json").write_text("{")
    with pytest.raises(StoreFormatError, match=r"latentdb\.json is not the version file"):
        Store.open(empty_store.uri)


def test_older_format_is_migrated_by_the_steps_it_lacks(tmp_path):
    folder = tmp_path / "old"
    folder.mkdir()
    replace(FormatRecord.empty(), created_at="then").write(LocalFolder(folder))
    opened = Store.open(str(folder))
    assert list(opened.item_ids()) == []
    assert FormatRecord.read(LocalFolder(folder)) == FormatRecord(1, 1, "then")


def test_each_step_runs_once_and_again_only_when_it_was_cut_short(empty_store):
    runs = []

    def cut_short(tables: Tables) -> None:
        runs.append(sorted(tables.names())[0])
        if len(runs) == 1:
            raise StoreIOError("the disk is full")

    steps = (*STEPS, Step(2, "note the first table", cut_short, breaks_readers=False))
    place = LocalFolder(empty_store.path)
    tables = Tables(place)
    with pytest.raises(StoreIOError, match="disk is full"):
        migrate(place, tables, FormatRecord.read(place), steps=steps)
    assert FormatRecord.read(place).format == 1
    for _ in range(2):
        migrate(place, tables, FormatRecord.read(place), steps=steps)
    assert runs == ["items", "items"]
    record = FormatRecord.read(place)
    assert (record.format, record.minimum_reader) == (2, 1)


def test_second_writer_is_told_the_pid_of_the_first(store):
    other = Store.open(store.uri)
    with store.writer():
        with pytest.raises(StoreLockedError, match=f"by process {os.getpid()} on"):
            other.delete([3])
        store.delete([3])
        assert 3 not in other.item_ids()
    assert other.delete([5]) == 1


def test_lock_of_a_killed_process_is_free(store):
    program = (
        "import os, signal, sys\n"
        "from latentdb.store import Store\n"
        "with Store.open(sys.argv[1]).writer(): os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, store.uri], check=False)
    assert done.returncode == -9
    assert store.delete([3]) == 1


def test_use_in_a_fork_raises_instead_of_hanging(store):
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("this system has no fork")
    pid = os.fork()
    if pid == 0:
        try:
            store.item_ids()
        except StoreError as error:
            os._exit(7 if "spawn" in str(error) else 1)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


def test_importing_the_store_loads_no_engine():
    program = (
        "import sys, latentdb.filters; print('lancedb' in sys.modules, 'duckdb' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert done.stdout.split() == ["False", "False"]


def test_artefact_folder_is_made_below_the_database(store):
    assert store.artefact_dir("maps") == Path(store.uri) / "maps"
    assert store.artefact_dir("maps").is_dir()
