"""A route that is called without ceremony is as closed as any other."""

from __future__ import annotations

import pytest
from fastapi import APIRouter, Depends, Request
from fastapi.testclient import TestClient

from api.http.app import create_app
from api.http.quick_route import QuickRoute
from api.http.server import ServerOf
from api.settings import ServerSettings
from latentdb.database import LatentDB


async def endpoint(request: Request, server: ServerOf) -> None:
    """Nothing."""


@pytest.mark.parametrize("depends", [[], [Depends(lambda: None)]])
def test_a_route_without_a_scope_or_with_more_than_one_cannot_be_made(
    depends: list[object],
) -> None:
    router = APIRouter(route_class=QuickRoute)
    with pytest.raises(TypeError, match="more than a scope, or on none"):
        router.add_api_route("/x", endpoint, dependencies=depends)  # type: ignore[arg-type]


def test_errors_are_told_as_on_other_routes(db: LatentDB) -> None:
    app = create_app(db, settings=ServerSettings(runs_jobs=False))
    with TestClient(app, base_url="http://localhost") as client:
        refused = client.post("/v1/search", json={"text": "a", "nope": 1})
        unknown = client.post("/v1/search", json={"text": "a", "space": "nope"})
        assert client.get("/v1/search").status_code == 405
    assert (refused.status_code, unknown.status_code) == (422, 404)
    for response in (refused, unknown):
        assert response.headers["content-type"] == "application/problem+json"
