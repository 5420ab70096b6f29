"""Every route of the app: that it says its scope, and that it keeps to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from api.http.access import OPEN_PATHS, Needs, is_open
from api.http.keys import SCOPES
from latentdb.database import LatentDB

Headers = Callable[[str], dict[str, str]]


def api_routes(routes: Any) -> Iterator[APIRoute]:
    """Every route, those of included routers too."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif getattr(route, "original_router", None) is not None:
            yield from api_routes(route.original_router.routes)


def scope_of(route: APIRoute) -> str | None:
    """The highest scope that a route asks for."""
    calls = [one.call for one in route.dependant.dependencies]
    asked = [SCOPES.index(call.scope) for call in calls if isinstance(call, Needs)]
    return SCOPES[max(asked)] if asked else None


def requests_of(app: FastAPI) -> list[tuple[str, str, str | None]]:
    """Method, path and scope of everything that can be asked."""
    found = []
    for route in api_routes(app.routes):
        path = re.sub(r"{[^}]*(id|item)[^}]*}", "1", route.path)
        path = re.sub(r"{[^}]*}", "x", path)
        found += [(method, path, scope_of(route)) for method in sorted(route.methods)]
    return found


def test_every_route_says_its_scope(guarded_app: FastAPI) -> None:
    asked = requests_of(guarded_app)
    assert len(asked) > 10
    lacking = [(method, path) for method, path, scope in asked if scope is None]
    assert {path for _, path in lacking} <= OPEN_PATHS


def test_what_changes_something_is_not_for_readers(guarded_app: FastAPI) -> None:
    questions = {
        *("/v1/search", "/v1/rank", "/v1/edit", "/v1/interpolate"),
        *("/v1/centroid", "/v1/imagine", "/v1/decode", "/v1/session"),
    }
    for method, path, scope in requests_of(guarded_app):
        if method in {"GET", "HEAD"} or path in questions:
            assert scope in {None, "read"}, (method, path)
        else:
            assert scope in {"write", "admin"}, (method, path)


def test_only_admins_build_indexes_and_write_reports(guarded_app: FastAPI) -> None:
    scopes = {(method, path): scope for method, path, scope in requests_of(guarded_app)}
    for path in ("/v1/indexes", "/v1/reports"):
        if ("POST", path) in scopes:
            assert scopes["POST", path] == "admin"


def test_every_route_refuses_whoever_shows_no_key_or_a_wrong_one(
    guarded: TestClient, guarded_app: FastAPI, keys: dict[str, str]
) -> None:
    other = keys["admin"][:-1] + ("0" if keys["admin"][-1] != "0" else "1")
    wrongs: list[dict[str, str]] = [
        {},
        {"authorization": f"Bearer {other}"},
        {"authorization": f"Bearer ldb_{'0' * 12}_{'0' * 64}"},
        {"authorization": "Bearer "},
        {"authorization": "Basic YWRtaW46YWRtaW4="},
        {"authorization": keys["admin"]},
        {"x-api-key": keys["admin"]},
        {"cookie": f"latentdb_session={keys['admin']}"},
    ]
    for method, path, scope in requests_of(guarded_app):
        if scope is None:
            continue
        for wrong in wrongs:
            response = guarded.request(method, path, headers=wrong)
            assert response.status_code == 401, (method, path, wrong)
            assert response.headers["www-authenticate"].startswith("Bearer")
            assert response.headers["content-type"] == "application/problem+json"


def test_every_route_refuses_too_small_a_scope(
    guarded: TestClient, guarded_app: FastAPI, headers: Headers
) -> None:
    for method, path, scope in requests_of(guarded_app):
        for held in SCOPES:
            if scope is None or SCOPES.index(held) >= SCOPES.index(scope):
                continue
            response = guarded.request(method, path, headers=headers(held), json={})
            assert response.status_code == 403, (method, path, held)
            assert held in response.json()["detail"]


def test_a_key_in_the_address_is_not_looked_at(guarded: TestClient, keys: dict[str, str]) -> None:
    for name in ("key", "token", "api_key", "access_token"):
        assert guarded.get("/v1/spaces", params={name: keys["admin"]}).status_code == 401


def test_what_holds_no_data_is_open(guarded: TestClient) -> None:
    for path in ("/", "/healthz", "/web/app.css"):
        assert guarded.get(path).status_code == 200
        assert is_open(path)


@pytest.mark.parametrize(
    "path", ["/metrics", "/openapi.json", "/nope", "/v1/nope", "/docs", "/web"]
)
def test_everything_else_needs_a_key_be_it_there_or_not(guarded: TestClient, path: str) -> None:
    assert guarded.get(path, follow_redirects=False).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        *("//v1/spaces", "/web/../v1/spaces", "/web/%2e%2e/v1/spaces", "/./v1/spaces"),
        *("/v1/spaces/", "/v1/session/../spaces", "/healthz/../v1/spaces", "/v1%2fspaces"),
        *("/V1/spaces", "/%2e/"),
    ],
)
def test_no_way_of_writing_a_path_goes_round_the_gate(guarded: TestClient, path: str) -> None:
    response = guarded.get(path, follow_redirects=False)
    assert response.status_code in (401, 404)
    assert "faces" not in response.text


def test_the_document_says_how_to_show_a_key(guarded: TestClient, headers: Headers) -> None:
    document = guarded.get("/openapi.json", headers=headers("read")).json()
    schemes = document["components"]["securitySchemes"]
    assert (schemes["key"]["scheme"], schemes["session"]["in"]) == ("bearer", "cookie")
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if path in OPEN_PATHS:
                assert "security" not in operation
                continue
            assert operation["security"] == [{"key": []}, {"session": []}], (method, path)
            assert {"401", "403", "429"} <= set(operation["responses"]), (method, path)


def test_attacks_on_every_route_change_nothing(
    guarded: TestClient, guarded_app: FastAPI, headers: Headers, db: LatentDB
) -> None:
    before = db.store.item_ids().tolist()
    for method, path, scope in requests_of(guarded_app):
        if scope in ("write", "admin"):
            guarded.request(method, path, headers=headers("read"), json={})
    assert db.store.item_ids().tolist() == before
