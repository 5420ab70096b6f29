"""Upkeep that a server begins by itself."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from life_rows import make_db, vectors_of, write

import latentdb
from api.jobs import caretaker
from api.jobs.book import JobBook
from api.jobs.caretaker import Caretaker
from api.jobs.job import Job
from api.jobs.keeper import Keeper
from api.jobs.worker import Worker
from latentdb.database import LatentDB
from latentdb.store import compaction


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LatentDB:
    """An index that was searched by, in a world where 50 rows are many."""
    monkeypatch.setattr(caretaker, "LEAST_ROWS", 50)
    db = make_db(tmp_path / "own.ldb", 200)
    db.build_index("wide", kind="hnsw")
    return db


def _look(db: LatentDB, share: float = 0.1) -> list[Job]:
    db.search(vector=vectors_of([1], 16), from_space="wide", space="wide")
    book = JobBook(db.store.path)
    Caretaker(db, book, share=share, most=10).look()
    return book.unfinished()


def _work_off(db: LatentDB) -> None:
    Worker(db, JobBook(db.store.path), "test", threading.Event()).work(idle_seconds=0)


def test_an_index_that_fell_behind_is_refreshed_once(own: LatentDB) -> None:
    write(own.store, range(300, 349))
    assert _look(own) == []
    own.delete([0])
    (job,) = _look(own)
    assert (job.kind, job.arguments["refresh"]) == ("index", True)
    assert _look(own) == [job]
    _work_off(own)
    assert _look(own) == []
    assert (own.indexes()[0].count, own.indexes()[0].newer_rows) == (248, 0)


def test_a_refresh_that_failed_is_not_begun_again_and_again(own: LatentDB) -> None:
    write(own.store, range(300, 350))
    (job,) = _look(own)
    book = JobBook(own.store.path)
    book.take("test")
    book.finish(job.id, "failed", error={"code": "x", "detail": "y"})
    assert _look(own) == []
    write(own.store, range(400, 500))
    assert len(_look(own)) == 1


def test_no_index_is_refreshed_where_the_share_is_0(own: LatentDB) -> None:
    write(own.store, range(300, 400))
    assert _look(own, share=0) == []


def test_tables_of_many_commits_are_compacted(
    own: LatentDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "_MANY_VERSIONS", 5)
    (job,) = _look(own)
    assert (job.kind, job.arguments) == ("compact", {"keep_hours": pytest.approx(1 / 60)})
    _work_off(own)
    done = JobBook(own.store.path).get(job.id)
    assert done.state == "done"
    assert done.result["pieces_after"] < done.result["pieces_before"]


def test_nothing_is_begun_in_a_past_state(own: LatentDB, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "_MANY_VERSIONS", 0)
    own.upkeep.snapshot("now")
    assert _look(latentdb.open(own.uri, at="now")) == []


def test_a_keeper_looks_every_half_a_minute(own: LatentDB, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.jobs.keeper._CARE_SECONDS", 0.0)
    looked = threading.Event()
    keeper = Keeper(JobBook(own.store.path), device="cpu", look=looked.set)
    keeper.start()
    assert looked.wait(10)
    keeper.stop()
