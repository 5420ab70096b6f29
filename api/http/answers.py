"""What routes answer with: the library's results as they cross the wire."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse

from api.jsonable import jsonable
from latentdb.types import Answer
from latentdb.wire.answers import encode_answer


def json_response(content: Any, status: int = 200) -> JSONResponse:
    """JSON in which NaN and infinity are null."""
    return JSONResponse(jsonable(content), status)


def answer_json(answer: Answer) -> dict[str, Any]:
    """The contract's JSON, with the address of each hit's picture."""
    return encode_answer(answer)
