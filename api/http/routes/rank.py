"""Orders of the items: `/v1/rank`."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from api.http.access import needs
from api.http.answers import json_response
from api.http.models.requests import RankRequest
from api.http.problems import documented
from api.http.questions import body_of, read_json
from api.http.server import ServerOf
from latentdb.wire import encode

router = APIRouter(prefix="/v1", tags=["questions"], dependencies=[needs("read")])


@router.post(
    "/rank",
    openapi_extra=body_of(RankRequest),
    responses=documented(400, 404, 408, 409, 413, 415, 422, 500, 503),
)
async def rank(request: Request, server: ServerOf) -> JSONResponse:
    """The items along a direction, or from the least typical to the most."""
    asked, db = await read_json(request, RankRequest), server.db

    def ranked() -> JSONResponse:
        options: dict[str, Any] = {
            "where": asked.where,
            "k": asked.k,
            "descending": asked.descending,
        }
        if asked.direction is not None:
            found = db.rank(asked.direction, space=asked.space, **options)
        else:
            assert asked.space is not None
            found = db.rank_by_energy(asked.space, **options)
        return json_response(encode(found))

    return await server.work.run(ranked)
