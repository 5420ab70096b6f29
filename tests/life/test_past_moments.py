"""A database at a moment: the versions that its tables had then."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from life_rows import answers, write

import latentdb
from latentdb.database import LatentDB
from latentdb.errors import StoreReadOnlyError, UnknownSnapshotError


def _now() -> str:
    time.sleep(0.01)
    moment = datetime.now(UTC).isoformat()
    time.sleep(0.01)
    return moment


def test_deleted_items_are_there_at_a_moment_before(db: LatentDB) -> None:
    before, moment = answers(db), _now()
    db.delete(range(50))
    write(db.store, range(300, 310))
    past = latentdb.open(db.uri, at=moment)
    assert (len(past), len(db)) == (200, 160)
    assert answers(past) | {"indexes": None} == before | {"indexes": None}
    with pytest.raises(StoreReadOnlyError, match="open as it was at"):
        past.delete([60])


def test_a_moment_without_a_zone_is_in_utc(db: LatentDB) -> None:
    moment = _now()
    db.delete([1])
    plain = datetime.fromisoformat(moment).astimezone(UTC).replace(tzinfo=None).isoformat()
    elsewhere = (datetime.fromisoformat(plain) + timedelta(hours=2)).isoformat() + "+02:00"
    assert len(latentdb.open(db.uri, at=plain)) == 200
    assert len(latentdb.open(db.uri, at=elsewhere)) == 200


def test_a_space_that_came_later_is_not_there_yet(db: LatentDB) -> None:
    from life_rows import WIDE

    moment = _now()
    db.store.add_space(type(WIDE)("later", "embedding", 4, "none", {"model": "c"}))
    assert list(latentdb.open(db.uri, at=moment).spaces()) == ["wide", "narrow"]


def test_moments_whose_versions_are_gone_are_refused_and_told(db: LatentDB) -> None:
    moment = _now()
    db.delete(range(50))
    db.upkeep.compact()
    with pytest.raises(UnknownSnapshotError, match=r"dropped by compaction. Any moment from \d{4}"):
        latentdb.open(db.uri, at=moment)
    with pytest.raises(UnknownSnapshotError, match="is known since"):
        latentdb.open(db.uri, at="2001-01-01")


def test_versions_that_compaction_is_told_to_keep_can_be_opened(db: LatentDB) -> None:
    moment = _now()
    db.delete(range(50))
    db.upkeep.compact(keep=timedelta(hours=1))
    assert len(latentdb.open(db.uri, at=moment)) == 200


def test_a_moment_before_a_space_was_dropped_is_refused(db: LatentDB) -> None:
    moment = _now()
    db.store.drop_space("narrow")
    with pytest.raises(UnknownSnapshotError, match="space 'narrow' was dropped since"):
        latentdb.open(db.uri, at=moment)
