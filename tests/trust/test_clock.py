"""Clocks that are wrong: writers of another year, and files from the future."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from children import end_of, start
from trust_world import answers, build, copy_of, vectors_of, write

import latentdb

YEAR = 365 * 24 * 3600


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clock") / "whole.ldb"
    build(folder)
    return folder


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that shifts the clock of whoever is started with it."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("a compiler is needed to shift the clock of a process")
    library = tmp_path_factory.mktemp("clock") / "shift.so"
    source = Path(__file__).with_name("clock_shift.c")
    subprocess.run([compiler, "-shared", "-fPIC", str(source), "-o", str(library)], check=True)
    return library


def shifted(clock: Path, seconds: int) -> dict[str, str]:
    return {"LD_PRELOAD": str(clock), "SHIFT_SECONDS": str(seconds)}


def test_writers_of_other_years_lose_nothing(database, tmp_path, clock, record_property):
    tried, control = (copy_of(database, tmp_path / name) for name in ("a.ldb", "b.ldb"))
    works = (("ingest", "index"), ("label", "compact"), ("fit", "backup"))
    for number, part in enumerate(works):
        # Forward, back behind the beginning, and forward again.
        environment = shifted(clock, YEAR * (-1) ** number)
        assert set(end_of(start(tried, part, environment=environment)).values()) == {""}
        assert set(end_of(start(control, part)).values()) == {""}
    years = {item.added_at[:4] for item in latentdb.open(tried).items([1000])}
    assert years.isdisjoint(item.added_at[:4] for item in latentdb.open(tried).items([1]))
    assert latentdb.open(tried).check() == []
    assert untimed(answers(tried)) == untimed(answers(control))
    record_property("fault|clock wrong by a year|writes", sum(map(len, works)))


def untimed(said: list[object]) -> list[object]:
    """The parts that tell no times: ids, pictures, sources, vectors, hits."""
    return [said[0], said[2], said[3], *(one for one in said if isinstance(one, bytes))]


def test_changes_of_a_writer_whose_clock_is_behind_are_seen(database, tmp_path, clock):
    tried = copy_of(database, tmp_path / "tried.ldb")
    db = latentdb.open(tried)
    before = db.search(id=5, space="clip", k=3)
    assert end_of(start(tried, ("ingest",), environment=shifted(clock, -YEAR))) == {"ingest": ""}
    query = vectors_of([1001], 8)[0]
    assert [hit.id for hit in db.search(vector=query, space="clip", k=1).hits] == [1001]
    assert [hit.id for hit in db.search(id=5, space="clip", k=3).hits] != [] != before.hits


@pytest.mark.parametrize("seconds", [-YEAR, YEAR])
def test_files_of_another_year_hide_no_change(database, tmp_path, seconds, record_property):
    tried = copy_of(database, tmp_path / "tried.ldb")
    for path in (tried, *tried.rglob("*")):
        status = path.stat()
        os.utime(path, (status.st_atime + seconds, status.st_mtime + seconds))
    db = latentdb.open(tried)
    assert answers(tried) == answers(database)
    for one in range(3000, 3003):
        write(db, [one])
        found = db.search(vector=vectors_of([one], 8)[0], space="clip", k=1)
        assert [hit.id for hit in found.hits] == [one]
        db.delete([one])
        assert one not in db.store.item_ids()
    assert latentdb.open(tried).check() == []
    record_property("fault|files of another year|answers equal", 1)
