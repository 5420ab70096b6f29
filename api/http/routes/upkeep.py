"""Keeping a database small and its answers right: `/v1/compaction`, `/v1/audits`."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from api.http.access import needs
from api.http.problems import documented
from api.http.server import ServerOf
from api.http.submission import IdempotencyKey, submit
from api.jobs.audits import AuditJob
from api.jobs.upkeep import CompactJob

router = APIRouter(prefix="/v1", tags=["jobs"])

_ADMIN = [needs("admin")]
_ASKED = documented(401, 403, 404, 408, 409, 413, 422, 429, 503)


@router.post("/compaction", status_code=202, dependencies=_ADMIN, responses=_ASKED)
async def compact(
    request: Request, server: ServerOf, work: CompactJob, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Merge small pieces of the tables and drop their old versions: a job.

    A server does so by itself where many small commits make it due.
    """
    return await submit(server, request, work, idempotency_key)


@router.post("/audits", status_code=202, dependencies=_ADMIN, responses=_ASKED)
async def audit(
    request: Request, server: ServerOf, work: AuditJob, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Compare what searches find with all rows, by kind of question: a job.

    What was found last is among the figures of `/metrics`.
    """
    return await submit(server, request, work, idempotency_key)
