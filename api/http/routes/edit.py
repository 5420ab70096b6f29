"""Pictures changed along directions: `/v1/edit`."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from api.http.access import needs
from api.http.answers import json_response
from api.http.models.requests import EditRequest
from api.http.problems import documented
from api.http.questions import body_of, read_picture, read_question
from api.http.server import ServerOf
from latentdb.wire import Include, encode

router = APIRouter(prefix="/v1", tags=["pictures"], dependencies=[needs("read")])


@router.post(
    "/edit",
    openapi_extra=body_of(EditRequest, takes_picture=True),
    responses=documented(400, 404, 408, 409, 413, 415, 422, 500, 503),
)
async def edit(request: Request, server: ServerOf) -> JSONResponse:
    """A stored item, or an uploaded picture, changed along directions."""
    asked, data = await read_question(request, EditRequest)
    picture = await read_picture(server, data)
    include = Include(asked.pictures, asked.vectors)

    def made() -> JSONResponse:
        found = server.db.edit(asked.id, image=picture, **asked.to_options())
        return json_response(encode(found, include=include))

    return await server.work.run(made, lane="heavy")
