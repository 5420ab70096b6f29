"""Pictures in over HTTP."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from job_pictures import files_below, picture
from PIL import Image

import latentdb
from api.http.app import create_app
from api.jobs.tray import tidy
from api.settings import ServerSettings
from latentdb.database import LatentDB
from latentdb.ingest.decode import pixel_id

Files = list[tuple[str, tuple[str, bytes]]]


def files(*parts: tuple[str, bytes]) -> Files:
    return [("files", part) for part in parts]


def upload(client: TestClient, *parts: tuple[str, bytes], **form: Any) -> dict[str, Any]:
    data = {name: json.dumps(value) for name, value in form.items()}
    response = client.post("/v1/items", files=files(*parts), data=data)
    assert response.status_code == 202, response.text
    body: dict[str, Any] = response.json()
    assert response.headers["location"] == f"/v1/jobs/{body['job']['id']}"
    return body


def test_good_pictures_become_items_and_bad_ones_are_told(
    client: TestClient, jobs_db: LatentDB, work_off: Callable[[], None]
) -> None:
    body = upload(
        client,
        ("a.png", picture(1)),
        ("notes.txt", b"no picture"),
        ("../b.jpg", picture(2, "JPEG")),
        ("cut.png", picture(3)[:-40]),
        labels={"a.png": {"hat": True, "weight": 2.5}},
    )
    assert [one["name"] for one in body["items"]] == ["a.png", "b.jpg"]
    assert [(one["name"], one["reason"]) for one in body["quarantined"]] == [
        ("notes.txt", "not_an_image"),
        ("cut.png", "truncated"),
    ]
    work_off()
    job = client.get(f"/v1/jobs/{body['job']['id']}").json()
    assert job["state"] == "done"
    assert (job["result"]["added"], job["result"]["quarantined"]) == (2, 2)
    first = client.get(f"/v1/items/{body['items'][0]['id']}").json()
    assert first["labels"] == {"hat": True, "weight": 2.5}
    assert first["source"] == f"uploads/{job['id']}/a.png"
    assert first["image"] == body["items"][0]["image"]
    ids = [one["id"] for one in body["items"]]
    for space in jobs_db.spaces():
        assert len(jobs_db.store.vectors(space, ids)) == 2
    assert jobs_db.check() == []


def test_a_picture_is_kept_upright_and_without_what_came_beside_the_pixels(
    client: TestClient, jobs_db: LatentDB, work_off: Callable[[], None]
) -> None:
    image = Image.open(io.BytesIO(picture(4)))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010E] = "where I live"
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif, comment=b"secret")
    body = upload(client, ("turned.jpg", file.getvalue()))
    work_off()
    kept = jobs_db.store.path / f"uploads/{body['job']['id']}/turned.png"
    assert b"where I live" not in kept.read_bytes()
    with Image.open(kept) as stored:
        assert (stored.size, stored.info) == ((30, 40), {})
        assert pixel_id(stored.convert("RGB")) == body["items"][0]["id"]
    served = client.get(body["items"][0]["image"], params={"size": 1024})
    with Image.open(io.BytesIO(served.content)) as shown:
        assert shown.size == (30, 40)


def test_the_original_answers_for_a_picture_larger_than_a_thumbnail(
    client: TestClient, jobs_db: LatentDB, work_off: Callable[[], None]
) -> None:
    file = io.BytesIO()
    Image.radial_gradient("L").resize((600, 500)).convert("RGB").save(file, "PNG")
    body = upload(client, ("large.png", file.getvalue()))
    work_off()
    assert jobs_db.picture(body["items"][0]["id"]).size == (600, 500)


def test_an_upload_sent_twice_with_one_key_is_one_job(client: TestClient) -> None:
    sent = {"files": files(("a.png", picture(5))), "headers": {"idempotency-key": "twice"}}
    first, second = (client.post("/v1/items", **sent) for _ in range(2))
    assert first.json()["job"]["id"] == second.json()["job"]["id"]
    other = client.post(
        "/v1/items", files=files(("a.png", picture(6))), headers={"idempotency-key": "twice"}
    )
    assert (other.status_code, other.json()["type"]) == (
        409,
        "urn:latentdb:problem:idempotency-key-reused",
    )


def test_a_picture_that_is_there_already_keeps_its_original_and_gets_the_labels(
    client: TestClient, jobs_db: LatentDB, work_off: Callable[[], None]
) -> None:
    once = upload(client, ("a.png", picture(7)))
    work_off()
    again = upload(
        client, ("b.png", picture(7)), ("c.png", picture(7)), labels={"c.png": {"hat": True}}
    )
    work_off()
    item_id = once["items"][0]["id"]
    assert [one["id"] for one in again["items"]] == [item_id, item_id]
    item = client.get(f"/v1/items/{item_id}").json()
    assert (item["source"], item["labels"]) == (f"uploads/{once['job']['id']}/a.png", {"hat": True})
    assert not (jobs_db.store.path / "uploads" / again["job"]["id"]).exists()


def test_what_a_model_failed_on_is_kept_unless_the_job_is_given_up(own_db: LatentDB) -> None:
    folder = own_db.store.path / "uploads" / ("a" * 32)
    folder.mkdir(parents=True)
    ids = {"of an item.png": int(own_db.store.item_ids()[0]), "of none.png": 1}
    for file in ids:
        (folder / file).touch()
    tidy(own_db, "a" * 32, ids, is_given_up=False)
    assert files_below(folder) == ["of none.png"]
    tidy(own_db, "a" * 32, ids, is_given_up=True)
    assert not folder.exists()


def test_only_the_spaces_named_get_vectors(
    client: TestClient, jobs_db: LatentDB, work_off: Callable[[], None]
) -> None:
    item_id = upload(client, ("a.png", picture(8)), spaces=["dino"])["items"][0]["id"]
    work_off()
    assert item_id in jobs_db.store.vector_ids("dino")
    assert item_id not in jobs_db.store.vector_ids("clip")
    upload(client, ("a.png", picture(8)))
    work_off()
    assert item_id in jobs_db.store.vector_ids("clip")


@pytest.mark.parametrize(
    ("form", "status", "says"),
    [
        ({"labels": "{"}, 422, "JSON"),
        ({"labels": '{"a.png": {"hat": "yes"}}'}, 422, "'hat' is str, and in the database"),
        ({"labels": '{"a.png": {"id": 3}}'}, 422, "cannot be named 'id'"),
        ({"labels": '{"a.png": {"path": "x"}}'}, 422, "cannot be named 'path'"),
        ({"labels": '{"a.png": {"x": NaN}}'}, 422, "finite"),
        ({"labels": '{"a.png": {"x": [1]}}'}, 422, "x"),
        ({"labels": '{"b.png": {"hat": true}}'}, 422, "'b.png' did not"),
        ({"spaces": '["nope"]'}, 404, "nope"),
        ({"spaces": "clip"}, 422, "JSON list"),
        ({"spaces": "[]"}, 422, "one space or more"),
        ({"else": "x"}, 422, "not 'else'"),
    ],
)
def test_what_is_wrong_is_said_at_once_and_nothing_is_kept(
    client: TestClient, jobs_db: LatentDB, form: dict[str, str], status: int, says: str
) -> None:
    before = files_below(jobs_db.store.path / "uploads"), len(client.get("/v1/jobs").json())
    response = client.post("/v1/items", files=files(("a.png", picture(9))), data=form)
    assert (response.status_code, response.headers["content-type"]) == (
        status,
        "application/problem+json",
    )
    assert says in response.json()["detail"]
    after = files_below(jobs_db.store.path / "uploads"), len(client.get("/v1/jobs").json())
    assert after == before


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"json": {"files": []}}, 415),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 400),
        ({"data": {"files": "text"}, "files": {"labels": ("x", b"{}")}}, 422),
        ({"files": files(*((f"{at}.png", b"x") for at in range(9)))}, 400),
        ({"files": files(("a.png", b"x")), "headers": {"idempotency-key": "k" * 300}}, 422),
    ],
)
def test_bodies_that_are_no_upload_are_refused(
    client: TestClient, request_: dict[str, Any], status: int
) -> None:
    response = client.post("/v1/items", **request_)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"


def test_a_picture_of_too_many_pixels_is_told_and_the_others_go_on(client: TestClient) -> None:
    file = io.BytesIO()
    Image.new("RGB", (1200, 1000)).save(file, "PNG")
    body = upload(client, ("big.png", file.getvalue()), ("a.png", picture(10)))
    assert [one["reason"] for one in body["quarantined"]] == ["too_large"]
    assert len(body["items"]) == 1


def test_more_jobs_than_may_wait_are_refused_and_leave_nothing(own_db: LatentDB) -> None:
    settings = ServerSettings(runs_jobs=False, max_jobs=1)
    app = create_app(own_db, settings=settings)
    with TestClient(app, base_url="http://localhost", client=("127.0.0.1", 1)) as client:
        assert client.post("/v1/items", files=files(("a.png", picture(1)))).status_code == 202
        kept = files_below(own_db.store.path / "uploads")
        refused = client.post("/v1/items", files=files(("b.png", picture(2))))
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert files_below(own_db.store.path / "uploads") == kept


def test_a_database_without_a_model_takes_no_pictures(tmp_path: Any) -> None:
    latentdb.create(tmp_path / "empty.ldb")
    app = create_app(tmp_path / "empty.ldb", settings=ServerSettings(runs_jobs=False))
    with TestClient(app, base_url="http://localhost", client=("127.0.0.1", 1)) as client:
        refused = client.post("/v1/items", files=files(("a.png", picture(1))))
    assert (refused.status_code, refused.json()["title"]) == (422, "query")


def test_upload_that_is_damaged_later_is_named_by_check(
    client: TestClient, jobs_db: LatentDB, work_off: Callable[[], None]
) -> None:
    body = upload(client, ("a.png", picture(191)))
    work_off()
    name = f"uploads/{body['job']['id']}/a.png"
    assert "damaged_uploads" not in {problem.kind for problem in jobs_db.check()}
    (jobs_db.store.path / name).write_bytes(picture(192))
    (problem,) = [one for one in jobs_db.check() if one.kind == "damaged_uploads"]
    assert problem.detail == f"{name} is not what was taken in"
