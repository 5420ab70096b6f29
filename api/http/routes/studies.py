"""Studies of what is stored: `/v1/energy`, `/v1/projections`, `/v1/reports`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from starlette.responses import FileResponse, JSONResponse

from api.http.access import needs
from api.http.answers import json_response
from api.http.problems import NOT_FOUND, RefusedError, documented
from api.http.routes.learned import ASKED
from api.http.server import ServerOf
from api.http.submission import IdempotencyKey, submit
from api.jobs.studies import REPORTS, EnergyJob, ProjectionJob, ReportJob, file_names

router = APIRouter(prefix="/v1", tags=["studies"])

_READ = [needs("read")]
_WRITE = [needs("write")]
ReportId = Annotated[str, Path(pattern=r"^[0-9a-f]{16,64}$")]
ReportFile = Literal["report.html", "report.json"]
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The page, or its numbers", "content": {"text/html": {}}},
}


@router.post("/energy", status_code=202, dependencies=_WRITE, responses=ASKED)
async def energy(
    request: Request, server: ServerOf, work: EnergyJob, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Measure how untypical every row of a space is: a job."""
    return await submit(server, request, work, idempotency_key)


@router.post("/projections", status_code=202, dependencies=_WRITE, responses=ASKED)
async def projection(
    request: Request, server: ServerOf, work: ProjectionJob, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Lay the rows of a space out in a plane: a job."""
    return await submit(server, request, work, idempotency_key)


@router.post("/reports", status_code=202, dependencies=[needs("admin")], responses=ASKED)
async def report(
    request: Request, server: ServerOf, work: ReportJob, idempotency_key: IdempotencyKey = None
) -> JSONResponse:
    """Study every space of the database: a job."""
    return await submit(server, request, work, idempotency_key)


@router.get("/reports", dependencies=_READ, responses=documented(401, 403, 429, 503))
async def reports(server: ServerOf) -> JSONResponse:
    """Finished reports, the newest first."""
    folder = server.db.store.path / REPORTS

    def listing() -> list[dict[str, Any]]:
        finished = [one for one in folder.glob("[0-9a-f]*") if one.is_dir()]
        made = sorted(((one.stat().st_mtime, one) for one in finished), reverse=True)
        return [
            {
                "id": one.name,
                "created_at": datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds"),
                "files": {name: f"/v1/reports/{one.name}/{name}" for name in file_names(one)},
            }
            for at, one in made
        ]

    return json_response(await server.work.run(listing))


@router.get(
    "/reports/{report_id}/{file}",
    dependencies=_READ,
    response_class=FileResponse,
    responses={**documented(401, 403, 404, 422, 429, 503), **_FILE},
)
async def report_file(server: ServerOf, report_id: ReportId, file: ReportFile) -> FileResponse:
    """A finished report: the page, or its numbers as JSON."""
    path = server.db.store.path / REPORTS / report_id / file
    if not await server.work.run(path.is_file):
        raise RefusedError(NOT_FOUND, "unknown-report", f"there is no report {report_id!r}")
    return FileResponse(path)
