"""The spaces of the database: `/v1/spaces`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.responses import JSONResponse

from api.http.access import needs
from api.http.answers import json_response
from api.http.problems import documented
from api.http.server import ServerOf
from latentdb.database import LatentDB
from latentdb.space import Space
from latentdb.wire import encode

router = APIRouter(prefix="/v1", tags=["database"], dependencies=[needs("read")])

SpaceName = Annotated[str, Path(min_length=1, max_length=200, description="Name of a space.")]


@router.get("/spaces", responses=documented(503))
async def spaces(server: ServerOf) -> JSONResponse:
    """The spaces, their settings, and how many vectors each has."""
    db = server.db

    def listing() -> list[dict[str, Any]]:
        return [_counted(db, space) for space in db.spaces().values()]

    return json_response(await server.work.run(listing))


@router.get("/spaces/{name}", responses=documented(404, 422, 503))
async def space(server: ServerOf, name: SpaceName) -> JSONResponse:
    """One space, its settings, and how many vectors it has."""
    db = server.db
    return json_response(await server.work.run(lambda: _counted(db, db.store.space(name))))


def _counted(db: LatentDB, space: Space) -> dict[str, Any]:
    return {**encode(space), "vectors": len(db.store.vector_ids(space.name))}
