"""Whether the server is up and ready, and its figures: `/healthz`, `/readyz`, `/metrics`."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from api.http.access import needs
from api.http.metrics import CONTENT_TYPE
from api.http.problems import documented, problem
from api.http.server import Server, ServerOf

router = APIRouter(tags=["health"])

_UNAVAILABLE = 503


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Whether the server is up."""
    return {"status": "ok"}


@router.get("/readyz", responses=documented(503))
async def readyz(server: ServerOf) -> Response:
    """Whether models and indexes are loaded, so that the first question is answered at once."""
    warming = server.warming
    if not warming.is_over:
        return problem(
            _UNAVAILABLE,
            "warming",
            "models and indexes are being loaded; questions are answered, only later",
            headers={"retry-after": "1"},
        )
    return JSONResponse({"status": "ready", "failed": warming.failed})


@router.get(
    "/metrics",
    dependencies=[needs("read")],
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}, **documented(503)},
)
async def metrics(server: ServerOf) -> Response:
    """What is measured, in the text form of Prometheus."""
    server.metrics.look_at_cache(server.cache)
    waiting = {"search": server.search.waiting}
    waiting |= {lane: server.work.inside(lane) for lane in ("light", "heavy")}
    server.metrics.look_at_queues(waiting)
    text = await server.work.run(lambda: _figures(server))
    return Response(text, media_type=CONTENT_TYPE)


def _figures(server: Server) -> bytes:
    catalog = server.db.catalog
    jobs = {str(state): count for state, count in server.jobs.counts().items()}
    server.metrics.look_at_database(catalog.models.count, catalog.indexes.loaded(), jobs)
    return server.metrics.text()
