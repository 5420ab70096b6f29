"""Curves and centroids on the wire; whole where their vectors were asked for."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np

from indexers.types import PRIOR_NAMES, FloatArray
from latentdb.geometry.centroid import CentroidMethod
from latentdb.geometry.interpolate import InterpolationMethod
from latentdb.paths import Centroid, Interpolation
from latentdb.types import Answer
from latentdb.wire.answers import decode_hit
from latentdb.wire.arrays import array_to_wire
from latentdb.wire.fields import Fields
from latentdb.wire.form import Form, Include
from latentdb.wire.items import image_address
from latentdb.wire.spaces import named_space, spaces_to_wire


def _path(path: Interpolation, include: Include) -> dict[str, Any]:
    body = path.to_json()
    for point in body["points"]:
        if point["nearest"] is not None:
            point["nearest"]["image"] = image_address(point["nearest"]["id"])
    body["start_image"], body["end_image"] = map(image_address, (path.start_id, path.end_id))
    body["spaces"] = spaces_to_wire(path.space)
    if include.vectors:
        body["vectors"] = array_to_wire(path.points)
    return body


def _path_of(data: Fields) -> Interpolation:
    space = named_space(data, data.text("space"))
    points = data.each("points")
    nearest = [one.inside("nearest") if one.has("nearest") else None for one in points]
    has_z = bool(points) and points[0].has("norm_z")
    return Interpolation(
        space=space,
        method=data.choice("method", get_args(InterpolationMethod)),
        prior=data.choice("prior", PRIOR_NAMES),
        start_id=data.integer("start"),
        end_id=data.integer("end"),
        points=data.array("vectors", "float32", (len(points), space.dim)),
        fractions=column(points, "t"),
        norms=column(points, "norm"),
        norm_z=column(points, "norm_z") if has_z else None,
        lengths=column(points, "length"),
        metric=data.text("metric"),
        exact=data.flag("exact"),
        nearest_ids=np.array(
            [-1 if one is None else one.integer("id") for one in nearest], dtype=np.int64
        ),
        nearest_distances=np.array(
            [np.inf if one is None else one.number("distance") for one in nearest]
        ),
    )


def _centroid(found: Centroid, include: Include) -> dict[str, Any]:
    body = found.to_json()
    for hit in body["hits"]:
        hit["image"] = image_address(hit["id"])
    body["member_images"] = [image_address(one) for one in found.member_ids.tolist()]
    body["query"], body["recall_at_10"] = found.nearest.query, found.nearest.recall_at_10
    body["spaces"] = spaces_to_wire(found.space)
    if include.vectors:
        body["vector"] = array_to_wire(found.vector)
        body["member_distances"] = array_to_wire(found.member_distances)
    return body


def _centroid_of(data: Fields) -> Centroid:
    space = named_space(data, data.text("space"))
    members = data.ids("members")
    nearest = Answer(
        space=space.name,
        metric=data.text("metric"),
        exact=data.flag("exact"),
        query=data.mapping("query"),
        hits=[decode_hit(one) for one in data.each("hits")],
        recall_at_10=data.number("recall_at_10"),
    )
    return Centroid(
        space=space,
        method=data.choice("method", get_args(CentroidMethod)),
        prior=data.choice("prior", PRIOR_NAMES),
        correlated=data.flag("correlated") if data.has("correlated") else None,
        where=data.text_or_none("where"),
        member_ids=members,
        member_distances=data.array("member_distances", "float64", (len(members),)),
        vector=data.array("vector", "float32", (space.dim,)),
        norm=data.number("norm"),
        norm_z=data.number_or_none("norm_z"),
        nearest=nearest,
    )


def column(rows: list[Fields], name: str) -> FloatArray:
    """A number of each row, (n,) float64."""
    return np.array([row.number(name) for row in rows], dtype=np.float64)


FORMS: tuple[Form[Any], ...] = (
    Form(Interpolation, _path, _path_of),
    Form(Centroid, _centroid, _centroid_of),
)
