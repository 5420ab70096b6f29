"""Curves, centroids, edits and imagined pictures cross the wire whole, to the bit."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from latentdb.database import LatentDB
from latentdb.edit import Edited, Pair
from latentdb.edit.sheet import edited_sheet
from latentdb.errors import WireError
from latentdb.imagine import Imagined
from latentdb.imagine.sheet import imagined_sheet
from latentdb.paths import Centroid, Interpolation
from latentdb.paths.sheets import centroid_sheet, interpolation_sheet
from latentdb.space import Space
from latentdb.wire import Include, decode, encode

WHOLE = Include(pictures=True, vectors=True)
Two = tuple[int, int]
Make = Callable[[LatentDB, Two], Any]

RESULTS: dict[str, Make] = {
    "curve": lambda db, two: db.interpolate(*two, steps=4),
    "curve of an encoder": lambda db, two: db.interpolate(*two, space="clip", steps=3),
    "curve of two points": lambda db, two: db.interpolate(*two, steps=2),
    "centroid of ids": lambda db, two: db.centroid(two, k=3),
    "centroid of a filter": lambda db, _: db.centroid(where="hat", method="lol", k=3),
    "centroid of an encoder": lambda db, two: db.centroid(two, space="clip", k=2),
    "edit": lambda db, two: db.edit(two[0], {"hat": 2.0}, strengths=(-1.0, 0.5), keep=["beard"]),
    "edit by a pair": lambda db, two: db.edit(two[0], pair=Pair(*two, method="difference")),
    "edit of a picture": lambda db, two: db.edit(None, {"hat": 1.0}, image=db.picture(two[0])),
    "imagined": lambda db, _: db.imagine(text="a hat", n=2, temperature=0.5),
    "imagined of an item": lambda db, two: db.imagine(id=two[0], n=1, prior="none"),
}


def served(value: Any) -> Any:
    """What a client has of it: the same, but that spaces have another spec."""
    if isinstance(value, Space):
        return replace(value, spec="served:")
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: served(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {key: served(one) for key, one in value.items()}
    return [served(one) for one in value] if isinstance(value, list | tuple) else value


def assert_same(left: Any, right: Any) -> None:
    """Equal to the bit, arrays and pictures too."""
    if isinstance(left, dict):
        assert left.keys() == right.keys()
        for key, value in left.items():
            assert_same(value, right[key])
    elif isinstance(left, list):
        assert len(left) == len(right)
        for one, other in zip(left, right, strict=True):
            assert_same(one, other)
    elif isinstance(left, np.ndarray):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)
    elif isinstance(left, Image.Image):
        assert (left.mode, left.size, left.tobytes()) == (right.mode, right.size, right.tobytes())
    else:
        assert left == right


def sent(result: object, include: Include = WHOLE) -> Any:
    return json.loads(json.dumps(encode(result, include=include), allow_nan=False))


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_is_the_same_on_the_other_side(drawing: LatentDB, two: Two, name: str) -> None:
    result = RESULTS[name](drawing, two)
    came = decode(type(result), sent(result))
    assert_same(served(result), served(came))
    assert came.to_json() == result.to_json()


@pytest.mark.parametrize("name", ["curve", "centroid of ids", "edit", "imagined"])
def test_a_result_without_its_vectors_says_what_is_missing(
    drawing: LatentDB, two: Two, name: str
) -> None:
    result = RESULTS[name](drawing, two)
    with pytest.raises(WireError, match=r"came without '(vector|member_distances|start|mean)"):
        decode(type(result), sent(result, Include(pictures=True, vectors=False)))


def test_pictures_are_left_out_where_they_are_not_asked_for(drawing: LatentDB, two: Two) -> None:
    result = RESULTS["edit"](drawing, two)
    there = json.dumps(sent(result, Include(pictures=False)))
    assert '"png"' not in there
    assert len(there) < 4000


def test_sheets_are_drawn_from_what_came(drawing: LatentDB, two: Two) -> None:
    sheets: dict[str, Callable[[Any], Image.Image]] = {
        "edit": edited_sheet,
        "imagined": imagined_sheet,
        "curve": lambda path: interpolation_sheet(drawing, path),
        "centroid of ids": lambda found: centroid_sheet(drawing, found),
    }
    for name, draw in sheets.items():
        result = RESULTS[name](drawing, two)
        came = decode(type(result), sent(result))
        assert draw(came).tobytes() == draw(result).tobytes()


def test_every_id_comes_with_the_address_of_its_picture(drawing: LatentDB, two: Two) -> None:
    curve = sent(RESULTS["curve"](drawing, two))
    middle = sent(RESULTS["centroid of ids"](drawing, two))
    edit = sent(RESULTS["edit"](drawing, two))
    imagined = sent(RESULTS["imagined"](drawing, two))
    objects = [
        *(point["nearest"] for point in curve["points"]),
        *middle["hits"],
        *(one["nearest"] for one in imagined["pictures"]),
        edit,
    ]
    assert all(one["image"] == f"/v1/items/{one['id']}/image" for one in objects)
    assert curve["start_image"] == f"/v1/items/{two[0]}/image"
    assert middle["member_images"] == [f"/v1/items/{one}/image" for one in middle["members"]]


CUT: list[tuple[type, str, Any, str]] = [
    (Interpolation, "method", "walk", "method is one of nao"),
    (Interpolation, "spaces", {}, "spaces came without 'noise'"),
    (Centroid, "members", ["7"], "a list of ids"),
    (Edited, "round_trip", {"png": "AAAA"}, "cannot be read"),
    (Edited, "edit", [], "edit is an object"),
    (Imagined, "residual", {"rank": 1}, "residual cannot be read"),
    (Imagined, "maps", [{}], "came without 'method'"),
]
NAMES: dict[type, str] = {
    Interpolation: "curve",
    Centroid: "centroid of ids",
    Edited: "edit",
    Imagined: "imagined",
}


@pytest.mark.parametrize(("kind", "field", "value", "message"), CUT)
def test_a_result_of_another_version_is_refused(
    drawing: LatentDB, two: Two, kind: type, field: str, value: Any, message: str
) -> None:
    there = sent(RESULTS[NAMES[kind]](drawing, two))
    with pytest.raises(WireError, match=message):
        decode(kind, {**there, field: value})
