"""The OpenAPI document says what the server does: every example is asked, every answer checked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator

from api.http.app import create_app
from api.http.document import ANSWERS, operations
from api.http.examples import EXAMPLES, JOB, Example, recorded
from api.http.reference import PAGE, document, page
from api.http.reference_page import html_page
from api.settings import ServerSettings
from latentdb.database import LatentDB
from latentdb.wire.arrays import array_to_wire

JSON, PROBLEM = "application/json", "application/problem+json"


@pytest.fixture(scope="module")
def client(own_drawing: LatentDB) -> Iterator[TestClient]:
    app = create_app(own_drawing, settings=ServerSettings(runs_jobs=False))
    with TestClient(app, base_url="http://localhost") as opened:
        yield opened


@pytest.fixture(scope="module")
def told(client: TestClient) -> dict[str, Any]:
    """The document as it is served."""
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def refuse(told: Mapping[str, Any], schema: Mapping[str, Any], value: object) -> list[str]:
    """What is wrong with a value, fields that the schema does not name included."""
    closed = close(told["components"]["schemas"])
    whole = {**close(schema), "components": {"schemas": closed}}
    return [error.message[:200] for error in Draft202012Validator(whole).iter_errors(value)]


def close(schema: Any) -> Any:
    """The schema with its objects closed, so that an undocumented field is found."""
    if isinstance(schema, list):
        return [close(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: close(one) for name, one in schema.items() if name not in ("examples",)}
    if isinstance(closed.get("properties"), dict) and closed.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed


def answer_schema(told: Mapping[str, Any], operation: str, status: int, media: str) -> Any:
    method, _, path = operation.partition(" ")
    response = told["paths"][path][method.lower()]["responses"][str(status)]
    return response["content"][media]["schema"]


def fitted(example: Example, db: LatentDB, job: str) -> dict[str, Any]:
    """The request of an example as the tiny spaces take it: their names, and their dimension."""
    request: dict[str, Any] = json.loads(json.dumps(example.request(job=job)).replace("faces-", ""))
    if example.operation == "POST /v1/decode":
        zeros = np.zeros((1, db.spaces()["noise"].dim), np.float32)
        request["json"] = {**request["json"], "vectors": array_to_wire(zeros)}
    return request


# In one test, since examples follow one another: a job is begun, looked at, ended.
def test_every_example_is_answered_as_the_document_says(
    client: TestClient, told: dict[str, Any], own_drawing: LatentDB
) -> None:
    job = JOB
    for example in EXAMPLES:
        response = client.request(**fitted(example, own_drawing, job))
        assert response.is_success, (example.operation, example.name, response.text)
        schema = answer_schema(told, example.operation, response.status_code, JSON)
        assert refuse(told, schema, response.json()) == [], (example.operation, example.name)
        if job == JOB and response.status_code == 202:
            job = response.json()["id"]


def test_every_recorded_example_is_as_the_document_says(told: dict[str, Any]) -> None:
    for operation, examples in recorded().items():
        for one in examples:
            status = next(iter(good_statuses(told, operation)))
            schema = answer_schema(told, operation, status, JSON)
            assert refuse(told, schema, one["answer"]) == [], (operation, one["name"])


def good_statuses(told: Mapping[str, Any], operation: str) -> list[int]:
    method, _, path = operation.partition(" ")
    responses = told["paths"][path][method.lower()]["responses"]
    return [int(status) for status in responses if status < "3"]


def test_the_recorded_examples_are_those_that_are_asked() -> None:
    asked = [(one.operation, one.to_json()) for one in EXAMPLES]
    shown = [
        (operation, {name: value for name, value in one.items() if name != "answer"})
        for operation, examples in recorded().items()
        for one in examples
    ]
    assert sorted(map(str, asked)) == sorted(map(str, shown))


def test_bodies_of_examples_are_as_the_document_says(told: dict[str, Any]) -> None:
    for name, operation in operations(told):
        content = operation.get("requestBody", {}).get("content", {}).get(JSON, {})
        for one in content.get("examples", {}).values():
            if isinstance(one, dict):
                assert refuse(told, content["schema"], one["value"]) == [], name


@pytest.mark.parametrize(
    ("operation", "body", "status"),
    [
        ("POST /v1/edit", {"id": 1, "directions": {"hat": 1}}, 404),
        ("POST /v1/edit", {}, 422),
        ("POST /v1/interpolate", {"start": 1, "end": 2}, 404),
        ("POST /v1/centroid", {"where": "nope"}, 422),
        ("POST /v1/imagine", {"text": "a", "from": "nope"}, 404),
        ("POST /v1/rank", {"direction": "nope"}, 404),
        ("POST /v1/decode", {"vectors": [[1.0]]}, 422),
    ],
)
def test_refusals_are_problems_as_the_document_says(
    client: TestClient, told: dict[str, Any], operation: str, body: dict[str, Any], status: int
) -> None:
    method, _, path = operation.partition(" ")
    response = client.request(method, path, json=body)
    assert response.status_code == status, response.text
    schema = answer_schema(told, operation, status, PROBLEM)
    assert refuse(told, schema, response.json()) == []


def test_every_operation_has_an_answer_that_is_described(told: dict[str, Any]) -> None:
    found = dict(operations(told))
    assert set(ANSWERS) <= set(found)
    for name, operation in found.items():
        content = next(
            one.get("content", {}) for status, one in operation["responses"].items() if status < "3"
        )
        assert content.get(JSON, {"schema": "another medium"})["schema"] != {}, name
        assert operation["tags"][0] in {tag["name"] for tag in told["tags"]}, name
        assert operation["summary"], name
        assert (operation["x-scope"] is None) == ("security" not in operation), name


def test_every_question_has_an_example(told: dict[str, Any]) -> None:
    asked = {one.operation for one in EXAMPLES}
    bodies = {
        name
        for name, operation in operations(told)
        if JSON in operation.get("requestBody", {}).get("content", {})
    }
    assert bodies - asked <= {"POST /v1/session", "POST /v1/shared-spaces"}


def test_every_reference_in_the_document_leads_somewhere(told: dict[str, Any]) -> None:
    schemas = told["components"]["schemas"]
    named = {
        part.partition('"')[0]
        for part in json.dumps(told).split('"$ref": "#/components/schemas/')[1:]
    }
    assert named <= set(schemas)
    assert "$defs" not in json.dumps(told)


def test_the_page_in_docs_is_that_of_this_document() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(document()), "python -m api.http.reference"


class Links(HTMLParser):
    """Addresses and ids of a page, and the names of its elements."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        for name, value in attrs:
            if name in ("href", "src"):
                self.addresses.append(value or "")
            if name == "id":
                self.ids.append(value or "")


def test_the_page_of_the_document_has_no_script_and_leads_nowhere_else(
    client: TestClient,
) -> None:
    response = client.get("/docs")
    assert response.status_code == 200
    found = Links()
    found.feed(response.text)
    assert not found.names & {"script", "style", "iframe", "img"}
    assert all(one.startswith(("/", "#")) for one in found.addresses)
    assert {one[1:] for one in found.addresses if one.startswith("#")} == set(found.ids)
    assert client.get("/web/docs.css").status_code == 200


def test_text_of_the_document_is_escaped_on_the_page() -> None:
    told = document()
    told["info"]["description"] = "<script>alert(1)</script> **bold** `a<b`"
    shown = html_page(told)
    assert "<script>" not in shown
    assert "<strong>bold</strong> <code>a&lt;b</code>" in shown
