"""New pictures of what a question says: `/v1/imagine`."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from api.http.access import needs
from api.http.answers import json_response
from api.http.models.requests import ImagineRequest
from api.http.problems import documented
from api.http.questions import body_of, read_picture, read_question
from api.http.server import ServerOf
from latentdb.wire import Include, encode

router = APIRouter(prefix="/v1", tags=["pictures"], dependencies=[needs("read")])


@router.post(
    "/imagine",
    openapi_extra=body_of(ImagineRequest, takes_picture=True),
    responses=documented(400, 404, 408, 409, 413, 415, 422, 500, 503),
)
async def imagine(request: Request, server: ServerOf) -> JSONResponse:
    """New pictures of what a text, an item, a vector or an uploaded picture says."""
    asked, data = await read_question(request, ImagineRequest)
    picture = await read_picture(server, data)
    include = Include(asked.pictures, asked.vectors)

    def made() -> JSONResponse:
        found = server.db.imagine(**asked.to_options(picture))
        return json_response(encode(found, include=include))

    return await server.work.run(made, lane="heavy")
