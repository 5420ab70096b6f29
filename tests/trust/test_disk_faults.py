"""A disk that is full, folders that may not be written, rights that go away amid a write."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from children import end_of, start
from fault_child import WORK, told
from trust_settings import ROUNDS
from trust_world import answers, build, copy_of

import latentdb

# Sizes of files at which writing fails: from nothing to more than any file here has.
LIMITS = (0, 300, 1_000, 2_000, 4_000, 8_000, 16_000)[:: max(1, 3 - ROUNDS)]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faults") / "whole.ldb"
    build(folder)
    return folder


@pytest.fixture(scope="module")
def afterwards(database: Path, tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    """What a database answers after all work on it that nothing disturbed."""
    done = copy_of(database, tmp_path_factory.mktemp("control") / "whole.ldb")
    do_all(done)
    return without_times(answers(done))


def do_all(database: Path) -> None:
    """Do all work, undisturbed."""
    assert [told(what, str(database)) for what in WORK] == [""] * len(WORK)


def without_times(said: list[object]) -> list[object]:
    """Answers without when items came, and without when something was fitted."""
    text = repr(said)
    for begin, end in (("added_at='", "'"), ("datetime.datetime(", ")"), ("created_at': '", "'")):
        first, *rest = text.split(begin)
        text = begin.join([first, *(part.partition(end)[2] for part in rest)])
    return [text]


def faults_of(database: Path) -> list[object]:
    # Vectors whose items did not come any more are no loss: the next run writes the same.
    problems = latentdb.open(database).check()
    left = {"orphan_vectors", "orphan_sources"}
    return [one for one in problems if one.severity == "fault" and one.kind not in left]


@pytest.mark.parametrize("limit", LIMITS)
def test_files_that_may_not_grow_lose_nothing(
    database, tmp_path, limit, afterwards, record_property
):
    tried = copy_of(database, tmp_path / "tried.ldb")
    refused = [text for text in end_of(start(tried, limit=limit)).values() if text]
    record_property("fault|files may not grow|refused", len(refused))
    assert refused
    assert faults_of(tried) == []
    do_all(tried)
    assert latentdb.open(tried).check() == []
    assert without_times(answers(tried)) == afterwards


@contextlib.contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A file system of so many kilobytes, for who may make one."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("spare_kilobytes", [4 * number for number in range(1, 2 + ROUNDS)])
def test_full_disk_loses_nothing_and_is_told(
    database, tmp_path, spare_kilobytes, afterwards, record_property
):
    used = sum(path.stat().st_blocks // 2 for path in database.rglob("*"))
    with small_disk(tmp_path / "disk", used + 2_000) as disk:
        tried, ballast = copy_of(database, disk / "tried.ldb"), disk / "ballast"
        refused = []
        for what in WORK:
            room = shutil.disk_usage(disk).free - 1024 * spare_kilobytes
            ballast.write_bytes(bytes(max(0, room)))
            refused.append(told(what, str(tried)))
            ballast.unlink()
        record_property("fault|disk full|refused", len(list(filter(None, refused))))
        assert any(refused)
        assert faults_of(tried) == []
        do_all(tried)
        assert latentdb.open(tried).check() == []
        assert without_times(answers(tried)) == afterwards


def set_rights(database: Path, *, writable: bool) -> None:
    for path in (database, *database.rglob("*")):
        is_folder = path.is_dir()
        path.chmod((0o777 if is_folder else 0o666) if writable else (0o555 if is_folder else 0o444))


def test_read_only_database_answers_and_refuses_to_change(database, tmp_path):
    tried = copy_of(database, tmp_path / "tried.ldb")
    before = {path: path.read_bytes() for path in tried.rglob("*") if path.is_file()}
    set_rights(tried, writable=False)
    try:
        said = end_of(start(tried, ("search", *WORK)))
    finally:
        set_rights(tried, writable=True)
    assert {path: path.read_bytes() for path in tried.rglob("*") if path.is_file()} == before
    assert said.pop("search") == ""
    assert [what for what, text in said.items() if "ermission denied" not in text] == []


def test_rights_lost_amid_a_write_lose_nothing(database, tmp_path, afterwards, record_property):
    tried = copy_of(database, tmp_path / "tried.ldb")
    set_rights(tried, writable=True)
    child = start(tried, ("ingest",))
    assert child.stdout.readline() == "writing\n"
    set_rights(tried, writable=False)
    said = end_of(child)["ingest"]
    assert "ermission denied" in said
    set_rights(tried, writable=True)
    record_property("fault|rights lost|refused", 1)
    assert faults_of(tried) == []
    do_all(tried)
    assert latentdb.open(tried).check() == []
    assert without_times(answers(tried)) == afterwards
