"""Copies of artefacts are told from what was published by checksum, and nobody sees halves."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from made_remotely import make
from s3_gate import Gate

import latentdb
from latentdb.database import LatentDB
from latentdb.errors import StoreFormatError, StoreIOError, StoreLockedError
from latentdb.store import remote_mirror
from latentdb.store.polled import STALE_SECONDS

Become = Callable[[str], Path]


class Objects:
    """The objects of a database, behind its back."""

    def __init__(self, uri: str) -> None:
        self.bucket, _, self.prefix = uri.removeprefix("s3://").partition("/")
        self.s3: Any = boto3.client("s3")

    def named(self, below: str = "artefacts/") -> set[str]:
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=f"{self.prefix}/{below}")
        return {one["Key"].removeprefix(f"{self.prefix}/") for one in found.get("Contents", ())}

    def delete(self, key: str) -> None:
        self.s3.delete_object(Bucket=self.bucket, Key=f"{self.prefix}/{key}")

    def put(self, key: str, content: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=f"{self.prefix}/{key}", Body=content)

    def listed(self) -> dict[str, Any]:
        answer = self.s3.get_object(Bucket=self.bucket, Key=f"{self.prefix}/artefacts.json")
        files: dict[str, Any] = json.loads(answer["Body"].read())["files"]
        return files


@pytest.fixture
def db(uri: str) -> LatentDB:
    made = make(uri)
    made.build_index("narrow", metric="cosine")
    made.stitch("narrow", "wide")
    return made


@pytest.fixture
def objects(uri: str) -> Iterator[Objects]:
    return Objects(uri)


def flip(path: Path) -> None:
    """Another bit in the middle of a file, whose size and time stay."""
    import os

    before = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("name", ["rows.faiss", "ids.npy", "narrow--wide.safetensors"])
def test_a_flipped_bit_in_the_cache_is_found_and_the_file_fetched(
    db: LatentDB, uri: str, machine: Become, name: str
) -> None:
    before = [hit.id for hit in db.search(id=7, space="narrow", k=5).hits]
    (path,) = machine("one").rglob(name)
    whole = path.read_bytes()
    flip(path)
    again = latentdb.open(uri)
    assert [hit.id for hit in again.search(id=7, space="narrow", k=5).hits] == before
    assert again.map("narrow", "wide").fitted_on.n_held_out > 0
    assert path.read_bytes() == whole


def test_a_torn_copy_is_noticed_when_the_database_is_opened(
    db: LatentDB, uri: str, machine: Become
) -> None:
    (path,) = machine("one").rglob("narrow--wide.safetensors")
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    latentdb.open(uri).maps()
    assert path.read_bytes() == whole


def test_a_replaced_artefact_leaves_no_object_behind(db: LatentDB, objects: Objects) -> None:
    before = objects.named()
    db.build_index("narrow", metric="cosine")
    db.stitch("narrow", "wide")
    assert len(objects.named()) == len(before)
    assert objects.named() == {one["key"] for one in objects.listed().values()}


def test_what_cannot_be_published_is_taken_back(
    db: LatentDB, gate: Gate, objects: Objects, machine: Become
) -> None:
    before = objects.listed()
    gate.shuts_after = 2
    with pytest.raises(StoreIOError, match="no answer from"):
        db.fit_direction("tall", space="narrow", label="tall")
    gate.shuts_after, gate.is_open = None, True
    assert objects.listed() == before
    assert db.directions() == []
    assert not list(machine("one").rglob("tall*"))
    db.fit_direction("tall", space="narrow", label="tall")
    assert len(db.directions()) == 1


def test_what_a_killed_process_was_changing_is_taken_back(
    db: LatentDB, uri: str, machine: Become
) -> None:
    child = Path(__file__).with_name("publish_child.py")
    assert subprocess.run([sys.executable, str(child), uri], check=False).returncode == -9
    (half,) = machine("one").rglob("half.safetensors")
    assert len(latentdb.open(uri).maps()) == 1
    assert not half.exists()


def test_what_is_changed_within_another_change_is_published_with_it(
    db: LatentDB, uri: str, machine: Become
) -> None:
    with db.store.changing("maps"):
        db.fit_direction("tall", space="narrow", label="tall")
        db.stitch("wide", "narrow")
    machine("two")
    other = latentdb.open(uri)
    assert (len(other.maps()), len(other.directions())) == (2, 1)


def test_two_machines_publish_at_once_and_both_are_kept(
    db: LatentDB, uri: str, machine: Become
) -> None:
    machine("two")
    other = latentdb.open(uri)
    other.stitch("wide", "narrow")
    db.fit_direction("tall", space="narrow", label="tall")
    machine("three")
    third = latentdb.open(uri)
    assert len(third.maps()) == 2
    assert len(third.directions()) == len(third.indexes()) == 1


def test_a_file_that_is_read_and_written_back_refuses_a_change_of_another_machine(
    db: LatentDB, uri: str, machine: Become
) -> None:
    mine = db.store.path / "migrations.json"
    machine("two")
    other = latentdb.open(uri).store

    def change_after_another() -> None:
        with db.store.changing("migrations.json"):
            mine.write_text("mine")
            with other.changing("migrations.json"):
                (other.path / "migrations.json").write_text("theirs")

    with pytest.raises(StoreLockedError, match=r"another machine changed .*migrations\.json"):
        change_after_another()
    db.store.catch_up()
    assert mine.read_text() == "theirs"


def test_a_lost_object_is_named_and_published_again_from_a_whole_copy(
    db: LatentDB, objects: Objects
) -> None:
    lost = objects.listed()["maps/narrow--wide.safetensors"]["key"]
    objects.delete(lost)
    (problem,) = db.check()
    assert (problem.kind, problem.table) == ("lost_artefact", "maps/narrow--wide.safetensors")
    assert problem.repairable
    assert db.check(repair=True) == []
    assert lost in objects.named()


def test_a_lost_object_that_is_nowhere_is_named_and_left_out(
    db: LatentDB, uri: str, objects: Objects, machine: Become
) -> None:
    objects.delete(objects.listed()["maps/narrow--wide.safetensors"]["key"])
    machine("two")
    other = latentdb.open(uri)
    assert other.maps() == []
    assert [problem.repairable for problem in other.check()] == [False]
    other.stitch("narrow", "wide")
    assert other.check() == []


def test_a_torn_object_is_not_taken_for_the_file(
    db: LatentDB, uri: str, objects: Objects, machine: Become
) -> None:
    objects.put(objects.listed()["maps/narrow--wide.safetensors"]["key"], b"half")
    machine("two")
    assert latentdb.open(uri).maps() == []
    machine("one")
    assert len(db.maps()) == 1
    assert db.check(repair=True) == []
    machine("three")
    assert len(latentdb.open(uri).maps()) == 1


def test_a_list_that_cannot_be_understood_is_said(
    db: LatentDB, uri: str, objects: Objects, machine: Become
) -> None:
    objects.put("artefacts.json", b'{"format": 1, "files": {"../../x": {}}}')
    machine("two")
    with pytest.raises(StoreFormatError, match=r"artefacts\.json cannot be understood"):
        latentdb.open(uri)


def test_a_list_leads_to_no_place_outside_of_the_cache(
    db: LatentDB, uri: str, objects: Objects, machine: Become
) -> None:
    one = next(iter(objects.listed().values()))
    files = {"maps/../../../evil": one}
    objects.put("artefacts.json", json.dumps({"format": 1, "files": files}).encode())
    cache = machine("two")
    with pytest.raises(StoreFormatError, match="no place of an artefact"):
        latentdb.open(uri)
    assert not list(cache.parent.rglob("evil"))


def test_objects_that_a_killed_publisher_left_are_swept_once_they_are_old(
    db: LatentDB, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects.put("artefacts/left-behind", b"x")
    db.store.compact()
    assert "artefacts/left-behind" in objects.named()
    monkeypatch.setattr(remote_mirror, "_ORPHAN_AGE", timedelta(0))
    time.sleep(1.1)
    db.store.compact()
    assert objects.named() == {one["key"] for one in objects.listed().values()}


def test_catching_up_asks_once_a_second_at_most(db: LatentDB, gate: Gate) -> None:
    time.sleep(STALE_SECONDS)
    with gate.counting() as made:
        for _ in range(50):
            db.store.catch_up()
    assert made == {"GET artefacts.json": 1}
