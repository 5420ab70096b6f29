"""Projections and the values of their points on the wire: arrays always, for nothing is left
without them.
"""

from __future__ import annotations

from typing import Any

from latentdb.projection import PointValues, Projection2D
from latentdb.wire.arrays import array_to_wire
from latentdb.wire.fields import Fields
from latentdb.wire.form import Form, Include


def _projection(projection: Projection2D, _include: Include) -> dict[str, Any]:
    return {
        **projection.to_json(),
        "ids": array_to_wire(projection.ids),
        "xy": array_to_wire(projection.xy),
    }


def _projection_of(data: Fields) -> Projection2D:
    n = data.integer("points")
    explained = data.whole().get("explained")
    return Projection2D(
        space=data.text("space"),
        method=data.choice("method", ("pca", "umap")),
        ids=data.array("ids", "int64", (n,)),
        xy=data.array("xy", "float32", (n, 2)),
        explained=None if explained is None else (float(explained[0]), float(explained[1])),
        params=data.mapping("params"),
        fingerprint=data.text("fingerprint"),
        count=data.integer("count"),
        n_missing=data.integer("missing"),
        created_at=data.text("created_at"),
    )


def _values(values: PointValues, _include: Include) -> dict[str, Any]:
    return {
        **values.to_json(),
        "ids": array_to_wire(values.ids),
        "values": array_to_wire(values.values),
    }


def _values_of(data: Fields) -> PointValues:
    n = data.integer("points")
    return PointValues(
        space=data.text("space"),
        by=data.text("by"),
        kind=data.choice("kind", ("number", "boolean", "category")),
        ids=data.array("ids", "int64", (n,)),
        values=data.array("values", "float32", (n,)),
        categories=data.texts("categories"),
        unit=data.text("unit"),
    )


FORMS = (
    Form(Projection2D, _projection, _projection_of),
    Form(PointValues, _values, _values_of),
)
