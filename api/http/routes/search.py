"""Questions: `/v1/search`."""

from __future__ import annotations

import hashlib
import time

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.http.access import needs
from api.http.answers import answer_json
from api.http.models.requests import SearchRequest
from api.http.problems import documented
from api.http.questions import REQUEST_BODY, read_picture, read_question
from api.http.quick_json import dumped
from api.http.quick_route import QuickRoute
from api.http.server import Server, ServerOf
from latentdb.query import Query

router = APIRouter(
    prefix="/v1", tags=["questions"], dependencies=[needs("read")], route_class=QuickRoute
)

_JSON = "application/json"
# Said to nobody: the client has gone.
_CLIENT_GONE = 499


@router.post(
    "/search",
    openapi_extra=REQUEST_BODY,
    responses=documented(400, 404, 409, 413, 415, 422, 503),
    response_class=Response,
)
async def search(request: Request, server: ServerOf) -> Response:
    """The items nearest to a text, a stored item, a vector or an uploaded picture."""
    # A body that was answered before need not even be read: it was a question.
    is_json = request.headers.get("content-type") == _JSON
    key, state = b"", None
    if is_json:
        key = _key(await request.body())
        known, state = server.cache.look(key)
        if known is not None:
            return Response(known, media_type=_JSON)
    question, data = await read_question(request, SearchRequest)
    if data is not None:
        key = _key(data, question.model_dump_json().encode())
        known, state = server.cache.look(key)
        if known is not None:
            return Response(known, media_type=_JSON)
    query = question.to_query(await read_picture(server, data))
    answer = await _answer(request, server, query)
    if answer is None:
        return Response(status_code=_CLIENT_GONE)
    if state is not None:
        server.cache.keep(key, answer, state)
    return Response(answer, media_type=_JSON)


def _key(*parts: bytes) -> bytes:
    """What a question is known again by: as short for a long vector as for a word."""
    digests = (hashlib.sha256(part).digest() for part in parts)
    return hashlib.sha256(b"".join(digests)).digest()


async def _answer(request: Request, server: Server, query: Query) -> bytes | None:
    """The answer as JSON; None where the client went before."""
    started = time.perf_counter()

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    answer = await server.search.answer(query, gone=gone)
    parts = query.parts
    kind = parts[0].kind if len(parts) == 1 else "composed"
    server.metrics.questions.labels(kind).observe(time.perf_counter() - started)
    return None if answer is None else dumped(answer_json(answer))
