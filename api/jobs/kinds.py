"""The kinds of jobs, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from api.jobs.audits import AuditJob
from api.jobs.book import JobBook
from api.jobs.fits import DirectionJob, IndexJob, MapJob, SharedJob
from api.jobs.job import Job
from api.jobs.kind import AbstractKind
from api.jobs.studies import EnergyJob, ProjectionJob, ReportJob
from api.jobs.upkeep import CompactJob
from api.jobs.uploads import UploadJob
from latentdb.database import LatentDB

_ALL: tuple[type[AbstractKind], ...] = (
    UploadJob, IndexJob, MapJob, SharedJob, DirectionJob, EnergyJob, ProjectionJob, ReportJob,
    CompactJob,
    AuditJob,
)  # fmt: skip
KINDS: Final[Mapping[str, type[AbstractKind]]] = {kind.name: kind for kind in _ALL}


def kind_of(job: Job) -> AbstractKind:
    """The work of a job, from its file."""
    return KINDS[job.kind].model_validate(job.arguments)


def cancel(db: LatentDB, book: JobBook, job_id: str) -> Job:
    """Have a job end, and take away what it leaves behind where it ends at once.

    Raises
    ------
    UnknownJobError
    """
    before, ended = book.get(job_id), book.cancel(job_id)
    if ended.is_over and not before.is_over:
        kind_of(ended).on_cancelled(db, job_id)
    return ended
