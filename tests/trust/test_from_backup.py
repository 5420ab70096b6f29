"""Damaged files fetched from a backup: the very same content, or none."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from test_damage import flip_in_the_middle, largest
from test_repair import kinds
from test_uploads_checked import take_in
from trust_world import answers, build, copy_of, create
from typer.testing import CliRunner

import latentdb
from api.cli.main import app
from indexers.errors import ParameterError
from latentdb.backup import Repository
from latentdb.checkup import examine, mend
from latentdb.errors import BackupError


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database, and beside it a folder of backups of it."""
    folder = tmp_path_factory.mktemp("fetch")
    db = build(folder / "whole.ldb")
    take_in(db, "uploads/one/a.png", 901)
    db.upkeep.backup(folder / "backups")
    return folder / "whole.ldb"


@pytest.fixture(scope="module")
def backups(database) -> Path:
    return database.parent / "backups"


@pytest.fixture
def damaged(database, tmp_path) -> Path:
    """A copy that each test damages in its own way."""
    return copy_of(database, tmp_path / "damaged.ldb")


def faults(problems):
    return [one for one in problems if one.severity == "fault"]


def test_everything_that_is_damaged_comes_back_as_it_was(database, damaged, backups):
    (rows,) = (damaged / "indexes" / "clip--cosine").rglob("rows.faiss")
    wanted = {
        largest(damaged / "items.lance" / "data"): ("damaged_files", "items"),
        largest(damaged / "space_clip.lance" / "data"): ("damaged_files", "space_clip"),
        damaged / "maps/noise--clip.safetensors": (
            "torn_artefact",
            "maps/noise--clip.safetensors",
        ),
        rows: ("torn_index", "indexes/clip--cosine"),
        damaged / "uploads/one/a.png": ("damaged_uploads", "uploads"),
    }
    for path in wanted:
        flip_in_the_middle(path)
    done = mend(latentdb.open(damaged).catalog, backup=backups)
    assert kinds(done.mended) == set(wanted.values())
    assert faults(done.problems) == []
    for path in wanted:
        assert path.read_bytes() == (database / path.relative_to(damaged)).read_bytes()
    assert not (damaged / "damaged").exists()
    assert answers(damaged) == answers(database)


def test_lost_files_come_back_too(database, damaged, backups):
    min((damaged / "items.lance" / "_versions").glob("*.manifest")).unlink()
    largest(damaged / "space_noise.lance" / "data").unlink()
    (damaged / "uploads/one/a.png").unlink()
    done = mend(latentdb.open(damaged).catalog, backup=backups)
    assert faults(done.problems) == []
    assert answers(damaged) == answers(database)
    assert (damaged / "uploads/one/a.png").is_file()


def test_an_open_database_forgets_what_it_read_of_damaged_files(database, damaged, backups):
    for path in (damaged / "items.lance" / "data").iterdir():
        data = bytearray(path.read_bytes())
        # Of the labels alone: the text of the towns, which lies there as it is.
        path.write_bytes(data.replace(b"town1", b"towm1"))
    db = latentdb.open(damaged)
    read = db.store.labels("town")[1].tolist()
    assert faults(db.check(repair=True, backup=backups)) == []
    assert "towm1" in read
    assert "towm1" not in db.store.labels("town")[1].tolist()


def test_what_no_backup_has_is_named_as_before(damaged, backups):
    db = latentdb.open(damaged)
    db.store.set_labels([5], {"age": [56]})
    db.fit_direction("newer", space="clip", label="hat")
    (fit,) = (damaged / "directions").rglob("*newer*")
    newest = max((damaged / "items.lance" / "data").iterdir(), key=os.path.getmtime)
    flip_in_the_middle(newest)
    flip_in_the_middle(fit)
    done = mend(latentdb.open(damaged).catalog, backup=backups)
    assert ("damaged_files", "items") in kinds(faults(done.problems))
    assert {one.table for one in faults(done.problems)} == {"items"}, done
    assert ("torn_artefact", fit.relative_to(damaged).as_posix()) in kinds(done.mended)
    assert any((damaged / "damaged").glob(f"*{fit.name}"))


def test_content_that_is_damaged_in_the_backup_is_not_taken(damaged, backups, tmp_path):
    worse = copy_of(backups, tmp_path / "worse")
    path = largest(damaged / "items.lance" / "data")
    repository = Repository(worse)
    (kept,) = [
        one for one in repository.get().files if one.path == path.relative_to(damaged).as_posix()
    ]
    flip_in_the_middle(repository.content(kept))
    flip_in_the_middle(path)
    before = path.read_bytes()
    done = mend(latentdb.open(damaged).catalog, backup=worse)
    assert ("damaged_files", "items") in kinds(faults(done.problems))
    assert path.read_bytes() == before


def test_an_older_fit_does_not_take_the_place_of_a_newer_one(damaged, backups):
    latentdb.open(damaged).stitch("noise", "clip", method="procrustes")
    flip_in_the_middle(damaged / "maps/noise--clip.safetensors")
    mend(latentdb.open(damaged).catalog, backup=backups)
    assert latentdb.open(damaged).maps() == []


def test_backups_of_another_database_are_refused(backups, tmp_path):
    other = create(tmp_path / "other.ldb")
    with pytest.raises(BackupError, match="holds backups of the database made at"):
        mend(other.catalog, backup=backups)


def test_a_folder_without_backups_is_refused(damaged, tmp_path):
    with pytest.raises(BackupError, match="is no folder of backups"):
        mend(latentdb.open(damaged).catalog, backup=tmp_path)


def test_a_backup_goes_with_repair(damaged, backups):
    with pytest.raises(ParameterError, match="goes with repair=True"):
        latentdb.open(damaged).check(backup=backups)


def test_command_fetches_and_says_what(damaged, backups):
    path = largest(damaged / "items.lance" / "data")
    flip_in_the_middle(path)
    refused = CliRunner().invoke(app, ["check", str(damaged), "--from-backup", str(backups)])
    assert refused.exit_code == 2
    assert "--from-backup goes with --repair" in refused.stderr
    command = ["check", str(damaged), "--repair", "--from-backup", str(backups), "--json"]
    said = json.loads(CliRunner().invoke(app, command).stdout)
    (mended,) = said["mended"]
    where = path.relative_to(damaged).as_posix()
    assert mended["detail"] == f"put back from a backup: {where}"
    assert faults(examine(latentdb.open(damaged).catalog)) == []
