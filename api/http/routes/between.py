"""Between stored items: `/v1/interpolate`, `/v1/centroid`, and `/v1/decode` of their points."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from api.http.access import needs
from api.http.answers import json_response
from api.http.models.requests import CentroidRequest, DecodeRequest, InterpolateRequest
from api.http.problems import documented
from api.http.questions import body_of, read_json
from api.http.server import ServerOf
from latentdb.space import Space
from latentdb.wire import Include, encode
from latentdb.wire.pictures import picture_to_wire

router = APIRouter(prefix="/v1", tags=["pictures"], dependencies=[needs("read")])

_STATUSES = (400, 404, 408, 409, 413, 415, 422, 500, 503)


@router.post(
    "/interpolate",
    openapi_extra=body_of(InterpolateRequest),
    responses=documented(*_STATUSES),
)
async def interpolate(request: Request, server: ServerOf) -> JSONResponse:
    """Points on a curve between two items; in a noise space each is a picture."""
    asked, db = await read_json(request, InterpolateRequest), server.db

    def walked() -> JSONResponse:
        path = db.interpolate(
            asked.start,
            asked.end,
            space=asked.space,
            method=asked.method,
            prior=asked.prior,
            steps=asked.steps,
        )
        body = encode(path, include=Include(vectors=asked.vectors))
        if asked.pictures and _draws(path.space):
            made = db.decode(path.points, space=path.space.name)
            for point, picture in zip(body["points"], made, strict=True):
                point["png"] = picture_to_wire(picture)
        return json_response(body)

    return await server.work.run(walked, lane="heavy")


@router.post(
    "/centroid",
    openapi_extra=body_of(CentroidRequest),
    responses=documented(*_STATUSES),
)
async def centroid(request: Request, server: ServerOf) -> JSONResponse:
    """The middle of several items, and the items nearest to it; in a noise space its picture."""
    asked, db = await read_json(request, CentroidRequest), server.db

    def found() -> JSONResponse:
        middle = db.centroid(
            asked.ids,
            where=asked.where,
            space=asked.space,
            method=asked.method,
            prior=asked.prior,
            weights=asked.weights,
            correlated=asked.correlated,
            k=asked.k,
        )
        body = encode(middle, include=Include(vectors=asked.vectors))
        if asked.pictures and _draws(middle.space):
            (picture,) = db.decode(middle.vector[None], space=middle.space.name)
            body["png"] = picture_to_wire(picture)
        return json_response(body)

    return await server.work.run(found, lane="heavy")


@router.post(
    "/decode",
    openapi_extra=body_of(DecodeRequest),
    responses=documented(*_STATUSES),
)
async def decode(request: Request, server: ServerOf) -> JSONResponse:
    """The pictures that a noise space makes of vectors."""
    asked = await read_json(request, DecodeRequest)
    vectors = asked.to_vectors()

    def drawn() -> JSONResponse:
        made = server.db.decode(vectors, space=asked.space)
        pictures = [{"png": picture_to_wire(picture)} for picture in made]
        return json_response({"pictures": pictures})

    return await server.work.run(drawn, lane="heavy")


def _draws(space: Space) -> bool:
    """Whether pictures are made of its vectors: it is of noise, and its model is at hand."""
    return space.kind == "noise" and space.has_model
