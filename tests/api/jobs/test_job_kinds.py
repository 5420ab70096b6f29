"""Every kind of job: refused at once where it cannot be, and done as the library does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.jobs.kinds import KINDS
from latentdb.database import LatentDB

Done = Callable[..., dict[str, Any]]


def test_an_index_is_built(done: Done, client: TestClient) -> None:
    job = done("/v1/indexes", space="dino", metric="nao", prior="fitted", kind="sq8")
    assert (job["state"], job["kind"]) == ("done", "index")
    listed = client.get("/v1/indexes").json()
    assert {**job["result"], "newer_rows": 0} in listed
    assert (job["result"]["kind"], job["result"]["prior"]) == ("sq8", "fitted")


def test_a_map_is_fitted(done: Done, client: TestClient, jobs_db: LatentDB) -> None:
    job = done("/v1/maps", source="dino", target="clip", force=True)
    assert job["state"] == "done"
    assert job["result"] == jobs_db.map("dino", "clip").to_json()
    pairs = [
        (one["source"]["name"], one["target"]["name"]) for one in client.get("/v1/maps").json()
    ]
    assert ("dino", "clip") in pairs


def test_what_only_shows_on_the_way_fails_the_job_with_the_librarys_words(
    done: Done, client: TestClient, jobs_db: LatentDB
) -> None:
    for item_id, value in zip(jobs_db.store.item_ids()[:2], (True, False), strict=True):
        client.put(f"/v1/items/{item_id}/labels", json={"rare": value})
    job = done("/v1/directions", name="rare", space="clip", label="rare")
    assert (job["state"], job["result"]) == ("failed", None)
    assert job["error"]["code"] == "not-enough-data"
    assert "rare" in job["error"]["detail"]


def test_a_shared_space_is_added(done: Done, jobs_db: LatentDB) -> None:
    job = done("/v1/shared-spaces", members=["clip", "dino"], name="une", dim=4, force=True)
    assert job["state"] == "done", job["error"]
    assert job["result"]["name"] == "une"
    assert len(jobs_db.store.vector_ids("une")) == len(jobs_db)


def test_a_direction_is_made(done: Done, client: TestClient, jobs_db: LatentDB) -> None:
    job = done("/v1/directions", name="glasses", space="dino", label="glasses")
    assert job["result"] == jobs_db.direction("glasses", "dino").to_json()
    names = [one["name"] for one in client.get("/v1/directions").json()]
    assert "glasses" in names


def test_a_direction_may_be_made_of_liked_items_with_ids_as_text(
    done: Done, jobs_db: LatentDB
) -> None:
    like, unlike = (str(item_id) for item_id in jobs_db.store.item_ids()[:2])
    job = done("/v1/directions", name="liked", space="clip", like=[like], unlike=[unlike])
    assert job["state"] == "done", job["error"]
    assert jobs_db.has_direction("liked", "clip")


def test_energies_are_measured(done: Done, jobs_db: LatentDB) -> None:
    job = done("/v1/energy", space="clip", tolerance=0.01)
    assert job["state"] == "done", job["error"]
    assert job["result"]["mean"] == jobs_db.energy("clip").mean
    assert job["progress"]["done"] == job["progress"]["total"] == len(jobs_db)


def test_a_projection_is_made(done: Done, jobs_db: LatentDB) -> None:
    job = done("/v1/projections", space="clip", method="pca")
    assert job["state"] == "done", job["error"]
    assert job["result"]["points"] == len(jobs_db)


def test_a_report_is_written_and_read(done: Done, client: TestClient) -> None:
    job = done("/v1/reports", quick=True, sections=["norm_law", "spectrum"], limit=50)
    assert job["state"] == "done", job["error"]
    assert job["result"]["files"] == ["report.html", "report.json"]
    [listed] = client.get("/v1/reports").json()
    assert listed["id"] == job["id"] == job["result"]["id"]
    page = client.get(listed["files"]["report.html"])
    assert page.headers["content-type"].startswith("text/html")
    assert "norm" in page.text
    assert client.get(listed["files"]["report.json"]).json()["n_items"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/reports/0000000000000000/report.html",
        "/v1/reports/0000000000000000/job.json",
        "/v1/reports/../../latentdb.json",
        "/v1/reports/..%2f..%2flatentdb.json/report.html",
    ],
)
def test_no_other_file_than_a_reports_is_given_out(client: TestClient, path: str) -> None:
    assert client.get(path).status_code in (404, 422)


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/v1/indexes", {"space": "nope"}, 404, "unknown-space"),
        ("/v1/indexes", {"space": "clip", "metric": "cosine", "prior": "chi"}, 422, "metric"),
        ("/v1/indexes", {"space": "clip", "kind": "tree"}, 422, "invalid-request"),
        ("/v1/indexes", {"space": "clip", "nope": 1}, 422, "invalid-request"),
        ("/v1/indexes", {}, 422, "invalid-request"),
        ("/v1/indexes", {"space": "clip", "refresh": True, "kind": "hnsw"}, 422, "query"),
        ("/v1/compaction", {"keep_hours": -1}, 422, "invalid-request"),
        ("/v1/maps", {"source": "clip", "target": "nope"}, 404, "unknown-space"),
        ("/v1/maps", {"source": "clip", "target": "clip"}, 422, "query"),
        ("/v1/maps", {"source": "clip", "target": "dino", "seed": -1}, 422, "invalid-request"),
        ("/v1/shared-spaces", {"members": ["clip"]}, 422, "invalid-request"),
        ("/v1/shared-spaces", {"members": ["clip", "clip"]}, 422, "duplicate-id"),
        ("/v1/shared-spaces", {"members": ["clip", "dino"], "name": "clip"}, 409, "space-exists"),
        (
            "/v1/shared-spaces",
            {"members": ["clip", "dino"], "name": "../x"},
            422,
            "invalid-request",
        ),
        ("/v1/directions", {"name": "a", "space": "clip"}, 422, "query"),
        ("/v1/directions", {"name": "a", "space": "clip", "label": "nope"}, 422, "labels"),
        (
            "/v1/directions",
            {"name": "../a", "space": "clip", "label": "hat"},
            422,
            "invalid-request",
        ),
        ("/v1/directions", {"name": "a", "space": "clip", "like": [1]}, 404, "unknown-item"),
        ("/v1/directions", {"name": "a", "space": "clip", "pair": [1, 1]}, 422, "query"),
        ("/v1/directions", {"name": "a", "space": "clip", "method": "lda"}, 422, "query"),
        (
            "/v1/directions",
            {"name": "a", "space": "clip", "label": "hat", "orthogonal_to": ["nope"]},
            404,
            "unknown-direction",
        ),
        (
            "/v1/directions",
            {"name": "a", "space": "clip", "carry_from": "dino"},
            404,
            "unknown-direction",
        ),
        ("/v1/energy", {"space": "nope"}, 404, "unknown-space"),
        ("/v1/energy", {"space": "clip", "tolerance": 0}, 422, "invalid-request"),
        ("/v1/projections", {"space": "nope"}, 404, "unknown-space"),
        ("/v1/projections", {"space": "clip", "method": "tsne"}, 422, "invalid-request"),
        ("/v1/reports", {"sections": ["nope"]}, 422, "invalid-request"),
        ("/v1/reports", {"out": "/tmp"}, 422, "invalid-request"),
    ],
)
def test_what_cannot_be_is_refused_before_it_is_a_job(
    client: TestClient, path: str, body: dict[str, Any], status: int, code: str
) -> None:
    before = len(client.get("/v1/jobs").json())
    response = client.post(path, json=body)
    assert (response.status_code, response.json()["type"]) == (
        status,
        f"urn:latentdb:problem:{code}",
    ), response.text
    assert len(client.get("/v1/jobs").json()) == before


def test_every_kind_says_its_own_name() -> None:
    assert sorted(KINDS) == [
        "audit", "compact", "direction", "energy", "index", "ingest", "map", "projection",
        "report", "shared-space",
    ]  # fmt: skip
