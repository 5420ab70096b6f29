"""Backups and restores that are killed: earlier ones stay whole, and the same call goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from life_rows import answers

import latentdb
from latentdb.backup import Repository
from latentdb.database import LatentDB

_CHILD = Path(__file__).with_name("backup_child.py")


def _killed(*arguments: str, after: int) -> None:
    """Start the child, and kill it once it has told of its progress so many times."""
    child = subprocess.Popen(
        [sys.executable, str(_CHILD), *arguments], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    for _ in range(after):
        assert child.stdout.readline().startswith("copying")
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()


@pytest.mark.parametrize("after", [1, 15])
def test_a_killed_backup_is_none_and_is_gone_on_with(
    db: LatentDB, tmp_path: Path, after: int
) -> None:
    kept = tmp_path / "backups"
    first = db.upkeep.backup(kept).backup
    db.build_index("wide", kind="sq8")
    db.upkeep.compact()
    _killed("backup", db.uri, str(kept), after=after)
    assert Repository(kept).ids() == [first.id]
    assert Repository(kept).faults() == []
    assert db.upkeep.backup(kept).backup.items == 200
    assert not Path(db.uri, "snapshots").exists()
    assert list((kept / "files").glob("tmp-*")) == []
    uri = latentdb.restore(kept, tmp_path / "back.ldb").uri
    assert answers(latentdb.open(uri)) == answers(db)


def test_a_killed_restore_leaves_nothing_under_the_name(db: LatentDB, tmp_path: Path) -> None:
    kept = tmp_path / "backups"
    db.upkeep.backup(kept)
    _killed("restore", str(kept), str(tmp_path / "back.ldb"), after=10)
    assert not (tmp_path / "back.ldb").exists()
    uri = latentdb.restore(kept, tmp_path / "back.ldb").uri
    assert answers(latentdb.open(uri)) == answers(db)
