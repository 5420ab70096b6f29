"""Many questions of one state of a database, in one block."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import latentdb
from latentdb.database import LatentDB
from latentdb.errors import UnknownSpaceError
from latentdb.space import Space
from latentdb.store.look import Look
from latentdb.types import ItemRow, SpaceRows

DIM = 8


@pytest.fixture
def db(tmp_path: Path) -> LatentDB:
    made = latentdb.create(tmp_path / "asked.ldb")
    made.store.add_space(Space("points", "embedding", DIM, spec="none", settings={}))
    add(made, range(20))
    return made


@pytest.fixture
def other(db: LatentDB) -> LatentDB:
    """The same database, as another process has it."""
    return latentdb.open(db.uri)


@pytest.fixture
def looks(db: LatentDB, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Tables whose versions were looked up."""
    made: list[str] = []
    look_up = type(db.store._tables)._looked_up

    def counted(self: object, name: str) -> int:
        made.append(name)
        return look_up(self, name)  # type: ignore[arg-type]

    monkeypatch.setattr(type(db.store._tables), "_looked_up", counted)
    return made


def vector(item: int) -> NDArray[np.float32]:
    return np.random.default_rng(item).standard_normal(DIM).astype(np.float32)


def add(db: LatentDB, items: range) -> None:
    rows = [ItemRow(item, f"{item}.png", 1, 1, b"", {}) for item in items]
    vectors = SpaceRows(np.array(items), np.stack([vector(item) for item in items]))
    db.store.write_batch(items=rows, sources=[], vectors={"points": vectors}, quarantine=[])


def nearest_to(db: LatentDB, item: int) -> int:
    found = db.nearest(vector(item)[None], space="points", metric="euclidean", k=1)
    return int(found.ids[0, 0])


def test_what_others_commit_is_seen_when_the_block_has_ended(db: LatentDB, other: LatentDB) -> None:
    with db.one_look():
        assert nearest_to(db, 3) == 3
        add(other, range(20, 25))
        assert nearest_to(db, 22) != 22
        assert db.search(vector=vector(22), space="points", metric="euclidean").hits[0].id != 22
    assert nearest_to(db, 22) == 22


def test_what_was_committed_before_the_block_is_seen_in_it(db: LatentDB, other: LatentDB) -> None:
    assert nearest_to(db, 3) == 3
    add(other, range(20, 25))
    with db.one_look():
        assert nearest_to(db, 22) == 22


def test_what_the_same_thread_writes_is_seen_at_once(db: LatentDB) -> None:
    with db.one_look():
        assert nearest_to(db, 3) == 3
        add(db, range(20, 25))
        assert nearest_to(db, 22) == 22
        db.delete([22])
        assert nearest_to(db, 22) != 22
        assert not db.indexes()
        db.build_index("points", metric="euclidean")
        assert db.catalog.indexes.live(db.store.space("points"), "euclidean", None).facts.is_saved
        db.store.drop_space("points")
        with pytest.raises(UnknownSpaceError):
            nearest_to(db, 3)


def test_other_threads_look_as_always(db: LatentDB, other: LatentDB) -> None:
    found: list[int] = []
    with db.one_look():
        assert nearest_to(db, 3) == 3
        add(other, range(20, 25))
        thread = threading.Thread(target=lambda: found.append(nearest_to(db, 22)))
        thread.start()
        thread.join()
        assert nearest_to(db, 22) != 22
    assert found == [22]


def test_what_another_thread_has_read_is_not_read_again(
    db: LatentDB, other: LatentDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned: list[str] = []
    tables = type(db.store._tables)
    pin = tables.pin
    monkeypatch.setattr(tables, "pin", lambda self, name: pinned.append(name) or pin(self, name))
    with db.one_look():
        assert db.search(vector=vector(3), space="points").hits[0].id == 3
        add(other, range(20, 25))
        thread = threading.Thread(target=lambda: db.items([22]))
        thread.start()
        thread.join()
        pinned.clear()
        for _ in range(3):
            assert db.search(vector=vector(3), space="points").hits[0].id == 3
    assert pinned == []


def test_each_table_is_looked_at_once_in_a_block(db: LatentDB, looks: list[str]) -> None:
    nearest_to(db, 3)
    looks.clear()
    with db.one_look():
        for item in range(10):
            nearest_to(db, item)
            db.search(vector=vector(item), space="points", metric="euclidean")
    assert len(looks) == len(set(looks)) <= 3
    looks.clear()
    nearest_to(db, 3)
    nearest_to(db, 3)
    assert len(looks) == 2 * len(set(looks))


def test_a_block_within_a_block_is_part_of_it() -> None:
    look, asked = Look(), iter(range(10))
    with look.block():
        with look.block():
            assert look.once("a", lambda: next(asked)) == 0
        assert look.once("a", lambda: next(asked)) == 0
        look.again()
        assert look.once("a", lambda: next(asked)) == 1
    assert look.once("a", lambda: next(asked)) == 2
    assert look.once("a", lambda: next(asked)) == 3


def test_an_error_in_a_block_ends_it() -> None:
    look = Look()
    with pytest.raises(ZeroDivisionError), look.block():
        look.once("a", lambda: 1 // 0)
    assert look.once("a", lambda: 5) == 5
    assert look.once("a", lambda: 6) == 6
