"""A space as a map, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from api.http.app import create_app
from latentdb import wire
from latentdb.database import LatentDB
from latentdb.projection import PointValues, Projection2D


@pytest.fixture(scope="module")
def client(db: LatentDB) -> Iterator[TestClient]:
    with TestClient(create_app(db), base_url="http://localhost") as opened:
        yield opened


def get(client: TestClient, path: str, **params: Any) -> dict[str, Any]:
    response = client.get(f"/v1/spaces/{path}", params=params)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def test_points_are_those_of_the_library_to_the_bit(client: TestClient, db: LatentDB) -> None:
    body = get(client, "clip/projection", where="hat", limit=10, seed=3)
    expected = db.project("clip", where="hat", limit=10, seed=3)
    assert body == wire.encode(expected)
    found = wire.decode(Projection2D, body)
    np.testing.assert_array_equal(found.ids, expected.ids)
    np.testing.assert_array_equal(found.xy, expected.xy)
    assert (len(found.ids), found.explained) == (10, expected.explained)


@pytest.mark.parametrize("by", ["label:hat", "direction:hat", "norm", "energy"])
def test_values_are_of_the_same_points_in_their_order(
    client: TestClient, db: LatentDB, by: str
) -> None:
    some = {"where": "not hat", "limit": 7}
    points = wire.decode(Projection2D, get(client, "clip/projection", **some))
    body = get(client, "clip/values", by=by, **some)
    found = wire.decode(PointValues, body)
    assert body["ids_hash"] == points.ids_hash
    np.testing.assert_array_equal(found.ids, points.ids)
    np.testing.assert_array_equal(found.values, db.point_values("clip", by, ids=points.ids).values)


@pytest.mark.parametrize(
    ("path", "params", "status", "code"),
    [
        ("nope/projection", {}, 404, "unknown-space"),
        ("clip/projection", {"method": "umap"}, 404, "unknown-projection"),
        ("clip/projection", {"method": "tsne"}, 422, "invalid-request"),
        ("clip/projection", {"limit": 0}, 422, "invalid-request"),
        ("clip/projection", {"where": "nope"}, 422, "filter"),
        ("clip/values", {}, 422, "invalid-request"),
        ("clip/values", {"by": "label:nope"}, 422, "labels"),
        ("clip/values", {"by": "direction:nope"}, 404, "unknown-direction"),
        ("clip/values", {"by": "quality:../x"}, 422, "query"),
    ],
)
def test_what_cannot_be_is_refused(
    client: TestClient, path: str, params: dict[str, Any], status: int, code: str
) -> None:
    response = client.get(f"/v1/spaces/{path}", params=params)
    assert (response.status_code, response.json()["type"].rpartition(":")[2]) == (status, code)
