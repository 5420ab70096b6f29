"""Long work: `/v1/jobs`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

import anyio
import anyio.to_thread
from fastapi import APIRouter, Query
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import JSONResponse

from api.http.access import needs
from api.http.answers import json_response
from api.http.problems import documented
from api.http.server import ServerOf
from api.http.submission import job_of
from api.jobs import kinds
from api.jobs.book import JobBook
from api.jobs.errors import UnknownJobError
from api.jobs.job import Job, Progress

router = APIRouter(prefix="/v1", tags=["jobs"])

_POLL_SECONDS = 0.25
_HEARTBEAT_SECONDS = 15
_SEND_SECONDS = 30.0
_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "`progress` {done, total, message} as often as it changes, then `state` "
        "with the job, and the end",
        "content": {
            "text/event-stream": {
                "schema": {
                    "type": "object",
                    "properties": {"event": {"type": "string"}, "data": {"type": "string"}},
                }
            }
        },
    },
}


@router.get("/jobs", dependencies=[needs("read")], responses=documented(401, 403, 422, 429, 503))
async def jobs(
    server: ServerOf,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    is_over: Annotated[bool | None, Query(description="Only those that are, or are not.")] = None,
) -> JSONResponse:
    """The jobs, the newest first; those that are over are forgotten after a while."""

    def listing() -> list[dict[str, Any]]:
        book = server.jobs
        found = [job for job in book.all() if is_over in (None, job.is_over)]
        return [job.shown(book.progress(job.id)) for job in found[:limit]]

    return json_response(await server.work.run(listing))


@router.get(
    "/jobs/{job_id}",
    dependencies=[needs("read")],
    responses=documented(401, 403, 404, 429, 503),
)
async def job(server: ServerOf, job_id: str) -> JSONResponse:
    """One job: how it stands, how far it is, and what it came to."""
    found, progress = await job_of(server, job_id)
    return json_response(found.shown(progress))


@router.get(
    "/jobs/{job_id}/events",
    dependencies=[needs("read")],
    response_class=EventSourceResponse,
    responses={**documented(401, 403, 404, 429, 503), **_EVENTS},
)
async def events(server: ServerOf, job_id: str) -> EventSourceResponse:
    """How far a job is, told as it goes on (server-sent events)."""
    await job_of(server, job_id)
    return EventSourceResponse(
        _told(server.jobs, job_id),
        ping=_HEARTBEAT_SECONDS,
        send_timeout=_SEND_SECONDS,
        headers={"x-accel-buffering": "no"},
    )


@router.delete(
    "/jobs/{job_id}",
    dependencies=[needs("write")],
    responses=documented(401, 403, 404, 429, 503),
)
async def cancel(server: ServerOf, job_id: str) -> JSONResponse:
    """End a job: at once where it waits, else between two of its steps; what is over stays so."""
    _, progress = await job_of(server, job_id)
    ended = await server.work.run(lambda: kinds.cancel(server.db, server.jobs, job_id))
    return json_response(ended.shown(progress))


async def _told(book: JobBook, job_id: str) -> AsyncIterator[ServerSentEvent]:
    """Progress as often as it changes, then the job that is over."""

    def look() -> tuple[Job, Progress]:
        return book.get(job_id), book.progress(job_id)

    last: Progress | None = None
    while True:
        try:
            found, progress = await anyio.to_thread.run_sync(look)
        except UnknownJobError:  # forgotten meanwhile
            return
        if progress != last:
            last = progress
            yield ServerSentEvent(event="progress", data=json.dumps(vars(progress)))
        if found.is_over:
            shown = json.dumps(found.shown(progress), allow_nan=False)
            yield ServerSentEvent(event="state", data=shown)
            return
        await anyio.sleep(_POLL_SECONDS)
