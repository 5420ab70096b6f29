"""What is fitted on the stored vectors: `/v1/indexes`, `/v1/maps`, `/v1/directions`."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from api.http.access import needs
from api.http.answers import json_response
from api.http.problems import documented
from api.http.server import ServerOf
from api.http.submission import IdempotencyKey, submit
from api.jobs.fits import DirectionJob, IndexJob, MapJob, SharedJob

router = APIRouter(prefix="/v1", tags=["learned"])

_READ = [needs("read")]
_WRITE = [needs("write")]
_ADMIN = [needs("admin")]
_LISTED = documented(401, 403, 429, 503)
ASKED = documented(401, 403, 404, 408, 409, 413, 422, 429, 503)


@router.get("/indexes", dependencies=_READ, responses=_LISTED)
async def indexes(server: ServerOf) -> JSONResponse:
    """Indexes on disk, with how far each is behind its table."""
    return await _listed(server, server.db.indexes)


@router.post("/indexes", status_code=202, dependencies=_ADMIN, responses=ASKED)
async def build_index(
    request: Request, server: ServerOf, work: IndexJob, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Build the index of a space under a metric, or build it anew: a job."""
    return await submit(server, request, work, idempotency_key)


@router.get("/maps", dependencies=_READ, responses=_LISTED)
async def maps(server: ServerOf) -> JSONResponse:
    """The maps between spaces, with their held-out scores."""
    return await _listed(server, server.db.maps)


@router.post("/maps", status_code=202, dependencies=_WRITE, responses=ASKED)
async def fit_map(
    request: Request, server: ServerOf, work: MapJob, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Fit the map from one space to another: a job."""
    return await submit(server, request, work, idempotency_key)


@router.post("/shared-spaces", status_code=202, dependencies=_ADMIN, responses=ASKED)
async def fit_shared(
    request: Request, server: ServerOf, work: SharedJob, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Add the space that several spaces share: a job."""
    return await submit(server, request, work, idempotency_key)


@router.get("/directions", dependencies=_READ, responses=_LISTED)
async def directions(server: ServerOf) -> JSONResponse:
    """The fitted directions, with their held-out scores."""
    return await _listed(server, server.db.directions)


@router.post("/directions", status_code=202, dependencies=_WRITE, responses=ASKED)
async def fit_direction(
    request: Request, server: ServerOf, work: DirectionJob, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Make a direction, of exactly one of label, like, pair, text and carry_from: a job."""
    return await submit(server, request, work, idempotency_key)


async def _listed(server: ServerOf, listing: Any) -> JSONResponse:
    return json_response(await server.work.run(lambda: [one.to_json() for one in listing()]))
