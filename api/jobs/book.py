"""The jobs of a database, in files below it: any process reads them, one at a time changes one.

<database>/jobs/<id>/job.json        what it is and how it stands; on disk before it is promised
<database>/jobs/<id>/progress.json   how far it is; may be lost
<database>/jobs/<id>/cancel          there once somebody wants it to end
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from secrets import token_hex
from typing import Any, Final, final

from filelock import FileLock, Timeout

from api.jobs.errors import KeyReusedError, TooManyJobsError, UnknownJobError
from api.jobs.job import Job, Progress, State, now
from latentdb.durable import sync_folder, write_whole

MAX_DEATHS: Final = 3
"""Runners that may die over a job before it is given up."""
KEPT: Final = 500
"""Jobs that are over and still told of; older ones are forgotten."""
_ID = re.compile(r"[0-9a-f]{16,64}")
_LOCK_SECONDS = 30.0
_FIRST = "ingest"


@final
class JobBook:
    """Jobs of one database; safe from several threads and processes.

    Parameters
    ----------
    database : Path
        Its folder; of one in an object store, that of its local copy.
    uri : str
        What the database is opened by; where not given, its folder.
    """

    def __init__(self, database: Path, *, uri: str = "") -> None:
        self.uri = uri or str(database)
        self._folder = database / "jobs"
        self._serial = threading.Lock()
        self._seen: dict[str, tuple[tuple[int, int], Job]] = {}

    # Reading

    def get(self, job_id: str) -> Job:
        """One job.

        Raises
        ------
        UnknownJobError
            There is none of that id.
        """
        found = self._read(job_id) if _ID.fullmatch(job_id) else None
        if found is None:
            raise UnknownJobError(job_id)
        return found

    def all(self) -> list[Job]:
        """Every job, the newest first."""
        return sorted(self._each(), key=lambda job: (job.created_at, job.id), reverse=True)

    def unfinished(self) -> list[Job]:
        """Jobs that are queued or running, in the order in which they are done.

        Uploads come first: somebody waits for the pictures, and studies take long.
        """
        there = [job for job in self._each() if not job.is_over]
        return sorted(there, key=lambda job: (job.kind != _FIRST, job.created_at, job.id))

    def counts(self) -> dict[str, int]:
        """How many jobs are in each state, those that were forgotten left out."""
        return dict(Counter(job.state for job in self._each()))

    def progress(self, job_id: str) -> Progress:
        """How far a job is."""
        try:
            said = json.loads((self._folder / job_id / "progress.json").read_text("utf-8"))
        except FileNotFoundError:
            return Progress()
        return Progress(**said)

    def is_cancelled(self, job_id: str) -> bool:
        """Whether somebody wants it to end."""
        return (self._folder / job_id / "cancel").exists()

    # Asking

    def create(
        self,
        kind: str,
        arguments: Mapping[str, Any],
        *,
        most: int,
        key: str | None = None,
        settle: Callable[[str], None] | None = None,
    ) -> Job:
        """Write a job down; once this returns, it survives whatever happens.

        Parameters
        ----------
        kind, arguments
            See `Job`.
        most : int
            Jobs that may wait.
        key : str, optional
            Where there is a job of that key for the same request, that job is the answer.
        settle : callable
            Puts in place what the job of that id needs; called only where the job is new.

        Raises
        ------
        KeyReusedError
            The job of that key is of another request.
        TooManyJobsError
            As many wait as may.
        """
        hashed = None if key is None else hashlib.sha256(key.encode()).hexdigest()
        with self._changing():
            before = next((job for job in self._each() if hashed and job.key == hashed), None)
            if before is not None:
                if (before.kind, before.arguments) != (kind, _as_read(arguments)):
                    raise KeyReusedError
                return before
            waiting = len(self.unfinished())
            if waiting >= most:
                raise TooManyJobsError(waiting)
            # Never that of an earlier job, whose pictures lie below its id for good.
            job = Job(token_hex(16), kind, _as_read(arguments), now(), key=hashed)
            if settle is not None:
                settle(job.id)
            self._write(job)
            sync_folder(self._folder)
            return job

    def cancel(self, job_id: str) -> Job:
        """Have a job end: at once where it waits, else between two of its steps."""
        with self._changing():
            job = self.get(job_id)
            if job.state == "queued":
                return self._write(_ended(job, "cancelled"))
            if job.state == "running":
                (self._folder / job_id / "cancel").touch()
            return job

    # Doing, which one runner at a time does

    def take(self, runner: str) -> Job | None:
        """The next job, running from now on; None where there is none.

        One that another runner left running is taken up again, unless too many died over it.
        """
        with self._changing():
            for job in self.unfinished():
                if job.deaths >= MAX_DEATHS:
                    self._write(_given_up(job))
                else:
                    started = job.started_at or now()
                    mine = (*job.runners, runner)
                    return self._write(
                        replace(job, state="running", started_at=started, runners=mine)
                    )
        return None

    def put_back(self, job_id: str) -> None:
        """Have a job that was interrupted wait for the next runner."""
        with self._changing():
            job = self.get(job_id)
            if job.state == "running":
                self._write(replace(job, state="queued"))

    def finish(
        self,
        job_id: str,
        state: State,
        *,
        result: Any = None,
        error: Mapping[str, str] | None = None,
    ) -> Job:
        """Note how a job ended, and forget old ones."""
        with self._changing():
            ended = _ended(self.get(job_id), state, result=result, error=error)
            self._write(ended)
            self._forget_old()
            return ended

    def tell(self, job_id: str, progress: Progress) -> None:
        """Note how far a job is."""
        content = json.dumps(asdict(progress)).encode()
        write_whole(self._folder / job_id / "progress.json", content, synced=False)

    def blame(self, runner: str) -> None:
        """Note that a runner died, over whichever job it had taken up and not ended."""
        with self._changing():
            for job in self.unfinished():
                if runner in job.runners:
                    died = replace(job, deaths=job.deaths + 1)
                    is_its_own = job.runners[-1] == runner
                    is_lost = is_its_own and died.deaths >= MAX_DEATHS
                    self._write(_given_up(died) if is_lost else died)

    # One runner

    def runner_lock(self) -> FileLock:
        """The right to do jobs; it dies with its holder."""
        self._folder.mkdir(exist_ok=True)
        return FileLock(self._folder / "runner.lock", timeout=0)

    def has_runner(self) -> bool:
        """Whether some process does jobs."""
        try:
            with self.runner_lock():
                return False
        except Timeout:
            return True

    # Files

    def _each(self) -> Iterator[Job]:
        if not self._folder.is_dir():
            return
        for folder in self._folder.iterdir():
            job = self._read(folder.name) if _ID.fullmatch(folder.name) else None
            if job is not None:
                yield job

    def _read(self, job_id: str) -> Job | None:
        seen = self._seen.get(job_id)
        path = self._folder / job_id / "job.json"
        try:
            status = path.stat()
            # Replacing a file gives it another inode.
            stamp = (status.st_ino, status.st_mtime_ns)
            if seen is None or seen[0] != stamp:
                job = Job.from_json(json.loads(path.read_text("utf-8")))
                seen = self._seen[job_id] = (stamp, job)
        except FileNotFoundError:
            self._seen.pop(job_id, None)
            return None
        return seen[1]

    def _write(self, job: Job) -> Job:
        folder = self._folder / job.id
        folder.mkdir(exist_ok=True)
        write_whole(folder / "job.json", json.dumps(job.to_json(), allow_nan=False).encode())
        return job

    def _forget_old(self) -> None:
        over = [job for job in self.all() if job.is_over]
        for job in over[KEPT:]:
            # Without its file it is no job any more, whatever else is still there.
            (self._folder / job.id / "job.json").unlink(missing_ok=True)
            shutil.rmtree(self._folder / job.id)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Be the one who changes jobs, for the length of the block."""
        self._folder.mkdir(exist_ok=True)
        with self._serial, FileLock(self._folder / "book.lock", timeout=_LOCK_SECONDS):
            yield


def _as_read(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as they come back from a file."""
    read: dict[str, Any] = json.loads(json.dumps(arguments, allow_nan=False))
    return read


def _ended(
    job: Job, state: State, *, result: Any = None, error: Mapping[str, str] | None = None
) -> Job:
    return replace(job, state=state, result=result, error=error, finished_at=now())


def _given_up(job: Job) -> Job:
    detail = f"its runner died {job.deaths} times; the server's log says how"
    return _ended(job, "failed", error={"code": "runner-died", "detail": detail})
