"""Snapshots: what they keep, how long, and that nothing changes them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from life_rows import answers, vectors_of, write

import latentdb
from api.http.app import create_app
from api.settings import ServerSettings
from latentdb.database import LatentDB
from latentdb.errors import (
    StoreError,
    StoreExistsError,
    StoreReadOnlyError,
    UnknownSnapshotError,
)
from latentdb.store.cut import files_below


def test_a_snapshot_answers_as_the_database_did_after_deletions_and_compaction(
    db: LatentDB,
) -> None:
    before = answers(db)
    db.upkeep.snapshot("before")
    db.delete(range(100))
    write(db.store, range(300, 340))
    db.build_index("wide", kind="sq8")
    db.upkeep.compact()
    assert answers(latentdb.open(db.uri, at="before")) == before


def test_a_snapshot_keeps_a_space_that_is_dropped_and_files_that_are_deleted(db: LatentDB) -> None:
    db.upkeep.snapshot("before")
    db.store.drop_space("narrow")
    (Path(db.uri) / "uploads" / "ab12" / "one.png").unlink()
    past = latentdb.open(db.uri, at="before")
    assert len(past.store.all_vectors("narrow").ids) == 200
    assert Path(past.store.path, "uploads", "ab12", "one.png").read_bytes() == b"an original"


def test_two_snapshots_are_told_apart_and_listed_by_age(db: LatentDB) -> None:
    db.upkeep.snapshot("first")
    db.delete([0])
    db.upkeep.snapshot("second")
    listed = db.upkeep.snapshots()
    assert [(one.name, one.items) for one in listed] == [("first", 200), ("second", 199)]
    assert len(latentdb.open(db.uri, at="first")) == 200
    assert len(latentdb.open(db.uri, at="second")) == 199


def test_a_snapshot_costs_nothing_until_the_database_changes(db: LatentDB) -> None:
    taken = db.upkeep.snapshot("now")
    assert taken.own_bytes < 1000 < taken.total_bytes
    db.delete(range(200))
    db.upkeep.compact()
    assert db.upkeep.snapshots()[0].own_bytes > taken.total_bytes / 4


def test_dropping_a_snapshot_frees_its_name_and_leaves_the_database_whole(db: LatentDB) -> None:
    before = answers(db)
    db.upkeep.snapshot("now")
    db.upkeep.drop_snapshot("now")
    assert db.upkeep.snapshots() == []
    assert not Path(db.uri, "snapshots").exists()
    assert answers(latentdb.open(db.uri)) == before
    assert db.upkeep.snapshot("now").items == 200


def test_what_a_snapshot_links_is_only_what_its_versions_name(db: LatentDB) -> None:
    # Merged, with the pieces of before still there for the versions of before.
    db.upkeep.compact(keep=timedelta(hours=1))
    db.upkeep.snapshot("now")
    manifests = list(Path(db.uri, "snapshots", "now").glob("items.lance/_versions/*.manifest"))
    assert len(manifests) == 1
    linked = set(files_below(Path(db.uri, "snapshots", "now", "items.lance", "data")))
    there = set(files_below(Path(db.uri, "items.lance", "data")))
    assert linked < there


WRITES: dict[str, Callable[[LatentDB], object]] = {
    "delete": lambda db: db.delete([1]),
    "labels": lambda db: db.store.set_labels([1], {"hat": [True]}),
    "index": lambda db: db.build_index("wide"),
    "refresh": lambda db: db.upkeep.refresh_index("wide"),
    "map": lambda db: db.stitch("narrow", "wide"),
    "direction": lambda db: db.fit_direction("cap", space="wide", label="hat"),
    "shared": lambda db: db.share(["wide", "narrow"]),
    "compact": lambda db: db.upkeep.compact(),
    "snapshot": lambda db: db.upkeep.snapshot("inner"),
    "repair": lambda db: db.check(repair=True),
    "drop": lambda db: db.store.drop_space("wide"),
}


@pytest.mark.parametrize("kind", sorted(WRITES))
def test_nothing_of_a_past_state_can_be_changed(db: LatentDB, kind: str) -> None:
    db.upkeep.snapshot("now")
    past = latentdb.open(db.uri, at="now")
    before = sorted(files_below(past.store.path))
    with pytest.raises(StoreReadOnlyError, match=r"open as it was at 'now'.*open it without at="):
        WRITES[kind](past)
    assert sorted(files_below(past.store.path)) == before


def test_a_snapshot_opened_by_its_folder_cannot_be_changed_either(db: LatentDB) -> None:
    db.upkeep.snapshot("now")
    with pytest.raises(StoreReadOnlyError, match="open as it was at 'now'"):
        latentdb.open(Path(db.uri, "snapshots", "now")).delete([1])


def test_a_past_state_measures_what_it_is_asked_for_and_keeps_nothing(db: LatentDB) -> None:
    db.upkeep.snapshot("now")
    past = latentdb.open(db.uri, at="now")
    before = sorted(files_below(past.store.path))
    assert len(past.energy("wide").ids) == 200
    assert len(past.project("narrow", method="pca").ids) == 200
    assert len(past.rank_by_energy("wide", k=3).hits) == 3
    assert past.search(vector=vectors_of([3], 16), from_space="wide", space="narrow").hits
    assert sorted(files_below(past.store.path)) == before


def test_a_past_state_is_exported(db: LatentDB, tmp_path: Path) -> None:
    db.upkeep.snapshot("now")
    db.delete(range(150))
    done = latentdb.open(db.uri, at="now").export_vectors(tmp_path / "out", spaces=["wide"])
    assert done.spaces == {"wide": 200}


def test_names_that_cannot_be_are_refused(db: LatentDB) -> None:
    db.upkeep.snapshot("now")
    with pytest.raises(StoreExistsError, match="a snapshot 'now' already"):
        db.upkeep.snapshot("now")
    for name in ("", "../x", ".cut-1", "a/b", "x" * 64):
        with pytest.raises(StoreError, match="cannot name a snapshot"):
            db.upkeep.snapshot(name)
    for name in ("then", "../own.ldb", ".."):
        with pytest.raises(UnknownSnapshotError, match=r"no snapshot .*; there are: now"):
            latentdb.open(db.uri, at=name)
    with pytest.raises(UnknownSnapshotError, match="no snapshot 'then'"):
        db.upkeep.drop_snapshot("then")


def test_what_a_killed_process_began_is_swept(db: LatentDB) -> None:
    begun = Path(db.uri, "snapshots", ".cut-abc")
    begun.mkdir(parents=True)
    (begun / "some").write_text("file")
    db.upkeep.snapshot("now")
    assert [path.name for path in Path(db.uri, "snapshots").iterdir()] == ["now"]


def test_a_snapshot_that_was_half_dropped_is_none_and_its_name_is_free(db: LatentDB) -> None:
    db.upkeep.snapshot("now")
    Path(db.uri, "snapshots", "now", "snapshot.json").unlink()
    assert db.upkeep.snapshots() == []
    assert db.upkeep.snapshot("now").items == 200
    assert latentdb.open(db.uri, at="now").check() == []


def test_a_snapshot_of_a_store_that_another_thread_writes_to_is_of_one_moment(
    db: LatentDB,
) -> None:
    ended = threading.Event()

    def write_on() -> None:
        start = 1000
        while not ended.is_set():
            write(db.store, range(start, start + 3))
            start += 3

    thread = threading.Thread(target=write_on)
    thread.start()
    for number in range(4):
        db.upkeep.snapshot(f"s{number}")
    ended.set()
    thread.join()
    for number in range(4):
        past = latentdb.open(db.uri, at=f"s{number}")
        assert past.check() == []
        assert len(past.store.vector_ids("wide")) == len(past) == len(past.store.known_sources())


def test_a_snapshot_can_be_served(db: LatentDB) -> None:
    db.upkeep.snapshot("now")
    db.delete(range(100))
    app = create_app(
        Path(db.uri, "snapshots", "now"), settings=ServerSettings(runs_jobs=False, hosts=("*",))
    )
    with TestClient(app, client=("127.0.0.1", 50000)) as client:
        assert client.get("/v1/items", params={"limit": 1}).json()["count"] == 200
        asked = client.post("/v1/search", json={"id": "7", "space": "wide", "k": 2})
        assert len(asked.json()["hits"]) == 2
        assert client.delete("/v1/items/7").status_code == 409
        assert client.post("/v1/compaction", json={}).status_code == 409
