"""Uploaded originals: what is told where one is not what was taken in."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_damage import flip_in_the_middle
from trust_world import create, small_picture

import latentdb
from latentdb.database import LatentDB
from latentdb.ingest.decode import content_hash
from latentdb.types import ItemRow, QuarantineRow, SourceRow


def take_in(db: LatentDB, name: str, number: int, *, is_refused: bool = False) -> Path:
    """An upload as a server's job leaves it: its file, its item, and the hash of its content."""
    data = small_picture(number)
    file = db.store.path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    items = [] if is_refused else [ItemRow(number, name, 4, 4, data, {})]
    sources = [] if is_refused else [SourceRow(name, content_hash(data), number)]
    refused = [QuarantineRow(name, content_hash(data), "model_failed", "")] if is_refused else []
    db.store.write_batch(items=items, sources=sources, vectors={}, quarantine=refused)
    return file


@pytest.fixture
def db(tmp_path) -> LatentDB:
    db = create(tmp_path / "uploads.ldb")
    take_in(db, "uploads/one/a.png", 1)
    take_in(db, "uploads/one/b.png", 2)
    take_in(db, "uploads/two/c.png", 3, is_refused=True)
    return db


def faults(db: LatentDB):
    return [one for one in latentdb.open(db.uri).check() if one.severity == "fault"]


def of_uploads(db: LatentDB):
    return [one for one in latentdb.open(db.uri).check() if one.table == "uploads"]


def test_uploads_as_they_were_taken_in_are_no_problem(db):
    assert faults(db) == []


@pytest.mark.parametrize("name", ["uploads/one/b.png", "uploads/two/c.png"])
def test_upload_with_a_flipped_bit_is_named(db, name):
    flip_in_the_middle(db.store.path / name)
    (problem,) = faults(db)
    assert (problem.kind, problem.table, problem.count) == ("damaged_uploads", "uploads", 1)
    assert problem.detail == f"{name} is not what was taken in"
    assert "--from-backup" in problem.cure


def test_upload_that_is_not_ingested_yet_is_no_problem(db):
    (db.store.path / "uploads/three").mkdir()
    (db.store.path / "uploads/three/new.png").write_bytes(b"on its way")
    assert of_uploads(db) == []


def test_upload_that_is_gone_is_a_note(db):
    (db.store.path / "uploads/one/a.png").unlink()
    (note,) = of_uploads(db)
    assert (note.kind, note.count, note.severity) == ("missing_uploads", 1, "note")
    assert note.detail == "uploads/one/a.png is not here; its thumbnail is shown"
    assert "--from-backup" in note.cure


def test_upload_that_was_deleted_with_its_item_is_no_problem(db):
    db.delete([1])
    (db.store.path / "uploads/one/a.png").unlink()
    assert of_uploads(db) == []


def test_file_of_anybody_with_such_a_name_is_not_looked_at(db, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    picture = take_in(db, "uploads/mine.png", 4)
    picture.replace(tmp_path / "mine.png")
    (tmp_path / "uploads").mkdir()
    (tmp_path / "uploads/mine.png").write_bytes(b"another one by now")
    assert faults(db) == []
