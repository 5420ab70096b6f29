"""The spaces of the database: `/v1/spaces`."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse

from api.http.access import needs
from api.http.answers import json_response, space_json
from api.http.problems import documented
from api.http.server import ServerOf

router = APIRouter(prefix="/v1", tags=["spaces"], dependencies=[needs("read")])


@router.get("/spaces", responses=documented(503))
async def spaces(server: ServerOf) -> JSONResponse:
    """The spaces, their settings, and how many vectors each has."""
    db = server.db

    def listing() -> list[dict[str, Any]]:
        return [
            {**space_json(space), "vectors": len(db.store.vector_ids(name))}
            for name, space in db.spaces().items()
        ]

    return json_response(await server.work.run(listing))
