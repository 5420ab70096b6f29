"""Items one by one over HTTP: pages, labels, deletion, and what is told of files."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from job_pictures import files_below, picture
from PIL import Image

from api.http.app import create_app
from api.settings import ServerSettings
from latentdb.database import LatentDB
from latentdb.types import QuarantineRow


def test_pages_follow_one_another_without_gap_or_repeat(
    client: TestClient, jobs_db: LatentDB
) -> None:
    seen: list[int] = []
    cursor: str | None = None
    while True:
        asked: dict[str, Any] = {"limit": 25} if cursor is None else {"limit": 25, "cursor": cursor}
        page = client.get("/v1/items", params=asked).json()
        assert page["count"] == len(jobs_db)
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == jobs_db.store.item_ids().tolist()


@pytest.mark.parametrize("cursor", ["nope", "-1", "", str(2**63), "1" * 65])
def test_a_cursor_of_nobody_is_refused(client: TestClient, cursor: str) -> None:
    assert client.get("/v1/items", params={"cursor": cursor}).status_code == 422


def test_an_item_comes_by_its_id(client: TestClient, jobs_db: LatentDB) -> None:
    item_id = int(jobs_db.store.item_ids()[0])
    item = client.get(f"/v1/items/{item_id}").json()
    assert (item["id"], item["image"]) == (item_id, f"/v1/items/{item_id}/image")
    with Image.open(io.BytesIO(client.get(f"/v1/items/{item_id}/thumbnail").content)) as small:
        assert small.size == (64, 64)
    assert client.get("/v1/items/1").status_code == 404
    assert client.get("/v1/items/1/thumbnail").status_code == 404
    assert client.get("/v1/items/x").status_code == 422


def test_labels_are_set_and_taken_away_and_others_stay(
    client: TestClient, jobs_db: LatentDB
) -> None:
    item = jobs_db.items([int(jobs_db.store.item_ids()[1])])[0]
    path = f"/v1/items/{item.id}/labels"
    changed = client.put(path, json={"hat": not item.labels["hat"], "note": "new", "gone": None})
    assert changed.json()["labels"] == {
        **item.labels,
        "hat": not item.labels["hat"],
        "note": "new",
    }
    assert "note" not in client.put(path, json={"note": None}).json()["labels"]
    assert "gone" not in jobs_db.label_columns()


@pytest.mark.parametrize(
    ("labels", "status"),
    [
        ({"hat": "yes"}, 422),
        ({"id": 1}, 422),
        ({"a b": 1}, 422),
        ({"x": {"y": 1}}, 422),
        ({"x": 2**63}, 422),
        ([], 422),
    ],
)
def test_labels_that_cannot_be_stored_are_refused(
    client: TestClient, jobs_db: LatentDB, labels: Any, status: int
) -> None:
    item_id = int(jobs_db.store.item_ids()[2])
    assert client.put(f"/v1/items/{item_id}/labels", json=labels).status_code == status
    assert client.put("/v1/items/1/labels", json={"hat": True}).status_code == 404


def test_an_item_that_is_deleted_takes_its_upload_with_it(
    client: TestClient, jobs_db: LatentDB, work_off: Callable[[], None]
) -> None:
    sent = [("files", (f"{at}.png", picture(300 + at))) for at in range(2)]
    body = client.post("/v1/items", files=sent).json()
    work_off()
    folder = jobs_db.store.path / "uploads" / body["job"]["id"]
    first, second = (one["id"] for one in body["items"])
    assert client.delete(f"/v1/items/{first}").status_code == 204
    assert client.delete(f"/v1/items/{first}").status_code == 404
    assert client.get(f"/v1/items/{first}/image").status_code == 404
    assert files_below(folder) == ["1.png"]
    assert first not in jobs_db.store.vector_ids("clip")
    assert client.delete(f"/v1/items/{second}").status_code == 204
    assert not folder.exists()
    assert jobs_db.check() == []


def test_a_file_outside_the_database_stays_where_its_item_was_deleted(
    own_db: LatentDB, faces: Any
) -> None:
    app = create_app(own_db, settings=ServerSettings(runs_jobs=False))
    item = next(one for one in own_db.items(own_db.store.item_ids()) if "00004" in one.source)
    with TestClient(app, base_url="http://localhost", client=("127.0.0.1", 1)) as client:
        assert client.delete(f"/v1/items/{item.id}").status_code == 204
    assert (faces / "face_00004.png").exists()


def test_a_write_while_another_process_writes_is_refused_with_a_time_to_come_back(
    client: TestClient, jobs_db: LatentDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    import latentdb

    monkeypatch.setattr("api.http.submission._LOCK_SECONDS", 0.3)
    item_id = int(jobs_db.store.item_ids()[3])
    with latentdb.open(jobs_db.uri).store.writer():
        refused = client.delete(f"/v1/items/{item_id}")
    assert (refused.status_code, refused.headers["retry-after"]) == (409, "5")
    assert refused.json()["type"] == "urn:latentdb:problem:store-locked"
    assert jobs_db.uri not in refused.text


def test_no_folder_of_the_server_is_told(own_db: LatentDB, faces: Any) -> None:
    row = QuarantineRow(f"{faces}/x.png", "", "unreadable", f"Permission denied: {faces}/x.png")
    own_db.store.write_batch(items=[], sources=[], vectors={}, quarantine=[row])
    settings = ServerSettings(runs_jobs=False, device="cpu")
    app = create_app(own_db.uri, settings=settings)
    with TestClient(app, base_url="http://localhost", client=("127.0.0.1", 1)) as client:
        item_id = int(own_db.store.item_ids()[0])
        asked = [
            client.get("/v1/items", params={"limit": 100}),
            client.get(f"/v1/items/{item_id}"),
            client.get("/v1/quarantine"),
            client.post("/v1/search", json={"id": item_id, "k": 60}),
            client.get("/v1/spaces"),
        ]
        probed = client.get("/v1/items", params={"where": f"source like '{faces}%'"}).json()
        image = client.get(f"/v1/items/{item_id}/image")
    assert [answer.status_code for answer in asked] == [200] * 5
    assert [answer.url for answer in asked if str(faces.parent) in answer.text] == []
    assert "face_00000.png" in asked[0].text
    assert "Permission denied: x.png" in asked[2].text
    assert probed["count"] == 0
    assert image.status_code == 200
