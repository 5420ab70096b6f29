"""Errors as HTTP tells them: one table of statuses, one form (RFC 9457, problem+json)."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from api.http.headers import security_headers
from api.http.work import OverloadedError
from indexers import errors as indexer_errors
from latentdb import errors
from latentdb.error_codes import code_of
from latentdb.geometry.errors import CutLocusError

__all__ = ["STATUS", "RefusedError", "add_handlers", "documented", "problem", "status_of"]

BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 400, 401, 403, 404
METHOD_NOT_ALLOWED, TIMEOUT, CONFLICT, TOO_LARGE, UNPROCESSABLE, TOO_MANY = (
    405,
    408,
    409,
    413,
    422,
    429,
)
INTERNAL, UNAVAILABLE = 500, 503
# What stands before every route may answer with these.
HEAD_TOO_LARGE = 431
_ANYWHERE = (BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, TOO_MANY, HEAD_TOO_LARGE, UNAVAILABLE)

# A class stands for those under it that have no line of their own.
STATUS: Mapping[type[errors.LatentDBError], int] = {
    # what was asked does not exist
    errors.UnknownSpaceError: NOT_FOUND,
    errors.UnknownItemError: NOT_FOUND,
    errors.UnknownMapError: NOT_FOUND,
    errors.UnknownDirectionError: NOT_FOUND,
    errors.UnknownProjectionError: NOT_FOUND,
    errors.UnknownSnapshotError: NOT_FOUND,
    indexer_errors.UnknownIdError: NOT_FOUND,
    # what was asked contradicts itself or the database
    errors.QueryError: UNPROCESSABLE,
    errors.FilterError: UNPROCESSABLE,
    errors.PictureError: UNPROCESSABLE,
    errors.SourceError: UNPROCESSABLE,
    errors.LabelsError: UNPROCESSABLE,
    errors.SpaceSpecError: UNPROCESSABLE,
    errors.NotEnoughDataError: UNPROCESSABLE,
    errors.WorthlessMapError: UNPROCESSABLE,
    CutLocusError: UNPROCESSABLE,
    indexer_errors.ParameterError: UNPROCESSABLE,
    indexer_errors.DimensionError: UNPROCESSABLE,
    indexer_errors.DtypeError: UNPROCESSABLE,
    indexer_errors.NonFiniteError: UNPROCESSABLE,
    indexer_errors.ZeroVectorError: UNPROCESSABLE,
    indexer_errors.IdError: UNPROCESSABLE,
    # what was asked does not go with what is stored
    errors.SpaceExistsError: CONFLICT,
    errors.SpaceMismatchError: CONFLICT,
    errors.StoreExistsError: CONFLICT,
    errors.StoreLockedError: CONFLICT,
    errors.StoreReadOnlyError: CONFLICT,
    errors.MigrationError: CONFLICT,
    # the server's own trouble
    errors.StoreNotFoundError: UNAVAILABLE,
    errors.StoreIOError: UNAVAILABLE,
    errors.RemoteError: UNAVAILABLE,
    errors.StoreFormatError: INTERNAL,
    errors.BackupError: INTERNAL,
    errors.ModelError: INTERNAL,
    errors.ClusterError: INTERNAL,
    errors.ArtefactError: INTERNAL,
    errors.WireError: UNPROCESSABLE,
    indexer_errors.IndexFileError: INTERNAL,
    indexer_errors.IndexFormatError: INTERNAL,
}

_MEANINGS = {
    400: "The request cannot be read, or names a host that this server is not",
    401: "A key is needed, or the one given is unknown, revoked or expired",
    403: "The key's scope does not reach this, or a page of another site asks",
    404: "What was asked for does not exist",
    408: "The request's body did not come in time",
    409: "It does not go with what is stored, or another process is writing",
    413: "The body is larger than the server takes",
    415: "The body is of a kind that the route does not take",
    422: "The request contradicts itself, or names what cannot be",
    429: "This key asked too often; Retry-After says when to come back",
    431: "The address or the headers are larger than the server takes",
    500: "The server failed; its log says why",
    503: "The server is full or cannot answer now; Retry-After says when to come back",
}
_CODES = {
    404: "not-found",
    405: "method-not-allowed",
    408: "timeout",
    413: "too-large",
    415: "unsupported-media-type",
}
# Of what is wrong with a request.
_MOST_TOLD = 8
_SEE_LOG = "the server cannot answer this now; its log says why"
_PROBLEM_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "example": "urn:latentdb:problem:unknown-item"},
        "title": {"type": "string", "example": "unknown item"},
        "status": {"type": "integer", "example": 404},
        "detail": {"type": "string", "example": "no item 7 in this database"},
        "request_id": {
            "type": "string",
            "description": "Of a 5xx: what the server's log calls this request.",
        },
    },
}

_log = logging.getLogger("latentdb.http")


@final
class RefusedError(Exception):
    """What stands before the routes does not let a request through.

    Parameters
    ----------
    status : int
    code, detail : str
        As `problem` takes them.
    headers : mapping
        Beside it.
    """

    def __init__(
        self, status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})

    def response(self) -> JSONResponse:
        """The answer that says so."""
        return problem(self.status, self.code, self.detail, headers=self.headers)


def status_of(error: type[errors.LatentDBError]) -> int:
    """The status of an error's class, by its own line in `STATUS` or the nearest one above."""
    found = next((STATUS[cls] for cls in error.__mro__ if cls in STATUS), None)
    return INTERNAL if found is None else found


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    request_id: str | None = None,
) -> JSONResponse:
    """A problem+json response; `code` is stable, `detail` is for people."""
    body: dict[str, Any] = {
        "type": f"urn:latentdb:problem:{code}",
        "title": code.replace("-", " "),
        "status": status,
        "detail": detail,
    }
    if request_id is not None:
        body["request_id"] = request_id
    return JSONResponse(
        body, status, media_type="application/problem+json", headers=dict(headers or {})
    )


def add_handlers(app: FastAPI) -> None:
    """Make `app` answer every error as problem+json."""
    app.add_exception_handler(errors.LatentDBError, _on_library_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(OverloadedError, _on_overload)
    app.add_exception_handler(RefusedError, _on_refusal)
    app.add_exception_handler(Exception, _on_fault)


def store_locked() -> RefusedError:
    """409 with Retry-After: a write that another one is in the way of."""
    return RefusedError(
        CONFLICT,
        code_of(errors.StoreLockedError),
        "another process is writing to the database, such as an ingest; try again later",
        headers={"retry-after": "5"},
    )


async def _on_library_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, errors.LatentDBError)
    status = status_of(type(error))
    if status >= INTERNAL:
        # Its text may name paths of this machine, which are nobody's business out there.
        asked = request_id_of(request)
        _log.error("request %s failed", asked, exc_info=error)
        return problem(status, code_of(type(error)), _SEE_LOG, request_id=asked)
    if isinstance(error, errors.StoreLockedError):  # its text names the folder
        return store_locked().response()
    return problem(status, code_of(type(error)), str(error))


async def _on_fault(request: Request, _error: Exception) -> JSONResponse:
    """Of a fault in this program; the server logs its traceback."""
    asked = request_id_of(request)
    # This answer is sent from outside of what adds them to all others.
    headers = {**security_headers(request.url.path), "x-request-id": asked or ""}
    return problem(INTERNAL, "internal", _SEE_LOG, headers=headers, request_id=asked)


async def _on_refusal(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RefusedError)
    return error.response()


async def _on_invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return problem(UNPROCESSABLE, "invalid-request", describe_invalid(error.errors()))


async def _on_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, "bad-request")
    headers = dict(error.headers or {})
    if error.status_code == METHOD_NOT_ALLOWED:
        headers["allow"] = ", ".join(_methods_of(request)) or headers.pop("Allow", "GET")
        headers.pop("Allow", None)
    return problem(error.status_code, code, str(error.detail), headers=headers)


def _methods_of(request: Request) -> list[str]:
    """What the path of a request can be asked with: each method has a route of its own."""
    path = getattr(request.scope.get("route"), "path", "")
    return sorted(method.upper() for method in request.app.openapi()["paths"].get(path, {}))


async def _on_overload(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, OverloadedError)
    wait = {"retry-after": str(error.retry_after_s)}
    return problem(UNAVAILABLE, "overloaded", str(error), headers=wait)


def request_id_of(request: Request) -> str | None:
    """What the log calls a request."""
    found: str | None = request.scope.get("state", {}).get("request_id")
    return found


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses=` of a route that answers with these statuses beside its good one.

    Those that stand before every route (no key, too often, …) are added.
    """
    return {
        status: {
            "description": _MEANINGS[status],
            "content": {"application/problem+json": {"schema": _PROBLEM_SCHEMA}},
        }
        for status in sorted({*statuses, *_ANYWHERE})
    }


def describe_invalid(found: Sequence[Any]) -> str:
    """What a validator found, in a line: where, and what is wrong there."""
    lines = []
    for one in found[:_MOST_TOLD]:
        place = one["loc"]
        within = place[1:] if place and place[0] in ("body", "query", "path", "header") else place
        # A name may be as long as a body.
        where = ".".join(str(part)[:100] for part in within)
        lines.append(f"{where}: {one['msg']}" if where else str(one["msg"]))
    if len(found) > _MOST_TOLD:
        lines.append(f"and {len(found) - _MOST_TOLD} more")
    return "; ".join(lines)
