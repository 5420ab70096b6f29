"""What was fitted: `/v1/maps` and `/v1/directions`."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse

from api.http.access import needs
from api.http.answers import json_response
from api.http.problems import documented
from api.http.server import ServerOf

router = APIRouter(prefix="/v1", tags=["learned"], dependencies=[needs("read")])


@router.get("/maps", responses=documented(503))
async def maps(server: ServerOf) -> JSONResponse:
    """The maps between spaces, with their held-out scores."""
    db = server.db
    return json_response(await server.work.run(lambda: [one.to_json() for one in db.maps()]))


@router.get("/directions", responses=documented(503))
async def directions(server: ServerOf) -> JSONResponse:
    """The fitted directions, with their held-out scores."""
    db = server.db
    return json_response(await server.work.run(lambda: [one.to_json() for one in db.directions()]))
