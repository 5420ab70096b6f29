"""Snapshots, backups and past states on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.cli.main import app
from latentdb.database import LatentDB


def run(*words: str, status: int = 0) -> Any:
    """What a command answers as JSON; its words where it fails."""
    result = CliRunner().invoke(app, [*words, "--json"])
    assert result.exit_code == status, result.output
    return json.loads(result.stdout) if status < 2 else result.stderr


def test_a_snapshot_is_taken_listed_searched_and_dropped(db: LatentDB) -> None:
    assert run("snapshot", db.uri, "monday")["items"] == 200
    db.delete(range(50))
    assert [one["name"] for one in run("snapshots", db.uri)] == ["monday"]
    assert run("items", db.uri)["count"] == 150
    assert run("items", db.uri, "--at", "monday")["count"] == 200
    search = ("search", db.uri, "--id", "7", "--space", "wide", "--at", "monday")
    assert len(run(*search)["hits"]) == 10
    assert len(run("maps", db.uri, "--at", "monday")) == 1
    assert len(run("directions", db.uri, "--at", "monday")) == 1
    assert run("snapshots", db.uri, "--drop", "monday") == []
    said = run("items", db.uri, "--at", "monday", status=2)
    assert "no snapshot 'monday'" in said


def test_the_environment_opens_a_past_state_for_every_command(
    db: LatentDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("snapshot", db.uri, "monday")
    db.delete(range(50))
    monkeypatch.setenv("LATENTDB_AT", "monday")
    assert run("items", db.uri)["count"] == 200
    said = run("index", db.uri, "--space", "wide", "--metric", "cosine", status=2)
    assert "open as it was at 'monday'" in said


def test_a_backup_is_made_verified_listed_and_restored(db: LatentDB, tmp_path: Path) -> None:
    kept, new = str(tmp_path / "kept"), str(tmp_path / "new.ldb")
    assert run("backup", db.uri, kept)["backup"]["items"] == 200
    again = run("backup", db.uri, kept, "--keep", "1")
    assert (again["new_files"], again["pruned"]) == (0, ["000001"])
    assert [one["id"] for one in run("backup", "--list", kept)] == ["000002"]
    assert run("backup", "--verify", kept) == {"faults": []}
    assert run("restore", kept, new)["backup"]["id"] == "000002"
    assert run("items", new)["count"] == 200
    assert "nothing is restored over" in run("restore", kept, new, status=2)


def test_a_damaged_backup_ends_in_status_1(db: LatentDB, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    run("backup", db.uri, str(kept))
    damaged = next((kept / "files").glob("??/*"))
    damaged.write_bytes(b"?")
    assert str(damaged) in run("backup", "--verify", str(kept), status=1)["faults"][0]


def test_verifying_takes_no_database(db: LatentDB, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["backup", db.uri, "--verify", str(tmp_path)])
    assert result.exit_code == 2
    assert "go alone" in result.stderr


def test_compaction_tells_what_it_did(db: LatentDB) -> None:
    done = run("compact", db.uri)
    assert done["pieces_after"] < done["pieces_before"]
    assert done["versions_after"] < done["versions_before"]
