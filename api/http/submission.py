"""Long work as it is asked for over HTTP: looked at, written down, promised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import anyio
from fastapi import Header, Request
from starlette.responses import JSONResponse

from api.http.access import client_of
from api.http.answers import json_response
from api.http.problems import CONFLICT, NOT_FOUND, UNAVAILABLE, RefusedError, store_locked
from api.http.server import Server
from api.http.work import T
from api.jobs.errors import KeyReusedError, TooManyJobsError, UnknownJobError
from api.jobs.job import Job, Progress
from api.jobs.kind import AbstractKind
from latentdb.errors import StoreLockedError

ACCEPTED = 202
_RETRY = {"retry-after": "5"}
# Another write of this server takes a moment; an ingest may take an hour.
_LOCK_SECONDS = 5.0
_LOCK_POLL = 0.1

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="The same key gives the same job, however often the request is sent.",
    ),
]


async def submit(
    server: Server, request: Request, work: AbstractKind, key: str | None
) -> JSONResponse:
    """Check a job, write it down, and promise it: 202 with where to look."""
    await server.work.run(lambda: work.check(server.db))
    arguments = work.model_dump(mode="json", by_alias=True)
    job = await promise(server, work.name, arguments, key=owned(request, key))
    return accepted(job, job.shown(Progress()))


def owned(request: Request, key: str | None) -> str | None:
    """An idempotency key as that of the client who sent it."""
    return None if key is None else f"{client_of(request).name}\n{key}"


async def promise(
    server: Server,
    kind: str,
    arguments: dict[str, Any],
    *,
    key: str | None,
    settle: Callable[[str], None] | None = None,
) -> Job:
    """Write a job down, and have it done.

    Raises
    ------
    RefusedError
        409: the idempotency key is of another request; 503: too many jobs wait.
    """
    most = server.settings.max_jobs

    def write() -> Job:
        return server.jobs.create(kind, arguments, most=most, key=key, settle=settle)

    try:
        job = await server.work.run(write)
    except KeyReusedError as error:
        raise RefusedError(CONFLICT, "idempotency-key-reused", str(error)) from error
    except TooManyJobsError as error:
        raise RefusedError(UNAVAILABLE, "too-many-jobs", str(error), headers=_RETRY) from error
    server.keeper.poke()
    return job


def accepted(job: Job, body: dict[str, Any]) -> JSONResponse:
    """202, with where the job is told of."""
    response = json_response(body, ACCEPTED)
    response.headers["location"] = f"/v1/jobs/{job.id}"
    return response


async def job_of(server: Server, job_id: str) -> tuple[Job, Progress]:
    """A job and how far it is; RefusedError 404 where there is none."""
    try:
        job = await server.work.run(lambda: server.jobs.get(job_id))
    except UnknownJobError as error:
        raise RefusedError(NOT_FOUND, "unknown-job", str(error)) from error
    return job, await server.work.run(lambda: server.jobs.progress(job_id))


async def written(server: Server, write: Callable[[], T]) -> T:
    """The result of a short write, once no other process writes.

    Raises
    ------
    RefusedError
        409: another one still writes, as a long ingest does.
    """
    with anyio.move_on_after(_LOCK_SECONDS):
        while True:
            try:
                return await server.work.run(write)
            except StoreLockedError:
                await anyio.sleep(_LOCK_POLL)
    raise store_locked()
