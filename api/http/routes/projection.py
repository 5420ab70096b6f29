"""A space as a map: `/v1/spaces/{name}/projection`, and what its points are coloured by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import JSONResponse

from api.http.access import needs
from api.http.answers import json_response
from api.http.problems import documented
from api.http.server import ServerOf
from latentdb import wire
from latentdb.database import LatentDB
from latentdb.projection import Method, PointValues, Projection2D

router = APIRouter(prefix="/v1/spaces/{name}", tags=["map"], dependencies=[needs("read")])

# Ids, points and values of so many are 3 MB of JSON.
MANY_POINTS = 100_000
MAX_POINTS = 1_000_000

Name = Annotated[str, Path(max_length=200, description="A space.")]
Where = Annotated[
    str | None,
    Query(max_length=4000, description="SQL condition on labels and quality columns."),
]
Limit = Annotated[
    int, Query(ge=1, le=MAX_POINTS, description="At most so many points, drawn by `seed`.")
]
Seed = Annotated[int, Query(ge=0, lt=2**31, description="Of the draw, where points are left out.")]
HowPlaced = Annotated[Method, Query(description="Which projection.")]
By = Annotated[
    str,
    Query(
        max_length=300,
        description="`label:NAME`, `direction:NAME`, `energy`, `norm` or `quality:NAME`.",
        examples=["norm"],
    ),
]


@router.get("/projection", responses=documented(404, 422, 503))
async def projection(
    server: ServerOf,
    name: Name,
    method: HowPlaced = "pca",
    where: Where = None,
    limit: Limit = MANY_POINTS,
    seed: Seed = 0,
) -> JSONResponse:
    """Items of a space as points of a plane: ids and xy as arrays in base64.

    `pca` is made when it is first asked for. `umap` is a job, `POST /v1/projections`; until that
    was done once, the answer is 404. `missing` counts rows that came after it.
    """
    place = _placing(server.db, name, method=method, where=where, limit=limit, seed=seed)
    return json_response(await server.work.run(lambda: wire.encode(place())))


@router.get("/values", responses=documented(404, 422, 503))
async def values(
    server: ServerOf,
    name: Name,
    by: By,
    method: HowPlaced = "pca",
    where: Where = None,
    limit: Limit = MANY_POINTS,
    seed: Seed = 0,
) -> JSONResponse:
    """A value per point of the same projection, in its order; equal `ids_hash` says so."""
    place = _placing(server.db, name, method=method, where=where, limit=limit, seed=seed)

    def read() -> dict[str, Any]:
        found: PointValues = server.db.point_values(name, by, ids=place().ids.tolist())
        return wire.encode(found)

    return json_response(await server.work.run(read))


def _placing(db: LatentDB, name: str, **options: Any) -> Callable[[], Projection2D]:
    """What gives the points that a request names."""
    return lambda: db.project(name, only_kept=True, **options)
