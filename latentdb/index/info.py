"""What is known of an index: the one on disk, and the one that a process searches by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, final

from indexers.types import MetricName, PriorName
from latentdb.index.live import LiveFacts
from latentdb.index.tuning import Tuning


@final
@dataclass(frozen=True)
class IndexInfo:
    """One index on disk.

    `count` vectors are in it; `recall_at_10` is 1 where answers are exact, else the least that was
    measured of any kind of question; `newer_rows` came to the table after it was built and are
    searched exactly beside it; `removed_rows` are in it but no longer in the table, and are left
    out; building and measuring took `seconds`. `reason` says why the kind was chosen, None where
    it was asked for; `tuning` what approximate search was set to and finds, None of exact search.
    """

    space: str
    metric: MetricName
    prior: PriorName | None
    kind: str
    count: int
    recall_at_10: float
    newer_rows: int
    removed_rows: int
    index_bytes: int
    seconds: float
    reason: str | None = None
    tuning: Tuning | None = None

    @property
    def target_met(self) -> bool:
        """Whether every kind of question finds what it was to find; true of exact search."""
        return self.tuning is None or self.tuning.target_met

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        tuning = None if self.tuning is None else self.tuning.to_json()
        return {**asdict(self), "target_met": self.target_met, "tuning": tuning}


@final
@dataclass(frozen=True)
class LoadedIndex:
    """An index that a process searches by.

    Attributes
    ----------
    name : str
        Such as `clip--cosine`.
    count, newer_rows : int
        Rows that are searched, and how many of them beside the index on disk.
    facts : LiveFacts
    age_s : float or None
        Seconds since it was built; None where it is in memory alone.
    audit : mapping or None
        What its last audit found, as `IndexAudit.to_json` tells it.
    """

    name: str
    count: int
    newer_rows: int
    facts: LiveFacts
    age_s: float | None
    audit: Mapping[str, Any] | None = None
