"""Routes answer what the library does, whole, and no more than was asked for."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from api.http.app import create_app
from api.settings import ServerSettings
from latentdb.database import LatentDB
from latentdb.edit import Edited
from latentdb.imagine import Imagined
from latentdb.paths import Centroid, Interpolation
from latentdb.types import Answer
from latentdb.wire import decode
from latentdb.wire.arrays import array_to_wire
from latentdb.wire.fields import Fields

WHOLE = {"pictures": True, "vectors": True}


@pytest.fixture(scope="module")
def client(own_drawing: LatentDB) -> Iterator[TestClient]:
    app = create_app(own_drawing, settings=ServerSettings(runs_jobs=False))
    with TestClient(app, base_url="http://localhost") as opened:
        yield opened


def ask(client: TestClient, path: str, **body: Any) -> dict[str, Any]:
    response = client.post(path, json=body)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def png(picture: Any) -> bytes:
    return bytes(picture.tobytes())


def test_rank_answers_as_the_library_does(client: TestClient, own_drawing: LatentDB) -> None:
    asked = {"direction": "hat", "space": "clip", "k": 3, "where": "beard", "descending": False}
    found = decode(Answer, ask(client, "/v1/rank", **asked))
    expected = own_drawing.rank("hat", space="clip", k=3, where="beard", descending=False)
    assert found == expected


def test_rank_by_energy_answers_as_the_library_does(
    client: TestClient, own_drawing: LatentDB
) -> None:
    found = decode(Answer, ask(client, "/v1/rank", by="energy", space="clip", k=3))
    assert found == own_drawing.rank_by_energy("clip", k=3)


def test_an_edit_is_that_of_the_library(
    client: TestClient, own_drawing: LatentDB, two: tuple[int, int]
) -> None:
    asked = {"directions": {"hat": 2.0}, "strengths": [-1.0, 1.0], "keep": ["beard"]}
    found = decode(Edited, ask(client, "/v1/edit", id=str(two[0]), **asked, **WHOLE))
    expected = own_drawing.edit(two[0], {"hat": 2.0}, strengths=[-1.0, 1.0], keep=["beard"])
    assert found.to_json() == expected.to_json()
    np.testing.assert_array_equal(found.vectors, expected.vectors)
    assert list(map(png, found.pictures)) == list(map(png, expected.pictures))


def test_an_uploaded_picture_is_edited(
    client: TestClient, own_drawing: LatentDB, two: tuple[int, int]
) -> None:
    picture = own_drawing.picture(two[0])
    file = io.BytesIO()
    picture.save(file, "PNG")
    query = json.dumps({"directions": {"hat": 1.0}, **WHOLE})
    response = client.post("/v1/edit", files={"image": file.getvalue()}, data={"query": query})
    found = decode(Edited, response.json())
    assert found.item_id is None
    assert png(found.original) == png(own_drawing.edit(two[0], {"hat": 1.0}).original)


def test_a_curve_comes_with_a_picture_of_every_point(
    client: TestClient, own_drawing: LatentDB, two: tuple[int, int]
) -> None:
    body = ask(client, "/v1/interpolate", start=two[0], end=str(two[1]), steps=3, vectors=True)
    found = decode(Interpolation, body)
    drawn = [Fields(point, "point").picture("png") for point in body["points"]]
    expected = own_drawing.decode(found.points, space="noise")
    assert list(map(png, drawn)) == list(map(png, expected))


def test_a_space_that_does_not_draw_gives_no_pictures(
    client: TestClient, two: tuple[int, int]
) -> None:
    curve = ask(client, "/v1/interpolate", start=two[0], end=two[1], space="clip", steps=3)
    middle = ask(client, "/v1/centroid", ids=list(two), space="clip", k=1)
    assert all("png" not in point for point in curve["points"])
    assert "png" not in middle


def test_a_long_curve_comes_without_pictures(client: TestClient, two: tuple[int, int]) -> None:
    body = ask(client, "/v1/interpolate", start=two[0], end=two[1], steps=200, pictures=False)
    assert len(body["points"]) == 200


def test_a_centroid_is_that_of_the_library(
    client: TestClient, own_drawing: LatentDB, two: tuple[int, int]
) -> None:
    body = ask(client, "/v1/centroid", ids=[str(one) for one in two], k=2, vectors=True)
    found, expected = decode(Centroid, body), own_drawing.centroid(two, k=2)
    assert found.to_json() == expected.to_json()
    assert png(Fields(body, "centroid").picture("png")) == png(
        own_drawing.decode(expected.vector[None])[0]
    )


def test_imagined_pictures_are_those_of_the_library(
    client: TestClient, own_drawing: LatentDB
) -> None:
    body = ask(client, "/v1/imagine", text="a hat", n=2, seed=3, **WHOLE)
    found, expected = decode(Imagined, body), own_drawing.imagine(text="a hat", n=2, seed=3)
    assert found.to_json() == expected.to_json()
    assert list(map(png, found.pictures)) == list(map(png, expected.pictures))


@pytest.mark.parametrize("is_exact", [True, False])
def test_vectors_are_decoded_however_they_are_sent(
    client: TestClient, own_drawing: LatentDB, two: tuple[int, int], *, is_exact: bool
) -> None:
    vectors = own_drawing.store.vectors("noise", list(two))
    sent = array_to_wire(vectors) if is_exact else vectors.tolist()
    made = Fields(ask(client, "/v1/decode", vectors=sent), "answer").each("pictures")
    expected = own_drawing.decode(vectors)
    assert [png(one.picture("png")) for one in made] == list(map(png, expected))


def test_pictures_and_vectors_are_left_out_where_they_are_not_asked_for(
    client: TestClient, two: tuple[int, int]
) -> None:
    questions: dict[str, dict[str, Any]] = {
        "/v1/edit": {"id": two[0], "directions": {"hat": 1}},
        "/v1/interpolate": {"start": two[0], "end": two[1]},
        "/v1/centroid": {"ids": list(two)},
        "/v1/imagine": {"text": "a", "n": 1},
    }
    for path, question in questions.items():
        told = json.dumps(ask(client, path, **question, pictures=False))
        assert '"png"' not in told
        assert '"base64"' not in told


def test_the_database_says_what_may_be_asked(client: TestClient, own_drawing: LatentDB) -> None:
    told = client.get("/v1/database").json()
    assert told["items"] == len(own_drawing)
    assert told["spaces"] == list(own_drawing.spaces())
    assert told["labels"]["hat"] == "bool"
    assert told["scope"] == "admin"
    assert own_drawing.uri not in json.dumps(told)


def test_a_space_is_told_by_its_name(client: TestClient) -> None:
    listed = {one["name"]: one for one in client.get("/v1/spaces").json()}
    assert client.get("/v1/spaces/noise").json() == listed["noise"]
    assert client.get("/v1/spaces/nope").status_code == 404


def test_more_drawing_than_may_wait_is_put_off(own_drawing: LatentDB) -> None:
    settings = ServerSettings(runs_jobs=False, heavy=1, heavy_waiting=0)
    app = create_app(own_drawing, settings=settings)
    app.state.server.work._inside["heavy"] = 1
    with TestClient(app, base_url="http://localhost") as client:
        response = client.post("/v1/imagine", json={"text": "a"})
    assert response.status_code == 503
    assert response.headers["retry-after"] == "5"
