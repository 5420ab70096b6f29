"""Answers are kept while nothing changes, and not a moment longer."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import latentdb
from api.http.app import create_app
from api.http.cache import AnswerCache
from api.http.server import Server
from api.settings import ServerSettings
from latentdb.database import LatentDB
from latentdb.ingest import IngestOptions
from latentdb.store.state import DatabaseState, all_settled
from latentdb.zoo.faces import write_folder

SETTLED_S = 0.08


@pytest.fixture
def client(own_db: LatentDB) -> Iterator[TestClient]:
    app = create_app(own_db, settings=ServerSettings(runs_jobs=False))
    with TestClient(app, base_url="http://localhost") as opened:
        time.sleep(SETTLED_S)
        yield opened


def cache_of(client: TestClient) -> AnswerCache:
    server: Server = client.app.state.server  # type: ignore[attr-defined]
    return server.cache


def hits(client: TestClient, **question: object) -> list[int]:
    response = client.post("/v1/search", json=question)
    assert response.status_code == 200, response.text
    return [hit["id"] for hit in response.json()["hits"]]


def test_the_same_question_is_answered_from_the_cache(client: TestClient) -> None:
    first = client.post("/v1/search", json={"text": "a hat", "k": 3})
    second = client.post("/v1/search", json={"text": "a hat", "k": 3})
    assert first.content == second.content
    assert (cache_of(client).hits, cache_of(client).misses) == (1, 1)
    assert hits(client, text="a hat", k=2) != hits(client, text="a hat", k=3)
    assert cache_of(client).misses == 2


def test_an_uploaded_picture_is_known_again(client: TestClient, faces: Path) -> None:
    files = {"image": (faces / "face_00007.png").read_bytes()}
    asked = [
        client.post("/v1/search", files=files, data={"query": query}).json()
        for query in ('{"space": "dino", "k": 2}', '{"space": "dino", "k": 2}', '{"k": 2}')
    ]
    assert asked[0] == asked[1]
    assert cache_of(client).hits == 1
    assert asked[2]["space"] == "clip"


def ingest(db: LatentDB, folder: Path) -> None:
    write_folder(folder, 5, seed=99)
    db.ingest(folder, options=IngestOptions(labels=folder / "labels.csv", workers=0))


def delete(db: LatentDB, _folder: Path) -> None:
    db.delete(db.store.item_ids()[:30].tolist())


def label(db: LatentDB, _folder: Path) -> None:
    ids = db.store.item_ids()
    db.store.set_labels(ids, {"hat": [True] * len(ids)})


def refit(db: LatentDB, _folder: Path) -> None:
    db.fit_direction("hat", space="clip", label="glasses")


def remap(db: LatentDB, _folder: Path) -> None:
    db.stitch("clip", "dino", method="procrustes")


def index(db: LatentDB, _folder: Path) -> None:
    db.build_index("dino", metric="euclidean")


@pytest.mark.parametrize(
    ("change", "question"),
    [
        (ingest, {"text": "a", "k": 65}),
        (delete, {"text": "a", "k": 60}),
        (label, {"text": "a", "k": 60, "where": "hat"}),
        (refit, {"text": "a", "k": 60, "directions": {"hat": 9.0}}),
        (remap, {"text": "a", "k": 60, "space": "dino"}),
        (index, {"id": 0, "k": 60, "space": "dino"}),
    ],
)
def test_what_changes_the_database_changes_the_answer(
    client: TestClient,
    own_db: LatentDB,
    tmp_path: Path,
    change: Callable[[LatentDB, Path], None],
    question: dict[str, object],
) -> None:
    if "id" in question:
        question = question | {"id": int(own_db.store.item_ids()[0])}
    before = client.post("/v1/search", json=question).json()
    assert client.post("/v1/search", json=question).json() == before
    assert cache_of(client).hits == 1
    # By another process, as far as the server can tell.
    elsewhere = latentdb.open(own_db.uri, device="cpu")
    change(elsewhere, tmp_path / "more")
    after = client.post("/v1/search", json=question).json()
    assert after["hits"] != before["hits"] or after["metric"] != before["metric"]
    fresh = elsewhere.search(**{**question, "directions": question.get("directions", {})})
    assert [hit["id"] for hit in after["hits"]] == [hit.id for hit in fresh.hits]


def test_an_error_is_not_kept(client: TestClient) -> None:
    for _ in range(2):
        assert client.post("/v1/search", json={"id": 1}).status_code == 404
    assert cache_of(client).hits == 0


def settled(folder: Path) -> DatabaseState:
    time.sleep(SETTLED_S)
    return DatabaseState(folder)


def test_it_holds_no_more_bytes_than_it_may_and_drops_what_was_asked_longest_ago(
    tmp_path: Path,
) -> None:
    cache = AnswerCache(settled(tmp_path), 4000)
    for at in range(10):
        _, state = cache.look(b"%d" % at)
        cache.look(b"0")
        cache.keep(b"%d" % at, b"x" * 1000, state)
    assert cache.bytes <= 4000
    assert len(cache) == 3
    assert cache.look(b"0")[0] is not None
    assert cache.look(b"9")[0] is not None
    assert cache.look(b"5")[0] is None
    cache.keep(b"huge", b"x" * 5000, cache.look(b"huge")[1])
    assert cache.look(b"huge")[0] is None


def test_a_cache_of_no_bytes_keeps_nothing(tmp_path: Path) -> None:
    cache = AnswerCache(settled(tmp_path), 0)
    cache.keep(b"a", b"b", cache.look(b"a")[1])
    assert cache.look(b"a")[0] is None


def changed(folder: Path, *, ahead_s: float = 0.0) -> None:
    """Have a folder say that it was changed now, or some time ahead."""
    at = time.time() + ahead_s
    os.utime(folder, (at, at))


def test_an_answer_of_a_state_that_just_changed_is_not_kept(tmp_path: Path) -> None:
    state = DatabaseState(tmp_path)
    cache = AnswerCache(state, 4000)
    (tmp_path / "new").mkdir()
    # Just now, however long this process has to wait between two of these lines.
    changed(tmp_path, ahead_s=60)
    assert not all_settled(state.now())
    cache.keep(b"a", b"b", cache.look(b"a")[1])
    assert cache.look(b"a")[0] is None
    changed(tmp_path)
    time.sleep(SETTLED_S)
    _, then = cache.look(b"a")
    (tmp_path / "newer").mkdir()
    cache.look(b"b")
    cache.keep(b"a", b"b", then)
    assert cache.look(b"a")[0] is None


def test_folders_of_work_to_be_done_change_no_answer(own_db: LatentDB) -> None:
    folder = Path(own_db.uri)
    (folder / "jobs").mkdir(exist_ok=True)
    (folder / "uploads").mkdir(exist_ok=True)
    state = DatabaseState(folder)
    before = state.now()
    (folder / "jobs" / "one").mkdir()
    (folder / "uploads" / "one").mkdir()
    assert state.now() == before
    (folder / "indexes" / "one").mkdir()
    assert state.now() != before
