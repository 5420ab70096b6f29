"""Edits and imagined pictures on the wire; whole with their pictures and vectors."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np

from indexers.types import PRIOR_NAMES
from latentdb.edit.edited import Edited, Projection
from latentdb.edit.step import NormRule, Pair, StepFacts
from latentdb.imagine.imagined import Imagined
from latentdb.imagine.law import LawFacts
from latentdb.stitch.chain import ChainFacts
from latentdb.wire.arrays import array_to_wire
from latentdb.wire.between import column
from latentdb.wire.fields import Fields
from latentdb.wire.form import Form, Include
from latentdb.wire.items import image_address
from latentdb.wire.learned import map_of, read
from latentdb.wire.pictures import picture_to_wire
from latentdb.wire.spaces import named_space, spaces_to_wire


def _edited(found: Edited, include: Include) -> dict[str, Any]:
    body = found.to_json()
    if found.item_id is not None:
        body["image"] = image_address(found.item_id)
    body["spaces"] = spaces_to_wire(found.space)
    if include.pictures:
        body["original"] = {"png": picture_to_wire(found.original)}
        body["round_trip"] = {"png": picture_to_wire(found.round_trip)}
        for one, picture in zip(body["pictures"], found.pictures, strict=True):
            one["png"] = picture_to_wire(picture)
    if include.vectors:
        body["start"] = array_to_wire(found.start)
        body["vectors"] = array_to_wire(found.vectors)
    return body


def _edited_of(data: Fields) -> Edited:
    step = _step_of(data)
    made = data.each("pictures")
    before = data.inside("projections")
    return Edited(
        step=step,
        times=column(made, "times"),
        item_id=data.integer("id") if data.has("id") else None,
        start=data.array("start", "float32", (step.space.dim,)),
        vectors=data.array("vectors", "float32", (len(made), step.space.dim)),
        norms=np.array([data.number("norm"), *column(made, "norm")]),
        norm_z=np.array([data.number("norm_z"), *column(made, "norm_z")]),
        projections={
            name: Projection(
                before.number(name), column([one.inside("projections") for one in made], name)
            )
            for name in data.mapping("projections")
        },
        original=data.inside("original").picture("png"),
        round_trip=data.inside("round_trip").picture("png"),
        round_trip_psnr=data.number("round_trip_psnr"),
        pictures=tuple(one.picture("png") for one in made),
    )


def _step_of(data: Fields) -> StepFacts:
    edit = data.inside("edit")
    strengths = edit.inside("directions")
    return StepFacts(
        space=named_space(data, edit.text("space")),
        strengths={name: strengths.number(name) for name in edit.mapping("directions")},
        pair=_pair_of(edit.inside("pair")) if edit.has("pair") else None,
        keep=edit.texts("keep"),
        remaining=edit.number("remaining"),
        norm=edit.choice("norm", get_args(NormRule)),
        digest=edit.text("digest"),
    )


def _pair_of(data: Fields) -> Pair:
    return Pair(
        data.integer("start"),
        data.integer("end"),
        data.choice("method", ("difference", "svd")),
        data.number("strength"),
    )


def _imagined(found: Imagined, include: Include) -> dict[str, Any]:
    body = found.to_json()
    for one in body["pictures"]:
        one["nearest"]["image"] = image_address(one["nearest"]["id"])
    body["asked"] = found.asked
    body["maps"] = [one.to_json() for one in found.chain.maps]
    body["spaces"] = spaces_to_wire(found.source, found.space)
    if include.pictures:
        for one, picture in zip(body["pictures"], found.pictures, strict=True):
            one["png"] = picture_to_wire(picture)
    if include.vectors:
        body["mean"] = array_to_wire(found.mean)
        body["vectors"] = array_to_wire(found.vectors)
    return body


def _imagined_of(data: Fields) -> Imagined:
    made = data.each("pictures")
    nearest = [one.inside("nearest") for one in made]
    query, asked = data.mapping("query"), data.mapping("asked")
    space = named_space(data, data.text("space"))
    return Imagined(
        asked=asked,
        about={name: value for name, value in query.items() if name not in {*asked, "from"}},
        source=named_space(data, data.inside("query").text("from")),
        space=space,
        chain=ChainFacts(tuple(map_of(one) for one in data.each("maps"))),
        law=read(LawFacts.from_json, data.inside("residual"), "residual"),
        temperature=data.number("temperature"),
        seed=data.integer("seed"),
        prior=data.choice("prior", PRIOR_NAMES),
        mean=data.array("mean", "float64", (space.dim,)),
        mean_share=data.number("mean_share"),
        vectors=data.array("vectors", "float32", (len(made), space.dim)),
        norms=column(made, "norm"),
        norm_z=column(made, "norm_z"),
        pictures=tuple(one.picture("png") for one in made),
        nearest_ids=np.array([one.integer("id") for one in nearest], dtype=np.int64),
        nearest_distances=column(nearest, "distance"),
        metric=data.text("metric"),
    )


FORMS: tuple[Form[Any], ...] = (
    Form(Edited, _edited, _edited_of),
    Form(Imagined, _imagined, _imagined_of),
)
