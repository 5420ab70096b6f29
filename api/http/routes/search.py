"""Questions: `/v1/search`."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from api.http.access import needs
from api.http.answers import answer_json, json_response
from api.http.models.requests import SearchRequest
from api.http.problems import documented
from api.http.questions import REQUEST_BODY, read_picture, read_question
from api.http.server import ServerOf

router = APIRouter(prefix="/v1", tags=["questions"], dependencies=[needs("read")])


@router.post(
    "/search",
    openapi_extra=REQUEST_BODY,
    responses=documented(400, 404, 409, 413, 415, 422, 503),
)
async def search(request: Request, server: ServerOf) -> JSONResponse:
    """The items nearest to a text, a stored item, a vector or an uploaded picture."""
    question, data = await read_question(request, SearchRequest)
    picture = await read_picture(server, data)
    answer = await server.search.answer(question.to_query(picture))
    return json_response(answer_json(answer))
