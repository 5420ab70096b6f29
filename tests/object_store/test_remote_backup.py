"""Backups of databases in an object store, and databases in one that are made of backups."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from made_remotely import add, make
from s3_gate import Gate
from typer.testing import CliRunner

import latentdb
from api.cli.main import app
from latentdb.backup import Repository
from latentdb.database import LatentDB
from latentdb.errors import (
    BackupError,
    StoreError,
    StoreExistsError,
    StoreIOError,
    StoreLockedError,
    StoreNotFoundError,
)
from latentdb.store.bucket import Bucket, etag_of

Become = Callable[[str], Path]


def answers(db: LatentDB) -> dict[str, Any]:
    """Everything that a database says of itself, and what it finds."""
    ids = db.store.item_ids().tolist()
    return {
        "items": db.items(ids),
        "vectors": {name: db.store.all_vectors(name).vectors.tolist() for name in db.spaces()},
        "labels": [array.tolist() for array in db.store.labels("tall")],
        "maps": [one.to_json() for one in db.maps()],
        "directions": [one.to_json() for one in db.directions()],
        "indexes": db.indexes(),
        "hits": db.search(id=ids[6], space="narrow", k=5).hits,
        "across": db.search(id=ids[6], from_space="narrow", space="wide", k=5).hits,
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> LatentDB:
    """A database in a folder with one of everything."""
    db = make(str(tmp_path_factory.mktemp("made") / "faces.ldb"))
    db.delete([3])
    db.build_index("narrow", metric="cosine")
    db.stitch("narrow", "wide")
    db.fit_direction("tall", space="narrow", label="tall")
    upload = Path(db.uri, "uploads", "ab12", "seal.json")
    upload.parent.mkdir(parents=True)
    upload.write_bytes(b"an original")
    return db


@pytest.fixture(scope="module")
def of_folder(folder: LatentDB, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two backups, of a copy that lost much and was compacted, and of it as it is; not to be
    changed.
    """
    kept = tmp_path_factory.mktemp("kept") / "backups"
    copy = shutil.copytree(folder.uri, kept.with_name("copy.ldb"))
    other = latentdb.open(copy)
    other.delete(range(50, 100))
    other.upkeep.compact()
    other.upkeep.backup(kept)
    folder.upkeep.backup(kept)
    return kept


@pytest.fixture
def db(of_folder: Path, uri: str) -> LatentDB:
    """The same database in an object store."""
    return latentdb.open(latentdb.restore(of_folder, uri).uri)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def objects(uri: str) -> Iterator[Callable[[], set[str]]]:
    """What is there now, behind the database's back."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")

    def there() -> set[str]:
        found = boto3.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
        return {one["Key"].removeprefix(f"{prefix}/") for one in found.get("Contents", ())}

    return there


def _client(uri: str) -> tuple[Any, str, str]:
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    return boto3.client("s3"), bucket, prefix


def _free_lock(uri: str) -> None:
    """The half minute that the lock of who was cut off lasts is not waited for."""
    s3, bucket, prefix = _client(uri)
    s3.delete_object(Bucket=bucket, Key=f"{prefix}/writer.lock")


def test_a_database_goes_from_a_folder_into_an_object_store_and_back(
    folder: LatentDB, db: LatentDB, of_folder: Path, kept: Path, tmp_path: Path
) -> None:
    assert db.uri.startswith("s3://")
    assert answers(db) == answers(folder)
    assert db.check() == []
    done = db.upkeep.backup(kept)
    assert done.backup.items == 119
    back = latentdb.open(latentdb.restore(kept, tmp_path / "back.ldb").uri)
    assert answers(back) == answers(folder)
    assert back.check() == []
    assert Path(back.uri, "uploads", "ab12", "seal.json").read_bytes() == b"an original"
    there = {file.path: file.blake2b for file in Repository(of_folder).get().files}
    seals = {path for path in there if path.endswith(".lance/seal.json")}
    found = {file.path: file.blake2b for file in Repository(kept).get().files}
    assert found == {path: there[path] for path in there.keys() - seals}
    assert all(Path(back.uri, path).is_file() for path in seals)
    (data,) = Path(back.uri, "space_wide.lance", "data").iterdir()
    _flip(data)
    assert "damaged_files" in {problem.kind for problem in back.check()}


def test_a_database_is_moved_to_another_address_and_written_to_there(
    db: LatentDB, uri: str, kept: Path, machine: Become
) -> None:
    db.upkeep.backup(kept)
    machine("two")
    moved = latentdb.open(latentdb.restore(kept, f"{uri}.moved").uri)
    assert answers(moved) == answers(db)
    moved.delete([1])
    moved.stitch("wide", "narrow")
    assert (len(moved), len(db)) == (118, 119)
    assert moved.check() == db.check() == []
    # A copy of the database adds to the same backups what it has of its own.
    assert moved.upkeep.backup(kept).new_files < 15


def test_a_second_backup_costs_what_was_written_since(
    db: LatentDB, kept: Path, tmp_path: Path, gate: Gate
) -> None:
    first = db.upkeep.backup(kept)
    with gate.counting() as made:
        again = db.upkeep.backup(kept)
    assert (again.new_files, again.new_bytes) == (0, 0)
    # One for the manifest, which tells what counts; the others are LanceDB's.
    assert made["GET space_wide.lance"] <= 6
    assert "GET artefacts" not in made
    add(db, range(1001, 1011))
    db.stitch("wide", "narrow")
    third = db.upkeep.backup(kept)
    assert 0 < third.new_files < first.new_files
    uris = [
        latentdb.restore(kept, tmp_path / f"{one.id}.ldb", backup=one.id).uri
        for one in (again.backup, third.backup)
    ]
    before, after = map(latentdb.open, uris)
    assert (len(before), len(after)) == (119, 129)
    assert (len(before.maps()), len(after.maps())) == (1, 2)
    assert before.check() == after.check() == []


def test_others_compact_while_files_are_copied(
    db: LatentDB, kept: Path, tmp_path: Path, machine: Become
) -> None:
    def compact_once(_done: int, _total: int, _doing: str) -> None:
        if len(other) == 119:
            other.delete(range(1, 20))
            other.build_index("narrow", metric="cosine")
            other.upkeep.compact()

    machine("two")
    other = latentdb.open(db.uri)
    machine("one")
    db.upkeep.backup(kept, progress=compact_once)
    back = latentdb.open(latentdb.restore(kept, tmp_path / "back.ldb").uri)
    assert len(other) == 101
    assert answers(back) == answers(other)
    assert back.check() == []
    assert Repository(kept).faults() == []


def test_what_cannot_be_had_at_all_is_named(
    db: LatentDB, uri: str, kept: Path, machine: Become, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("latentdb.backup.take._TRIES", 2)
    s3, bucket, prefix = _client(uri)
    listed = json.loads(s3.get_object(Bucket=bucket, Key=f"{prefix}/artefacts.json")["Body"].read())
    key = f"{prefix}/{listed['files']['maps/narrow--wide.safetensors']['key']}"
    machine("two")
    s3.put_object(Bucket=bucket, Key=key, Body=b"half")
    with pytest.raises(StoreIOError, match=r"maps/narrow--wide.safetensors in s3://.* is torn"):
        latentdb.open(uri).upkeep.backup(kept)
    s3.delete_object(Bucket=bucket, Key=key)
    with pytest.raises(StoreIOError, match=r"narrow--wide.* was not there any more .* 2 times"):
        latentdb.open(uri).upkeep.backup(kept)
    assert Repository(kept).ids() == []
    # The machine that has a whole copy can still save it.
    assert db.upkeep.backup(kept).backup.items == 119


def test_a_backup_that_was_cut_off_goes_on_with_what_it_downloaded(
    db: LatentDB, uri: str, kept: Path, gate: Gate
) -> None:
    def cut_off(_done: int, _total: int, _doing: str) -> None:
        # Eight are on their way at once.
        if gate.shuts_after is None:
            gate.shuts_after = 2

    with pytest.raises(StoreIOError, match="no answer from"):
        db.upkeep.backup(kept, progress=cut_off)
    gate.shuts_after, gate.is_open = None, True
    _free_lock(uri)
    copied = {file.path for file in Repository(kept).noted()}
    assert copied
    assert Repository(kept).ids() == []
    done = db.upkeep.backup(kept)
    assert done.new_files <= done.backup.files - len(copied)
    assert Repository(kept).faults() == []
    assert not (kept / "copied").exists()


def test_a_backup_waits_for_no_writer_and_a_snapshot_is_of_folders(
    db: LatentDB, kept: Path, machine: Become
) -> None:
    machine("two")
    other = latentdb.open(db.uri)
    with other.store.writer(), pytest.raises(StoreLockedError, match="is being written by process"):
        db.upkeep.backup(kept)
    with pytest.raises(StoreError, match="files have no second names"):
        db.upkeep.backup(kept, snapshot="then")
    with pytest.raises(StoreError, match="files have no second names"):
        db.upkeep.snapshot("then")
    with pytest.raises(StoreError, match=r"expected a local folder, .* s3:// is none"):
        db.upkeep.backup(f"{db.uri}.backups")


@pytest.mark.parametrize("backup", ["000001", "000002"])
def test_a_restore_that_was_cut_off_is_no_database_and_is_gone_on_with(
    folder: LatentDB,
    of_folder: Path,
    uri: str,
    gate: Gate,
    objects: Callable[[], set[str]],
    backup: str,
) -> None:
    gate.shuts_after = 30
    with pytest.raises(StoreIOError, match="no answer from"):
        latentdb.restore(of_folder, uri, backup=backup)
    gate.shuts_after, gate.is_open = None, True
    with pytest.raises(StoreNotFoundError, match="is not a latentdb database"):
        latentdb.open(uri)
    with pytest.raises(StoreExistsError, match=f"a restore to {uri} was cut short or goes on"):
        latentdb.create(uri)
    with pytest.raises(StoreLockedError, match=r"Were it dead, the lock would be free in \d+ s"):
        latentdb.restore(of_folder, uri)
    _free_lock(uri)
    there = {key for key in objects() if "/" in key}
    with gate.counting() as made:
        latentdb.restore(of_folder, uri)
    listed = {file.path for file in Repository(of_folder).get().files}
    written = {key for key in objects() if "/" in key}
    # What is there is looked at in the list alone, what is of another backup is gone.
    uploads = sum(count for what, count in made.items() if what.startswith("HEAD"))
    assert uploads <= len(written) - (len(there) if backup == "000002" else 1)
    assert {key for key in written if ".lance/" in key} <= listed
    assert "restore.json" not in objects()
    back = latentdb.open(uri)
    assert answers(back) == answers(folder)
    assert back.check() == []


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_damaged_backup_writes_nothing(
    of_folder: Path, kept: Path, uri: str, objects: Callable[[], set[str]]
) -> None:
    shutil.copytree(of_folder, kept)
    last = max(Repository(kept).get().files, key=lambda file: file.bytes)
    path = Repository(kept).content(last)
    _flip(path)
    with pytest.raises(BackupError, match=rf"{path.name} does not match .*; nothing was made"):
        latentdb.restore(kept, uri)
    path.unlink()
    with pytest.raises(BackupError, match=rf"{path.name} is missing or torn .*; nothing was made"):
        latentdb.restore(kept, uri)
    assert objects() == set()


def test_nothing_is_restored_over(of_folder: Path, db: LatentDB) -> None:
    s3, bucket, prefix = _client(db.uri)
    s3.put_object(Bucket=bucket, Key=f"{prefix}.notes/notes.txt", Body=b"mine")
    for there in (db.uri, f"{db.uri}.notes"):
        with pytest.raises(StoreExistsError, match=f"{there} exists already; give a new name"):
            latentdb.restore(of_folder, there)


def test_a_large_file_is_known_again_by_the_etag_of_its_parts(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("latentdb.store.bucket._PART_BYTES", 5 * 2**20)
    bucket = Bucket(uri.split("/")[2], "sizes")
    # A server takes no smaller parts but the last.
    for size in (0, 100, 5 * 2**20, 6 * 2**20):
        (tmp_path / "file").write_bytes(bytes(size))
        bucket.upload(str(size), tmp_path / "file")
        (found,) = bucket.list(str(size))
        assert (found.size, found.etag) == (size, etag_of(tmp_path / "file"))
        bucket.delete(str(size))


def test_the_commands_do_the_same(db: LatentDB, uri: str, kept: Path) -> None:
    run = CliRunner().invoke
    done = run(app, ["backup", uri, str(kept), "--json"])
    assert (done.exit_code, json.loads(done.stdout)["backup"]["items"]) == (0, 119)
    assert run(app, ["backup", "--verify", str(kept)]).exit_code == 0
    back = run(app, ["restore", str(kept), f"{uri}.back", "--json"])
    assert (back.exit_code, json.loads(back.stdout)["uri"]) == (0, f"{uri}.back")
    refused = run(app, ["backup", uri, str(kept), "--snapshot", "then"])
    assert refused.exit_code == 2
    assert "no second names" in refused.stderr


def test_single_files_are_not_put_back_into_an_object_store(db: LatentDB, of_folder: Path) -> None:
    with pytest.raises(BackupError, match="restored as a whole, by latentdb restore"):
        db.check(repair=True, backup=of_folder)
