"""Keeping the tables small: `/v1/compaction`."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from api.http.access import needs
from api.http.problems import documented
from api.http.server import ServerOf
from api.http.submission import IdempotencyKey, submit
from api.jobs.upkeep import CompactJob

router = APIRouter(prefix="/v1", tags=["jobs"])


@router.post(
    "/compaction",
    status_code=202,
    dependencies=[needs("admin")],
    responses=documented(401, 403, 404, 408, 409, 413, 422, 429, 503),
)
async def compact(
    request: Request, server: ServerOf, work: CompactJob, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Merge small pieces of the tables and drop their old versions: a job.

    A server does so by itself where many small commits make it due.
    """
    return await submit(server, request, work, idempotency_key)
