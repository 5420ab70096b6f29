"""The server, asked as clients ask it."""

from __future__ import annotations

import importlib
import io
import json
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

import indexers
import latentdb
from api.http.app import create_app
from api.http.models.fields import MAX_K
from api.http.problems import STATUS, status_of
from api.settings import ServerSettings
from latentdb.database import LatentDB
from latentdb.errors import LatentDBError, ModelError
from latentdb.loopback import is_loopback

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def client(db: LatentDB) -> Iterator[TestClient]:
    with TestClient(create_app(db), base_url="http://localhost") as opened:
        yield opened


def search(client: TestClient, **question: Any) -> dict[str, Any]:
    response = client.post("/v1/search", json=question)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def test_it_is_up(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


def test_search_answers_as_the_library_does(client: TestClient, db: LatentDB) -> None:
    found = search(client, text="a hat", k=4, where="hat", directions={"hat": 1.5})
    for hit in found["hits"]:
        assert hit.pop("image") == f"/v1/items/{hit['id']}/image"
    asked = db.search(text="a hat", k=4, where="hat", directions={"hat": 1.5})
    assert found == asked.to_json()


def test_an_id_may_be_a_string_because_it_has_63_bits(client: TestClient, db: LatentDB) -> None:
    item = int(db.store.item_ids()[-1])
    assert item > 2**53
    assert search(client, id=str(item), k=3) == search(client, id=item, k=3)


def test_several_parts_are_asked_as_in_the_library(client: TestClient, db: LatentDB) -> None:
    like, unlike = (int(item) for item in db.store.item_ids()[:2])
    found = search(
        client,
        text="a hat",
        like={str(like): 2},
        unlike={str(unlike): 0.5},
        weights={"text": 0.5},
        diverse=0.7,
        explain=True,
        k=3,
    )
    for hit in found["hits"]:
        del hit["image"]
    asked = db.search(
        text="a hat",
        like={like: 2.0},
        unlike={unlike: 0.5},
        weights={"text": 0.5},
        diverse=0.7,
        explain=True,
        k=3,
    )
    assert found == asked.to_json()


def test_a_vector_is_of_the_space_it_is_from(client: TestClient, db: LatentDB) -> None:
    item = int(db.store.item_ids()[0])
    vector = db.store.vectors("dino", [item])[0].tolist()
    assert search(client, vector=vector, **{"from": "dino"}, k=1)["hits"][0]["id"] == item


def test_an_uploaded_picture_finds_itself(client: TestClient, faces: Path) -> None:
    picture = faces / "face_00007.png"
    response = client.post(
        "/v1/search",
        files={"image": picture.read_bytes()},
        data={"query": json.dumps({"space": "dino", "k": 1})},
    )
    assert response.status_code == 200
    hit = response.json()["hits"][0]
    assert (Path(hit["source"]).name, hit["distance"]) == (picture.name, 0.0)


@pytest.mark.parametrize(
    ("size", "kind", "side"), [(64, "PNG", 64), (1024, "PNG", 64), (16, "PNG", 64)]
)
def test_a_stored_picture_is_served(
    client: TestClient, db: LatentDB, size: int, kind: str, side: int
) -> None:
    item = int(db.store.item_ids()[0])
    response = client.get(f"/v1/items/{item}/image", params={"size": size})
    assert response.headers["content-type"] == f"image/{kind.lower()}"
    assert "immutable" in response.headers["cache-control"]
    with Image.open(io.BytesIO(response.content)) as picture:
        assert (picture.format, max(picture.size)) == (kind, side)


def test_listings_say_what_is_there(client: TestClient) -> None:
    spaces = {space["name"]: space["vectors"] for space in client.get("/v1/spaces").json()}
    assert spaces == {"clip": 60, "dino": 60}
    listed = client.get("/v1/items", params={"where": "hat", "limit": 3}).json()
    assert listed["labels"]["hat"] == "bool"
    assert [item["labels"]["hat"] for item in listed["items"]] == [True] * 3
    assert client.get("/v1/maps").json()[0]["target"]["name"] == "dino"
    assert "hat" in [found["name"] for found in client.get("/v1/directions").json()]


def test_no_path_of_a_model_is_told(client: TestClient, specs: list[str]) -> None:
    folders = [spec.partition(":")[2] for spec in specs]
    told = client.get("/v1/spaces").text
    assert [folder for folder in folders if folder in told] == []


@pytest.mark.parametrize(
    ("question", "status", "code"),
    [
        ({}, 422, "query"),
        ({"text": "a", "weights": {"id": 2}}, 422, "query"),
        ({"unlike": {"1": 1}}, 422, "query"),
        ({"text": "a", "like": {"1": 1}}, 404, "unknown-item"),
        ({"text": "a", "like": {"one": 1}}, 422, "invalid-request"),
        ({"text": "a", "diverse": 1.5}, 422, "invalid-request"),
        ({"id": 1}, 404, "unknown-item"),
        ({"text": "a", "space": "nope"}, 404, "unknown-space"),
        ({"text": "a", "where": "nope"}, 422, "filter"),
        ({"text": "a", "where": "id = (select 1)"}, 422, "filter"),
        ({"text": "a", "directions": {"nope": 1}}, 404, "unknown-direction"),
        ({"vector": [1.0, 2.0], "space": "dino"}, 422, "dimension"),
        ({"text": "a", "metric": "cosine", "prior": "chi"}, 422, "metric"),
        ({"text": "a", "k": MAX_K + 1}, 422, "invalid-request"),
        ({"text": "a", "k": 0}, 422, "invalid-request"),
        ({"text": "a", "nope": 1}, 422, "invalid-request"),
        ({"id": 2**63}, 422, "invalid-request"),
        ({"text": "a" * 3000}, 422, "invalid-request"),
    ],
)
def test_errors_come_as_problems(
    client: TestClient, question: dict[str, Any], status: int, code: str
) -> None:
    response = client.post("/v1/search", json=question)
    body = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, body["status"]) == (status, status)
    assert body["type"] == f"urn:latentdb:problem:{code}"
    assert body["detail"]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 422),
        ({"content": b"a hat", "headers": {"content-type": "text/plain"}}, 415),
        ({"files": {"image": b"no picture"}}, 422),
        ({"files": {"image": b""}}, 422),
        ({"files": {"other": b"x"}}, 422),
        ({"content": b"", "headers": {"content-type": "multipart/form-data"}}, 400),
    ],
)
def test_bodies_that_are_no_question_are_refused(
    client: TestClient, request_: dict[str, Any], status: int
) -> None:
    response = client.post("/v1/search", **request_)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("says_its_length", [True, False])
def test_a_body_over_the_limit_is_refused(db: LatentDB, *, says_its_length: bool) -> None:
    app = create_app(db, settings=ServerSettings(max_body_mib=0.001))
    body = json.dumps({"text": "a" * 1500}).encode()
    content: Any = body if says_its_length else iter([body[:700], body[700:]])
    with TestClient(app, base_url="http://localhost") as client:
        headers = {"content-type": "application/json"}
        response = client.post("/v1/search", content=content, headers=headers)
    assert (response.status_code, response.json()["title"]) == (413, "too large")


def test_a_picture_over_the_limit_is_refused(db: LatentDB) -> None:
    file = io.BytesIO()
    Image.new("RGB", (200, 200)).save(file, "PNG")
    app = create_app(db, settings=ServerSettings(max_megapixels=0.01))
    with TestClient(app, base_url="http://localhost") as client:
        response = client.post("/v1/search", files={"image": file.getvalue()})
    assert response.status_code == 422
    assert "megapixels" in response.json()["detail"]


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", ""])
def test_another_name_than_its_own_is_not_answered(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"host": host}).status_code == 400


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000"])
def test_its_own_names_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"host": host}).status_code == 200


def test_every_answer_carries_the_security_headers(client: TestClient) -> None:
    for path in ("/", "/web/js/main.js", "/nope", "/v1/spaces"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_the_page_loads_nothing_from_elsewhere_and_nothing_inline(client: TestClient) -> None:
    page = client.get("/").text
    assert "https://" not in page
    assert "style=" not in page
    assert "onclick=" not in page
    for name in ("js/main.js", "app.css", "icon.svg"):
        assert f"/web/{name}" in page
        assert client.get(f"/web/{name}").status_code == 200


@pytest.mark.parametrize("path", ["/web/../http/app.py", "/web/%2e%2e/http/app.py", "/web/nope"])
def test_no_other_file_is_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def _leaves(root: type[Exception]) -> Iterator[type[Exception]]:
    below = root.__subclasses__()
    if not below:
        yield root
    for cls in below:
        yield from _leaves(cls)


def test_every_leaf_error_has_a_status() -> None:
    for package in (latentdb, indexers):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.rpartition(".")[2] in {"errors"}:
                importlib.import_module(module.name)
    ours = [
        cls for cls in _leaves(LatentDBError) if cls.__module__.startswith(("latentdb", "inde"))
    ]
    assert len(ours) > 20
    lacking = [cls.__name__ for cls in ours if not any(base in STATUS for base in cls.__mro__)]
    assert lacking == []
    assert all(400 <= status_of(cls) < 600 for cls in STATUS)


def test_the_servers_own_trouble_tells_no_path(
    db: LatentDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ModelError("the weights in /secret/place are torn")

    monkeypatch.setattr("api.http.search_desk.run_searches", fail)
    with TestClient(create_app(db), base_url="http://localhost") as client:
        response = client.post("/v1/search", json={"text": "a"})
    assert response.status_code == 500
    assert "secret" not in response.text


def test_only_loopback_counts_as_loopback() -> None:
    assert all(is_loopback(host) for host in ("127.0.0.1", "127.0.0.9", "::1", "localhost"))
    assert not any(is_loopback(host) for host in ("0.0.0.0", "::", "10.0.0.1", "example.com", ""))


def test_every_route_is_in_the_readme_or_docs(client: TestClient) -> None:
    texts = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    told = "\n".join(path.read_text(encoding="utf-8") for path in texts)
    routes = client.get("/openapi.json").json()["paths"]
    shown = [f"{route}`" for route in routes]
    assert [route for route in shown if route not in told] == []
