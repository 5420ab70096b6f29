"""Logging the page in and out: `/v1/session`."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api.http.access import Gate
from api.http.problems import documented
from api.http.server import ServerOf
from api.http.session import set_cookie

router = APIRouter(prefix="/v1", tags=["session"])

_NO_CONTENT = 204


class LogIn(BaseModel):
    """A key."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    key: Annotated[str, Field(max_length=200, examples=["ldb_<id>_<secret>"])]


@router.post("/session", status_code=_NO_CONTENT, responses=documented(408, 413, 422))
async def log_in(body: LogIn, request: Request, server: ServerOf) -> Response:
    """Log this browser in: the cookie stands for the key, for some hours.

    A server without keys sets none.
    """
    response = Response(status_code=_NO_CONTENT)
    gate = cast("Gate", request.app.state.gate)
    cookie = gate.log_in(body.key, request.scope)
    if cookie is not None:
        max_age_s = int(server.settings.session_hours * 3600)
        response.headers["set-cookie"] = set_cookie(cookie, request.url.scheme, max_age_s=max_age_s)
    return response


@router.delete("/session", status_code=_NO_CONTENT, responses=documented())
async def log_out(request: Request) -> Response:
    """Log this browser out: its cookie is taken back."""
    response = Response(status_code=_NO_CONTENT)
    response.headers["set-cookie"] = set_cookie("", request.url.scheme, max_age_s=0)
    return response
