"""Names that lead elsewhere, strings that would be pages, more than may come at once."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

import latentdb
from api.http.access import ANYONE, Gate
from api.http.app import create_app
from api.http.guard import Guard
from api.http.problems import RefusedError
from api.settings import ServerSettings
from latentdb.database import LatentDB

ELSEWHERE = [
    "../../../../etc/passwd",
    "..%2f..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "....//....//etc/passwd",
    "..\\..\\etc\\passwd",
    "/etc/passwd",
    "file:///etc/passwd",
    "http://127.0.0.1:1/",
    "\\\\host\\share",
    "faces.ldb/../../x",
    "a\0b",
    "~root",
    "$HOME",
    "CON",
    "a" * 300,
]


@pytest.fixture(scope="module")
def attacked(db: LatentDB, tmp_path_factory: pytest.TempPathFactory) -> LatentDB:
    """A copy of the database that these tests may change, if they can."""
    folder = tmp_path_factory.mktemp("attacked")
    shutil.copytree(db.uri, folder / "own.ldb")
    return latentdb.open(folder / "own.ldb", device="cpu")


@pytest.fixture(scope="module")
def client(attacked: LatentDB) -> Iterator[TestClient]:
    settings = ServerSettings(runs_jobs=False)
    with TestClient(create_app(attacked, settings=settings), base_url="http://localhost") as opened:
        yield opened


def tree(root: Path) -> list[str]:
    """Every file in and beside a database."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def is_refused(response: Any) -> bool:
    told = response.text
    return 400 <= response.status_code < 500 and "root:" not in told and "Traceback" not in told


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_name_that_leads_elsewhere_is_found_nowhere(
    client: TestClient, attacked: LatentDB, name: str
) -> None:
    before = tree(Path(attacked.uri).parent)
    quoted = name.replace("\0", "%00").replace("\\", "%5c").replace("?", "%3f")
    for path in (
        f"/v1/spaces/{quoted}",
        f"/v1/spaces/{quoted}/projection",
        f"/v1/spaces/{quoted}/values",
        f"/v1/items/{quoted}",
        f"/v1/items/{quoted}/image",
        f"/v1/jobs/{quoted}",
        f"/v1/jobs/{quoted}/events",
        f"/v1/reports/{quoted}/report.html",
        f"/v1/reports/x/{quoted}",
        f"/web/{quoted}",
        f"/web/js/{quoted}",
    ):
        response = client.get(path, params={"by": "norm"}, follow_redirects=False)
        assert is_refused(response) or response.status_code in (307, 308), path
        assert attacked.uri not in response.text
    assert is_refused(client.delete(f"/v1/jobs/{quoted}"))
    assert tree(Path(attacked.uri).parent) == before


@pytest.mark.parametrize("name", ELSEWHERE[:12])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/search", {"text": "a", "space": None}),
        ("/v1/search", {"text": "a", "from": None}),
        ("/v1/imagine", {"text": None, "space": None}),
        ("/v1/rank", {"direction": None}),
        ("/v1/indexes", {"space": None, "metric": "cosine"}),
        ("/v1/maps", {"source": None, "target": "dino"}),
        ("/v1/directions", {"name": None, "space": "clip", "label": "hat"}),
        ("/v1/directions", {"name": "x", "space": None, "label": "hat"}),
        ("/v1/energy", {"space": None}),
        ("/v1/projections", {"space": None, "method": "umap"}),
        ("/v1/reports", {"out": None}),
        ("/v1/edit", {"id": 1, "space": None, "directions": {"hat": 1}}),
    ],
)
def test_a_name_in_a_body_that_leads_elsewhere_is_refused(
    client: TestClient, attacked: LatentDB, name: str, path: str, body: dict[Any, Any]
) -> None:
    before = tree(Path(attacked.uri).parent)
    written = {key: name if value is None else value for key, value in body.items()}
    response = client.post(path, json=written)
    assert is_refused(response), response.text
    assert attacked.uri not in response.text
    assert tree(Path(attacked.uri).parent) == before


def png() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((16, 16), 80).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    "name", ["../../evil.png", "/tmp/evil.png", "..\\evil.png", "a\0.png", ".."]
)
def test_an_upload_is_written_below_the_uploads_whatever_its_name(
    client: TestClient, attacked: LatentDB, name: str
) -> None:
    root = Path(attacked.uri)
    before = set(tree(root.parent))
    response = client.post("/v1/items", files=[("files", (name, png(), "image/png"))])
    made = {path for path in set(tree(root.parent)) - before if not path.endswith(".lock")}
    if response.status_code != 202:
        assert is_refused(response)
        assert made == set()
        return
    places = {"/".join(Path(path).parts[:2]) for path in made}
    assert places <= {f"{root.name}/uploads", f"{root.name}/jobs"}
    (picture,) = [path for path in made if path.endswith(".png")]
    assert ".." not in Path(picture).name


XSS = '<img src=x onerror="alert(1)">'


def test_strings_that_would_be_pages_come_back_as_data(
    client: TestClient, attacked: LatentDB
) -> None:
    item = int(attacked.store.item_ids()[0])
    attacked.store.set_labels([item], {"note": [XSS]})
    for response in (
        client.get(f"/v1/items/{item}"),
        client.get("/v1/items", params={"where": f"note = '{XSS}'"}),
        client.get("/v1/items", params={"where": XSS}),
        client.get(f"/v1/spaces/{XSS}"),
        client.get(f"/{XSS}"),
        client.post("/v1/search", json={"text": "a", "space": XSS}),
        client.post("/v1/search", json={XSS: 1}),
        client.post("/v1/items", files=[("files", (f"{XSS}.png", b"<script>", "text/html"))]),
    ):
        assert response.headers["content-type"].split(";")[0] in (
            "application/json",
            "application/problem+json",
        )
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in response.headers["content-security-policy"]


def test_a_picture_is_answered_as_a_picture_and_nothing_else(
    client: TestClient, attacked: LatentDB
) -> None:
    item = int(attacked.store.item_ids()[0])
    response = client.get(f"/v1/items/{item}/image", headers={"accept": "text/html"})
    assert response.headers["content-type"] == "image/png"
    assert response.headers["x-content-type-options"] == "nosniff"


NESTED = "[" * 100_000


@pytest.mark.parametrize(
    "body",
    [
        NESTED,
        '{"text":' + NESTED,
        '{"text": "a", "k": 1e400}',
        '{"text": "a", "k": NaN}',
        '{"text": "a", "max_distance": Infinity}',
        '{"vector": [' + "1," * 70_000 + "1]}",
        '{"like": {' + ",".join(f'"{at}": 1' for at in range(5000)) + "}}",
        '{"text": "\\ud800"}',
        '{"text": "a", "text": "b", "k": -1}',
        '{"id": 9' + "9" * 5000 + "}",
        '{"__proto__": {"a": 1}}',
        "null",
        '"a"',
        "",
        "\ufeff{}",
    ],
)
def test_json_that_is_no_question_is_refused(client: TestClient, body: str) -> None:
    response = client.post(
        "/v1/search", content=body.encode(), headers={"content-type": "application/json"}
    )
    assert is_refused(response), response.text[:200]
    assert len(response.text) < 4000


@pytest.mark.parametrize("count", [65, 200])
def test_more_pictures_than_may_come_at_once_are_refused(client: TestClient, count: int) -> None:
    files = [("files", (f"{at}.png", b"x", "image/png")) for at in range(count)]
    assert is_refused(client.post("/v1/items", files=files))


def test_a_form_of_many_parts_is_refused(client: TestClient) -> None:
    parts = [("labels", (None, "{}"))] * 2000
    assert is_refused(client.post("/v1/items", files=parts))


def test_streams_are_bounded_for_each_client(attacked: LatentDB) -> None:
    settings = ServerSettings(runs_jobs=False, max_streams=8)
    guard = Guard(create_app(attacked, settings=settings), settings, Gate(settings))
    scope = {"path": "/v1/jobs/x/events"}
    guard._streams["anyone"] = 2
    with pytest.raises(RefusedError, match="too many streams open"):
        guard._stream_of(scope, ANYONE)
    guard._streams.update({"a": 2, "b": 2, "c": 2})
    with pytest.raises(RefusedError, match="too many streams are open"):
        guard._stream_of(scope, ANYONE)
    assert guard._stream_of({"path": "/v1/jobs/x"}, ANYONE) == ""
