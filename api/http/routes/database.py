"""The database as a whole, and what this server lets its client do: `/v1/database`."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

import latentdb
from api.http.access import client_of, needs
from api.http.answers import json_response
from api.http.models.fields import MAX_K
from api.http.problems import documented
from api.http.server import ServerOf
from latentdb.wire.items import label_columns_to_wire

router = APIRouter(prefix="/v1", tags=["database"], dependencies=[needs("read")])


@router.get("/database", responses=documented(503))
async def database(request: Request, server: ServerOf) -> JSONResponse:
    """How many items there are, their labels, the spaces, and the limits of this server."""
    db, settings, scope = server.db, server.settings, client_of(request).scope

    def told() -> dict[str, Any]:
        return {
            "name": PurePath(db.uri).name,
            "version": latentdb.__version__,
            "items": len(db),
            "labels": label_columns_to_wire(db.label_columns()),
            "spaces": list(db.spaces()),
            "scope": scope,
            "limits": {
                "max_k": MAX_K,
                "max_uploads": settings.max_uploads,
                "max_megapixels": settings.max_megapixels,
                "max_body_mib": settings.max_body_mib,
            },
        }

    return json_response(await server.work.run(told))
