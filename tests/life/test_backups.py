"""Backups: what comes back, what the second one costs, and what is said of damage."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from life_rows import answers, make_db, write

import latentdb
from indexers.errors import ParameterError
from latentdb.backup import Repository
from latentdb.database import LatentDB
from latentdb.errors import (
    BackupError,
    StoreExistsError,
    StoreLockedError,
    UnknownSnapshotError,
)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def _contents(kept: Path) -> list[Path]:
    return sorted((kept / "files").glob("??/*"))


def test_a_restored_database_is_the_same_and_sound(
    db: LatentDB, kept: Path, tmp_path: Path
) -> None:
    done = db.upkeep.backup(kept)
    restored = latentdb.restore(kept, tmp_path / "back.ldb")
    assert restored.backup == done.backup
    back = latentdb.open(restored.uri)
    assert answers(back) == answers(db)
    assert back.check() == []
    assert Path(back.uri, "uploads", "ab12", "one.png").read_bytes() == b"an original"


def test_a_restored_database_can_be_written_to(db: LatentDB, kept: Path, tmp_path: Path) -> None:
    db.upkeep.backup(kept)
    back = latentdb.open(latentdb.restore(kept, tmp_path / "back.ldb").uri)
    write(back.store, range(500, 550))
    back.delete([1])
    back.build_index("wide")
    back.upkeep.compact()
    assert len(back) == 249
    assert back.check() == []


def test_a_second_backup_costs_what_is_new(db: LatentDB, kept: Path) -> None:
    first = db.upkeep.backup(kept)
    # Two files of the same content are kept once.
    assert 0 < first.new_bytes <= first.backup.total_bytes
    again = db.upkeep.backup(kept)
    assert (again.new_files, again.new_bytes) == (0, 0)
    write(db.store, range(300, 310))
    third = db.upkeep.backup(kept)
    assert 0 < third.new_files < first.new_files / 2
    assert _data_bytes(kept, "000003") - _data_bytes(kept, "000001") < 10_000
    assert [one.items for one in Repository(kept).infos()] == [200, 200, 210]


def _data_bytes(kept: Path, backup: str) -> int:
    return sum(one.bytes for one in Repository(kept).get(backup).files if "/data/" in one.path)


def test_an_earlier_backup_and_a_snapshot_are_restored_by_name(
    db: LatentDB, kept: Path, tmp_path: Path
) -> None:
    before = answers(db)
    first = db.upkeep.backup(kept)
    db.upkeep.snapshot("before")
    db.delete(range(100))
    db.upkeep.compact()
    db.upkeep.backup(kept)
    of_snapshot = db.upkeep.backup(kept, snapshot="before")
    assert of_snapshot.new_bytes < first.new_bytes / 10
    for number, chosen in enumerate([first.backup.id, of_snapshot.backup.id]):
        uri = latentdb.restore(kept, tmp_path / f"{number}.ldb", backup=chosen).uri
        assert answers(latentdb.open(uri)) == before


def test_older_backups_are_pruned_with_what_they_alone_needed(db: LatentDB, kept: Path) -> None:
    ids = []
    for start in (300, 400, 500):
        write(db.store, range(start, start + 20))
        db.upkeep.compact()
        ids.append(db.upkeep.backup(kept).backup.id)
    before = len(_contents(kept))
    done = db.upkeep.backup(kept, keep=2)
    assert done.pruned == tuple(ids[:2])
    assert done.freed_bytes > 0
    assert len(_contents(kept)) < before
    assert Repository(kept).ids() == [ids[2], done.backup.id]
    assert Repository(kept).faults() == []
    with pytest.raises(ParameterError, match="at least 1 backup must be kept"):
        db.upkeep.backup(kept, keep=0)


def test_writers_are_kept_out_only_while_the_database_is_pinned(
    db: LatentDB, kept: Path, tmp_path: Path
) -> None:
    def others_write(done: int, _total: int, _doing: str) -> None:
        if not len(other.store.known_sources()) > 200:
            write(other.store, range(300, 340))
            other.delete(range(150))
            other.upkeep.compact()

    other, before = latentdb.open(db.uri), answers(db)
    db.upkeep.backup(kept, progress=others_write)
    assert len(other) == 90
    back = latentdb.open(latentdb.restore(kept, tmp_path / "back.ldb").uri)
    assert answers(back) == before
    assert back.check() == []


def test_a_backup_waits_for_no_writer(db: LatentDB, kept: Path) -> None:
    other = latentdb.open(db.uri)
    with other.store.writer(), pytest.raises(StoreLockedError, match="is being written by process"):
        db.upkeep.backup(kept)
    assert db.upkeep.backup(kept).backup.items == 200


def _flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.fixture(params=["flipped", "torn", "lost"])
def damaged(request: pytest.FixtureRequest, db: LatentDB, kept: Path) -> Path:
    """A file of the only backup that is not as it was written."""
    db.upkeep.backup(kept)
    path = max(_contents(kept), key=lambda one: one.stat().st_size)
    if request.param == "flipped":
        _flipped(path)
    elif request.param == "torn":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        path.unlink()
    return path


def test_damage_is_found_by_verifying_and_named(damaged: Path, kept: Path) -> None:
    faults = Repository(kept).faults()
    assert len(faults) == 1
    assert str(damaged) in faults[0]
    assert "of 000001" in faults[0]


def test_a_damaged_backup_is_not_restored_and_nothing_is_left(
    damaged: Path, kept: Path, tmp_path: Path
) -> None:
    before = sorted(tmp_path.iterdir())
    with pytest.raises(BackupError, match=damaged.name):
        latentdb.restore(kept, tmp_path / "back.ldb")
    assert sorted(tmp_path.iterdir()) == before


def test_what_is_lost_or_torn_is_copied_again_by_the_next_backup(
    db: LatentDB, kept: Path, tmp_path: Path
) -> None:
    db.upkeep.backup(kept)
    lost, torn = _contents(kept)[:2]
    lost.unlink()
    torn.write_bytes(b"")
    assert db.upkeep.backup(kept).new_files == 2
    assert Repository(kept).faults() == []
    assert latentdb.restore(kept, tmp_path / "back.ldb").backup.items == 200


def test_a_damaged_list_is_named_and_the_other_backups_are_whole(
    db: LatentDB, kept: Path, tmp_path: Path
) -> None:
    db.upkeep.backup(kept)
    second = db.upkeep.backup(kept).backup.id
    _flipped(kept / "backups" / f"{second}.json")
    with pytest.raises(BackupError, match=rf"{second}.json (is damaged|was changed)"):
        latentdb.restore(kept, tmp_path / "back.ldb")
    assert f"{second}.json" in Repository(kept).faults()[0]
    with pytest.raises(BackupError, match=rf"{second}.json"):
        db.upkeep.backup(kept, keep=2)
    assert latentdb.restore(kept, tmp_path / "back.ldb", backup="000001").backup.items == 200


def test_places_that_cannot_be_are_refused(db: LatentDB, kept: Path, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="lies in the database itself"):
        db.upkeep.backup(Path(db.uri) / "backups")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    with pytest.raises(BackupError, match="holds something else"):
        db.upkeep.backup(tmp_path / "full")
    with pytest.raises(BackupError, match="is no folder of backups"):
        latentdb.restore(tmp_path / "full", tmp_path / "back.ldb")
    with pytest.raises(UnknownSnapshotError, match="no snapshot 'then'"):
        db.upkeep.backup(kept, snapshot="then")
    db.upkeep.backup(kept)
    with pytest.raises(BackupError, match=r"no backup '000009' in .*; there are: 000001"):
        latentdb.restore(kept, tmp_path / "back.ldb", backup="000009")
    with pytest.raises(StoreExistsError, match="nothing is restored over"):
        latentdb.restore(kept, db.uri)


def test_a_folder_of_backups_is_of_one_database(db: LatentDB, kept: Path, tmp_path: Path) -> None:
    db.upkeep.backup(kept)
    record = (kept / "latentdb-backup.json").read_text()
    (kept / "latentdb-backup.json").write_text(record.replace('"database": "2', '"database": "1'))
    other = make_db(tmp_path / "other.ldb", 5)
    with pytest.raises(BackupError, match="holds backups of the database made at"):
        other.upkeep.backup(kept)


def test_a_copy_of_the_database_backs_up_into_the_same_folder(
    db: LatentDB, kept: Path, tmp_path: Path
) -> None:
    db.upkeep.backup(kept)
    back = latentdb.open(latentdb.restore(kept, tmp_path / "back.ldb").uri)
    assert back.upkeep.backup(kept).new_bytes < 2000
    shutil.rmtree(back.uri)
