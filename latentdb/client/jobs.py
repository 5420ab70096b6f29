"""Jobs of a server: begun, followed until they end, and their errors raised as the library's."""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, final

from indexers.errors import LatentDBError
from latentdb.client.events import read_events
from latentdb.client.transport import Call, Transport
from latentdb.error_codes import error_of
from latentdb.errors import RemoteError, ServerBusyError, ServerUnreachableError
from latentdb.wire.fields import Fields

ENDED: Final = frozenset({"done", "failed", "cancelled"})
# A server that is started anew takes its jobs up again: it is given this long.
_PATIENCE_S: Final = 120.0
_POLL_S: Final = (0.1, 2.0)
_log = logging.getLogger("latentdb.client")


@final
@dataclass(frozen=True)
class JobProgress:
    """How far a job is: `total` is None where that is not known."""

    done: int = 0
    total: int | None = None
    message: str = ""


@final
@dataclass(frozen=True)
class Job:
    """Long work of a server.

    Parameters
    ----------
    id, kind : str
    state : str
        "queued", "running", "done", "failed" or "cancelled".
    progress : JobProgress
    result : JSON value
        Of one that is done.
    error : LatentDBError, optional
        Of one that failed.
    told : mapping
        Everything that the server tells of it.
    """

    id: str
    kind: str
    state: str
    progress: JobProgress
    result: Any
    error: LatentDBError | None
    told: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """What the server tells of it."""
        return dict(self.told)


def read_job(data: object) -> Job:
    """A job as a server tells it; WireError where it is none."""
    job = Fields(data, "job")
    told = job.whole()
    return Job(
        id=job.text("id"),
        kind=job.text("kind"),
        state=job.text("state"),
        progress=_progress(job.inside("progress")) if job.has("progress") else JobProgress(),
        result=told.get("result"),
        error=_error(job.inside("error")) if job.has("error") else None,
        told=told,
    )


def _progress(said: Fields) -> JobProgress:
    total = said.integer("total") if said.has("total") else None
    return JobProgress(said.integer("done"), total, said.text_or_none("message") or "")


def _error(said: Fields) -> LatentDBError:
    code, detail = said.text("code"), said.text("detail")
    return error_of(code, detail) or RemoteError(detail, code=code)


@final
class Jobs:
    """The jobs of one server.

    Parameters
    ----------
    transport : Transport
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def all(self) -> list[Job]:
        """Every job that the server remembers."""
        told = Fields({"jobs": self._transport.json(_get("/v1/jobs"))}, "answer")
        return [read_job(one.whole()) for one in told.each("jobs")]

    def get(self, job_id: str) -> Job:
        """One job as it is now."""
        return read_job(self._transport.json(_get(f"/v1/jobs/{job_id}")))

    def cancel(self, job_id: str) -> None:
        """Ask that a job be given up."""
        self._transport.json(Call("DELETE", f"/v1/jobs/{job_id}", may_repeat=True))

    def begin(self, path: str, body: Mapping[str, Any]) -> Job:
        """Hand a job to the server; sent twice, it is still one."""
        return read_job(self._transport.json(begun(Call("POST", path, body=dict(body)))))

    def run(
        self,
        path: str,
        body: Mapping[str, Any],
        tell: Callable[[JobProgress], None] | None = None,
    ) -> Any:
        """The result of a job that is begun and followed to its end; errors as `follow`."""
        return self.follow(self.begin(path, body), tell)

    def follow(self, job: Job, tell: Callable[[JobProgress], None] | None = None) -> Any:
        """The result of a job, once it is done.

        Left by Ctrl-C, the job goes on, and a warning says how to look at it.

        Raises
        ------
        LatentDBError
            That with which the job failed.
        RemoteError
            It was cancelled.
        ServerUnreachableError
            The server was away for two minutes; the job goes on when it is back.
        """
        try:
            for seen in self._states(job):
                if tell is not None:
                    tell(seen.progress)
                job = seen
        except KeyboardInterrupt:
            _log.warning(
                "job %s goes on: latentdb jobs %s lists it, and --cancel %s gives it up",
                job.id,
                self._transport.server,
                job.id,
            )
            raise
        if job.state == "cancelled":
            raise RemoteError(f"job {job.id} ({job.kind}) was cancelled", code="cancelled")
        if job.error is not None:
            raise job.error
        return job.result

    def _states(self, job: Job) -> Iterator[Job]:
        """The job again and again until it has ended: by events, and by asking where none come."""
        now, heard, pause_s = job, time.monotonic(), _POLL_S[0]
        while now.state not in ENDED:
            try:
                for seen in self._told(now):
                    now, heard, pause_s = seen, time.monotonic(), _POLL_S[0]
                    yield now
                if now.state not in ENDED:
                    now, heard = self.get(job.id), time.monotonic()
                    yield now
            except (ServerUnreachableError, ServerBusyError) as error:
                if time.monotonic() - heard > _PATIENCE_S:
                    raise ServerUnreachableError(
                        f"{error}; job {job.id} goes on when the server is back"
                    ) from error
            if now.state not in ENDED:
                time.sleep(pause_s)
                pause_s = min(_POLL_S[1], 2 * pause_s)
        yield now

    def _told(self, job: Job) -> Iterator[Job]:
        """The job with each event, until the server ends them."""
        with self._transport.lines(_get(f"/v1/jobs/{job.id}/events")) as lines:
            for event in read_events(lines):
                if event.kind == "state":
                    yield read_job(json.loads(event.data))
                elif event.kind == "progress":
                    yield replace(
                        job, progress=_progress(Fields(json.loads(event.data), "progress"))
                    )


def begun(call: Call) -> Call:
    """A call that makes a job, marked so that it makes one however often it is sent."""
    headers = {**call.headers, "idempotency-key": uuid.uuid4().hex}
    return Call(
        call.method, call.path, call.query, call.body, call.files, call.fields, headers, True
    )


def _get(path: str) -> Call:
    return Call("GET", path, may_repeat=True)
