"""Bodies that are no question are refused with a line that says why, whatever they are."""

from __future__ import annotations

import base64
import json
import re
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.http.app import create_app
from api.http.models.fields import MAX_ITEMS, MAX_MEMBERS, MAX_PICTURES
from api.settings import ServerSettings
from latentdb.database import LatentDB


@pytest.fixture(scope="module")
def client(drawing: LatentDB) -> Iterator[TestClient]:
    app = create_app(drawing, settings=ServerSettings(runs_jobs=False))
    with TestClient(app, base_url="http://localhost") as opened:
        yield opened


def refusal(response: Any, status: int = 422) -> str:
    """The detail of a problem."""
    assert (response.status_code, response.headers["content-type"]) == (
        status,
        "application/problem+json",
    ), response.text
    return str(response.json()["detail"])


BODIES: dict[str, tuple[bytes, str]] = {
    "a name twice": (b'{"text": "a", "text": "b"}', "a name stands twice"),
    "a name spelt in two ways": (b'{"text": "a", "te\\u0078t": "b"}', "a name stands twice"),
    "a name twice inside": (b'{"text": "a", "directions": {"h": 1, "h": 2}}', "stands twice"),
    "a name like a colon twice": (
        b'{"text": "a", "directions": {":": 1, "b": 2, ":": 2}}',
        "stands twice",
    ),
    "NaN": (b'{"text": "a", "max_distance": NaN}', "max_distance: .*finite"),
    "an integer of 5,000 digits": (b'{"k": ' + b"9" * 5000 + b"}", "Invalid JSON|less than"),
    "an integer of 350 digits": (b'{"text": "a", "max_distance": ' + b"9" * 350 + b"}", "number"),
    "infinity": (b'{"text": "a", "max_distance": 1e999}', "max_distance: .*finite"),
    "another encoding": ('{"text": "é"}'.encode("latin-1"), "Invalid JSON"),
    "a byte order mark": (b'\xef\xbb\xbf{"text": "a"}', "Invalid JSON"),
    "half a surrogate": (b'{"text": "\\ud800"}', "Invalid JSON"),
    "nested lists": (b"[" * 100_000, "recursion limit"),
    "nested objects": (b'{"a":' * 100_000, "recursion limit"),
    "nothing": (b"", "Invalid JSON"),
    "null": (b"null", "should be an object"),
    "a list": (b'[{"text": "a"}]', "should be an object"),
    "half an object": (b'{"text": "a"', "Invalid JSON"),
    "a number as text": (b'{"text": "a", "k": "5"}', "k: .*valid integer"),
    "a fraction": (b'{"id": 1.0}', "id: .*valid integer"),
    "a truth as an id": (b'{"id": true}', "id: .*valid integer"),
    "an id with a line end": (b'{"id": "1\\n"}', "id: .*valid integer"),
    "an id of 64 bits": (b'{"id": 9223372036854775808}', "id: .*less than"),
    "an id of 64 bits as text": (b'{"id": "9223372036854775808"}', "id: .*less than"),
    "an id twice": (b'{"like": ["7", 7]}', "like: an item is named more than once"),
    "an id with a nought before": (b'{"like": {"07": 1}}', "valid integer"),
    "a weight of nothing": (b'{"like": {"7": 0}}', "greater than 0"),
    "too many items": (
        json.dumps({"like": list(range(MAX_ITEMS + 1))}).encode(),
        f"at most {MAX_ITEMS}",
    ),
    "a coordinate beyond float32": (b'{"vector": [1e39]}', r"vector.0: .*less than"),
    "an unknown field": (b'{"text": "a", "path": "/etc"}', "path: Extra inputs"),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_no_question_is_refused(client: TestClient, name: str) -> None:
    body, message = BODIES[name]
    response = client.post("/v1/search", content=body, headers={"content-type": "application/json"})
    assert re.search(message, refusal(response))


def test_names_of_different_objects_may_be_the_same(client: TestClient) -> None:
    body = b'{"text": "k: \\"k\\"", "weights": {"text": 0.5}, "like": [1], "k": 1}'
    response = client.post("/v1/search", content=body, headers={"content-type": "application/json"})
    assert "not items" in refusal(response, 404)


def test_a_refusal_is_short_however_much_is_wrong(client: TestClient) -> None:
    names = {f"{at}{'x' * 1000}": at for at in range(500)}
    detail = refusal(client.post("/v1/search", json=names))
    assert len(detail) < 2000
    assert detail.endswith("and 492 more")


NOT_A_NUMBER = base64.b64encode(struct.pack("<f", float("nan")) * 256).decode()
QUESTIONS: dict[str, tuple[str, dict[str, Any], str]] = {
    "a ranking by nothing": ("rank", {}, "along a direction or by energy"),
    "a ranking by two": ("rank", {"direction": "hat", "by": "energy"}, "give one of the two"),
    "energies of no space": ("rank", {"by": "energy"}, "by energy needs a space"),
    "an edit by nothing": ("edit", {"id": 1}, "nothing is to change"),
    "an edit of nothing": ("edit", {"directions": {"hat": 1}}, "got neither"),
    "an endless strength": ("edit", {"id": 1, "directions": {"hat": 1e9}}, "less than or equal"),
    "too many strengths": (
        "edit",
        {"id": 1, "directions": {"hat": 1}, "strengths": [1] * (MAX_PICTURES + 1)},
        f"at most {MAX_PICTURES}",
    ),
    "too many points to draw": (
        "interpolate",
        {"start": 1, "end": 2, "steps": MAX_PICTURES + 1},
        "come without pictures",
    ),
    "a curve of one point": ("interpolate", {"start": 1, "end": 2, "steps": 1}, "greater than"),
    "a curve to itself": ("interpolate", {"start": 1, "end": "1"}, "name another"),
    "the middle of nothing": ("centroid", {"ids": []}, "at least 1"),
    "too many members": (
        "centroid",
        {"ids": list(range(MAX_MEMBERS + 1))},
        f"at most {MAX_MEMBERS}",
    ),
    "members named and chosen": ("centroid", {"ids": [1], "where": "hat"}, "got both"),
    "too many pictures": ("imagine", {"text": "a", "n": MAX_PICTURES + 1}, "less than or equal"),
    "a temperature below 0": ("imagine", {"text": "a", "temperature": -1}, "greater than"),
    "vectors of two lengths": ("decode", {"vectors": [[1.0], [1.0, 2.0]]}, "different lengths"),
    "vectors of another space": ("decode", {"vectors": [[1.0, 2.0]]}, "has shape"),
    "no space that draws": ("decode", {"vectors": [[1.0]], "space": "clip"}, "has no decoder"),
    "bytes of another number": (
        "decode",
        {"vectors": {"dtype": "float32", "shape": [1, 256], "base64": "AAAA"}},
        "and brings 3",
    ),
    "vectors that are not finite": (
        "decode",
        {"vectors": {"dtype": "float32", "shape": [1, 256], "base64": NOT_A_NUMBER}},
        "NaN or infinity",
    ),
    "too many vectors": (
        "decode",
        {"vectors": {"dtype": "float32", "shape": [MAX_PICTURES + 1, 256], "base64": ""}},
        f"at most {MAX_PICTURES} vectors",
    ),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_out_of_bounds_is_refused(client: TestClient, name: str) -> None:
    path, body, message = QUESTIONS[name]
    assert message in refusal(client.post(f"/v1/{path}", json=body))


PART = b'--x\r\nContent-Disposition: form-data; name="query"\r\n\r\n%s\r\n--x--\r\n'
FORMS: dict[str, tuple[str, bytes, int]] = {
    "no boundary": ("multipart/form-data", b"x", 400),
    "an empty boundary": ("multipart/form-data; boundary=", b"x", 400),
    "no form": ("multipart/form-data; boundary=x", b"x", 400),
    "no picture": ("multipart/form-data; boundary=x", PART % b"{}", 422),
    "an unknown charset": ("multipart/form-data; boundary=x; charset=foo", PART % b"{}", 422),
    "bytes that are no text": ("multipart/form-data; boundary=x", PART % b"\xff", 422),
    "a form of a page": ("application/x-www-form-urlencoded", b"query=1", 415),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("path", ["search", "edit", "imagine"])
def test_a_form_that_cannot_be_read_is_refused(client: TestClient, name: str, path: str) -> None:
    kind, body, status = FORMS[name]
    response = client.post(f"/v1/{path}", content=body, headers={"content-type": kind})
    assert refusal(response, status)


@pytest.mark.parametrize("path", ["rank", "interpolate", "centroid", "decode"])
def test_questions_without_pictures_take_json_alone(client: TestClient, path: str) -> None:
    assert refusal(client.post(f"/v1/{path}", files={"image": b"x"}), 415)


def test_a_picture_that_is_none_is_refused(client: TestClient) -> None:
    data = {"query": json.dumps({"directions": {"hat": 1}})}
    response = client.post("/v1/edit", files={"image": b"no picture"}, data=data)
    assert refusal(response)
