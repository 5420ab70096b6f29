"""What `check --repair` mends, what it leaves, and what it says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from test_damage import flip_in_the_middle, largest
from trust_world import build, copy_of, small_picture, write
from typer.testing import CliRunner

import latentdb
from api.cli.main import app
from latentdb.checkup import examine, mend


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repair") / "whole.ldb"
    build(folder)
    return folder


@pytest.fixture
def damaged(database, tmp_path) -> Path:
    """A copy that each test damages in its own way."""
    return copy_of(database, tmp_path / "damaged.ldb")


def kinds(problems) -> set[tuple[str, str]]:
    return {(one.kind, one.table) for one in problems}


def test_torn_map_is_set_aside_with_its_reason(damaged):
    flip_in_the_middle(damaged / "maps" / "noise--clip.safetensors")
    done = mend(latentdb.open(damaged).catalog)
    assert kinds(done.mended) == {("torn_artefact", "maps/noise--clip.safetensors")}
    assert done.problems == ()
    (reason,) = (damaged / "damaged").glob("*.json")
    assert "checksum differs" in json.loads(reason.read_text())["why"]
    assert reason.with_suffix("").is_file()
    assert latentdb.open(damaged).maps() == []


def test_torn_index_is_built_anew(damaged):
    (rows,) = (damaged / "indexes" / "clip--cosine").rglob("rows.faiss")
    flip_in_the_middle(rows)
    done = mend(latentdb.open(damaged).catalog)
    assert kinds(done.mended) == {("torn_index", "indexes/clip--cosine")}
    assert done.problems == ()


def test_torn_list_of_checksums_is_made_anew(damaged):
    (damaged / "items.lance" / "seal.json").write_text("{")
    assert kinds(examine(latentdb.open(damaged).catalog)) == {("torn_seal", "items")}
    assert mend(latentdb.open(damaged).catalog).problems == ()
    assert (damaged / "items.lance" / "seal.json").stat().st_size > 100


def test_thumbnail_is_made_anew_of_its_picture_or_taken_away(damaged):
    db = latentdb.open(damaged)
    with db.store.mending() as mending:
        torn = [small_picture(5)[:-9], b"not a picture"]
        mending.set_thumbnails(np.array([5, 6]), torn)
    assert kinds(db.check()) == {("torn_thumbnails", "items")}
    assert kinds(mend(db.catalog).mended) == {("torn_thumbnails", "items")}
    assert db.check() == []
    assert db.store.thumbnails([5, 6]) == [b"", b""]


def test_damaged_space_begins_anew_only_when_asked(damaged):
    flip_in_the_middle(largest(damaged / "space_clip.lance" / "data"))
    left = mend(latentdb.open(damaged).catalog).problems
    (problem,) = [one for one in left if one.kind == "damaged_files"]
    assert (problem.table, problem.repairable) == ("space_clip", False)
    assert "--drop-unreadable" in problem.cure
    done = mend(latentdb.open(damaged).catalog, drop_unreadable=True)
    assert ("damaged_files", "space_clip") in kinds(done.mended)
    db = latentdb.open(damaged)
    assert len(db.store.vector_ids("clip")) == 0
    assert any(path.name.endswith("space_clip.lance") for path in (damaged / "damaged").iterdir())
    ids = db.store.item_ids()
    write(db, ids)
    assert db.store.vector_ids("clip").tolist() == ids.tolist()
    assert [one for one in db.check(repair=True) if one.severity == "fault"] == []


def test_damaged_items_are_left_with_what_to_do(damaged):
    flip_in_the_middle(largest(damaged / "items.lance" / "data"))
    done = mend(latentdb.open(damaged).catalog, drop_unreadable=True)
    (problem,) = [one for one in done.problems if one.kind == "damaged_files"]
    assert problem.cure == (
        "fetch it from a backup: latentdb check DB --repair --from-backup BACKUP; or "
        "restore the database from a backup: latentdb restore BACKUP NEW.ldb"
    )


def test_command_lists_what_was_mended_and_what_to_do(damaged):
    flip_in_the_middle(damaged / "maps" / "noise--clip.safetensors")
    flip_in_the_middle(largest(damaged / "items.lance" / "data"))
    done = CliRunner().invoke(app, ["check", str(damaged), "--repair"])
    assert done.exit_code == 1
    assert "mended" in done.stdout
    assert "torn_artefact" in done.stdout
    assert "items: fetch it from a backup" in done.stderr
    again = CliRunner().invoke(app, ["check", str(damaged), "--repair", "--json"])
    said = json.loads(again.stdout)
    assert said["mended"] == []
    assert "damaged_files" in {one["kind"] for one in said["problems"]}


def test_dropping_is_refused_without_repair(damaged):
    done = CliRunner().invoke(app, ["check", str(damaged), "--drop-unreadable"])
    assert done.exit_code == 2
    assert "goes with --repair" in done.stderr
