"""What one ingest run can be told."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import final

from latentdb.errors import QueryError
from latentdb.ingest.decode import DEFAULT_MAX_MEGAPIXELS, DEFAULT_MIN_SIDE


def default_workers() -> int:
    """Decoding processes for this machine: one on two cores, never more than eight.

    A process decodes a photograph in milliseconds, and models take far longer, so more than a
    few would only wait.
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(8, (usable or 1) // 2))


@final
@dataclass(frozen=True)
class IngestOptions:
    """Settings of one ingest run; none of them moves a vector.

    Parameters
    ----------
    batch_size : int, optional
        Pictures that a model gets at once, halved when memory runs out; as many as memory holds
        where not given, see `latentdb.ingest.batch_size`.
    workers : int, optional
        Decoding processes; 0 decodes in this process. Chosen by the machine where not given.
    max_megapixels : float
        Larger pictures go to quarantine unread.
    min_side : int
        Pictures with a shorter side, in pixels, go to quarantine.
    limit : int, optional
        Only the first so many files of the source.
    retry_quarantined : bool
        Try files again whose bytes went to quarantine in an earlier run. Verdicts that hang on
        these options, on the system or on a model are always judged again.
    commit_rows : int
        Pictures written at once, at most.
    commit_seconds : float
        Time, in seconds, after which finished pictures are written even if they are fewer.
    labels : Path, optional
        CSV or JSONL with a `path` column; see `latentdb.ingest.labels`.
    source_prefix : str, optional
        Stands in stored names where the path of the source would.
    """

    batch_size: int | None = None
    workers: int | None = None
    max_megapixels: float = DEFAULT_MAX_MEGAPIXELS
    min_side: int = DEFAULT_MIN_SIDE
    limit: int | None = None
    retry_quarantined: bool = False
    commit_rows: int = 512
    commit_seconds: float = 10.0
    labels: str | Path | None = None
    source_prefix: str | None = None

    def __post_init__(self) -> None:
        at_least_one = {
            "batch_size": 1 if self.batch_size is None else self.batch_size,
            "commit_rows": self.commit_rows,
            "min_side": self.min_side,
        }
        for name, value in at_least_one.items():
            if value < 1:
                raise QueryError(f"{name} must be at least 1, got {value}")
        not_negative = {"workers": self.workers, "limit": self.limit}
        for name, count in not_negative.items():
            if count is not None and count < 0:
                raise QueryError(f"{name} must not be negative, got {count}")
        if self.max_megapixels <= 0 or self.commit_seconds <= 0:
            raise QueryError(
                f"max_megapixels and commit_seconds must be above 0, got {self.max_megapixels} "
                f"and {self.commit_seconds}"
            )

    @property
    def worker_count(self) -> int:
        """Decoding processes, as given or as the machine suggests."""
        return default_workers() if self.workers is None else self.workers
