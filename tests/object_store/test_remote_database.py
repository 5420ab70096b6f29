"""A database in an object store does what one in a folder does."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import boto3
import numpy as np
import pytest
from made_remotely import add, make
from s3_gate import Gate

import latentdb
from latentdb.database import LatentDB
from latentdb.errors import StoreExistsError, StoreNotFoundError
from latentdb.store.polled import STALE_SECONDS

Become = Callable[[str], Path]


def filled(uri: str) -> LatentDB:
    db = make(uri)
    db.build_index("narrow", metric="cosine")
    db.stitch("narrow", "wide")
    db.fit_direction("tall", space="narrow", label="tall")
    return db


def nearest(db: LatentDB, to: int, space: str = "narrow") -> list[int]:
    return [hit.id for hit in db.search(id=to, space=space, k=5).hits]


def artefacts(folder: Path) -> set[str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.name for path in found if not path.name.startswith(".") and path.name != "LOCK"}


def test_a_database_is_made_filled_and_opened_again(uri: str, tmp_path: Path) -> None:
    db = filled(uri)
    local = make(str(tmp_path / "local.ldb"))
    again = latentdb.open(uri)
    assert again.uri == uri
    assert nearest(again, 7) == nearest(db, 7) == nearest(local, 7)
    np.testing.assert_array_equal(
        again.store.vectors("wide", [3, 1]), local.store.vectors("wide", [3, 1])
    )
    assert again.check() == []


def test_another_machine_sees_indexes_maps_and_directions(uri: str, machine: Become) -> None:
    db = filled(uri)
    machine("two")
    other = latentdb.open(uri)
    assert [info.kind for info in other.indexes()] == ["flat"]
    assert other.map("narrow", "wide").fitted_on == db.map("narrow", "wide").fitted_on
    assert other.direction("tall").scores == db.direction("tall").scores
    assert nearest(other, 7) == nearest(db, 7)


def test_what_one_machine_changes_another_that_is_open_sees(uri: str, machine: Become) -> None:
    db = make(uri)
    machine("two")
    other = latentdb.open(uri)
    nearest(other, 7)
    add(db, range(1001, 1004))
    db.stitch("narrow", "wide")
    time.sleep(STALE_SECONDS)
    assert 1002 in other.store.item_ids()
    assert len(other.maps()) == 1
    db.delete([7])
    time.sleep(STALE_SECONDS)
    assert 7 not in other.store.item_ids()


def test_who_writes_sees_it_at_once(uri: str) -> None:
    db = make(uri)
    nearest(db, 7)
    add(db, range(1001, 1004))
    assert nearest(db, 1001)
    assert len(db) == 123
    db.stitch("narrow", "wide")
    assert len(db.maps()) == 1


def test_a_wiped_cache_comes_back(uri: str, machine: Become) -> None:
    before = nearest(filled(uri), 7)
    cache = machine("one")
    there = artefacts(cache)
    shutil.rmtree(cache)
    db = latentdb.open(uri)
    assert nearest(db, 7) == before
    assert len(db.maps()) == len(db.directions()) == len(db.indexes()) == 1
    assert artefacts(cache) == there


def test_a_dropped_space_takes_its_artefacts_from_every_machine(uri: str, machine: Become) -> None:
    from latentdb.migrate.dropping import drop_space

    db = filled(uri)
    cache = machine("two")
    other = latentdb.open(uri)
    assert len(other.maps()) == 1
    drop_space(db.catalog, "narrow")
    time.sleep(STALE_SECONDS)
    assert other.maps() == other.indexes() == other.directions() == []
    assert artefacts(cache) <= {"migrations.json"}


def test_a_reader_goes_on_while_another_machine_compacts(uri: str, machine: Become) -> None:
    db = make(uri)
    machine("two")
    other = latentdb.open(uri)
    before = nearest(other, 7)
    for start in range(1000, 1050, 10):
        add(db, range(start, start + 10))
    db.store.compact()
    other.store.vectors("narrow", other.store.item_ids())
    assert nearest(other, 7)[0] == before[0]
    time.sleep(STALE_SECONDS)
    assert len(other) == len(db) == 170


def test_a_moment_of_a_database_is_opened(uri: str) -> None:
    db = make(uri, count=5)
    time.sleep(0.01)
    moment = datetime.now(UTC).isoformat()
    time.sleep(0.01)
    db.delete([3])
    assert len(latentdb.open(uri, at=moment)) == 5
    assert len(latentdb.open(uri)) == 4


def test_a_second_database_of_the_same_address_is_refused(uri: str) -> None:
    make(uri, count=2)
    with pytest.raises(StoreExistsError, match=f"{uri} exists already; open it"):
        latentdb.create(uri)


def test_an_address_without_database_says_how_to_make_one(uri: str) -> None:
    with pytest.raises(StoreNotFoundError, match=f"create one with: latentdb init {uri}"):
        latentdb.open(uri)


def test_objects_of_others_are_not_taken_for_a_database(uri: str) -> None:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    boto3.client("s3").put_object(Bucket=bucket, Key=f"{key}/notes.txt", Body=b"mine")
    with pytest.raises(StoreExistsError, match="exists already"):
        latentdb.create(uri)
    with pytest.raises(StoreNotFoundError, match="is not a latentdb database"):
        latentdb.open(uri)


def test_a_creation_that_was_cut_short_is_gone_on_with(uri: str, gate: Gate) -> None:
    gate.shuts_after = 12
    with pytest.raises(OSError, match="no answer from"):
        latentdb.create(uri)
    gate.shuts_after, gate.is_open = None, True
    with pytest.raises(StoreNotFoundError, match="is not a latentdb database"):
        latentdb.open(uri)
    _free_lock(uri)
    assert make(uri, count=3).check() == []


def _free_lock(uri: str) -> None:
    """The half minute that the lock of who was cut off lasts is not waited for."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    boto3.client("s3").delete_object(Bucket=bucket, Key=f"{key}/writer.lock")
