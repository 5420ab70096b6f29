"""An index together with the rows that are newer than it: one complete answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, cast, final

import numpy as np

from indexers.flat import FlatConfig
from indexers.id_set import IdSet
from indexers.index import VectorIndex, build_index
from indexers.joining import join_flat
from indexers.merging import search_parts
from indexers.metric import AbstractMetric
from indexers.stage import AbstractIndexConfig
from indexers.types import PAD_ID, IdArray, PriorName, SearchResult
from latentdb.arrays import is_among
from latentdb.index.questions import QuestionKind
from latentdb.model import Vectors

# Parts of fewer values together are joined whatever their sizes: 16 MB are copied in milliseconds.
_SMALL_VALUES = 1 << 22
_MUCH_LARGER = 4


@final
@dataclass(frozen=True)
class LiveFacts:
    """What is known of an index.

    Attributes
    ----------
    is_saved : bool
        Whether it is on disk; else it was made in memory from the stored vectors.
    removed_rows : int
        Rows that are in it and no longer in the table.
    recall_at_10 : float
        The least over all kinds of questions.
    recall : mapping of kind of question to float
        Of those that it was measured by; see `latentdb.index.questions`.
    target_recall : float
        What every kind was to find; 1 of exact search.
    """

    is_saved: bool = False
    removed_rows: int = 0
    recall_at_10: float = 1.0
    recall: Mapping[QuestionKind, float] = field(default_factory=dict)
    target_recall: float = 1.0

    def recall_for(self, kinds: Iterable[QuestionKind]) -> float:
        """Recall of a question that is of these kinds at once: the least of theirs.

        One that was not measured, or of no kind that is known, counts as the worst.
        """
        return min(
            (self.recall.get(kind, self.recall_at_10) for kind in kinds), default=self.recall_at_10
        )


@final
@dataclass(frozen=True, eq=False)
class RowTimes:
    """Rows that are searched: ids (n,) sorted, and when each item came (n,), in microseconds.

    An id that was deleted and came again has another time, and may have another vector.
    """

    ids: IdArray
    times: IdArray

    def lacking_in(self, other: RowTimes) -> IdArray:
        """Ids that `other` has not, or has from another time."""
        if not len(other.ids):
            return self.ids
        at = np.minimum(np.searchsorted(other.ids, self.ids), len(other.ids) - 1)
        is_there = (other.ids[at] == self.ids) & (other.times[at] == self.times)
        lacking: IdArray = self.ids[~is_there]
        return lacking


class Part(Protocol):
    """Rows under ids that are searched by one metric: a `VectorIndex`, or shards of one."""

    @property
    def metric(self) -> AbstractMetric:
        """What distances are measured by."""

    @property
    def config(self) -> AbstractIndexConfig:
        """Kind and settings."""

    @property
    def ids(self) -> IdArray:
        """Ids of all rows, in no particular order. A copy."""

    def __len__(self) -> int:
        """Number of rows that a search may find."""

    def search(
        self,
        queries: Vectors,
        k: int,
        *,
        allowed_ids: IdArray | IdSet | None = None,
        max_distance: float | None = None,
    ) -> SearchResult:
        """The nearest rows of each query; see `AbstractIndex.search`."""

    def without(self, ids: IdArray) -> Part:
        """The same without these rows; this one stays as it is."""


@final
class LiveIndex:
    """Searches an index and, exactly, the rows that came after it, and merges the two.

    It never changes: `grown` gives another, which shares what stays, so that searches that are
    under way end in the one they began with.

    Parameters
    ----------
    parts : tuple of Part
        Of different ids under one metric. The first is the index; the others are flat, and so is
        the first unless it is on disk.
    rows : RowTimes
        What is in them.
    prior : "chi", "fitted", "none" or None
        What the metric's prior is called; None for metrics without one.
    facts : LiveFacts
        What is known of the first part.
    """

    def __init__(
        self,
        parts: tuple[Part, ...],
        rows: RowTimes,
        prior: PriorName | None,
        facts: LiveFacts,
    ) -> None:
        self.prior = prior
        self.facts = facts
        self.rows = rows
        self._parts = parts

    @property
    def metric(self) -> AbstractMetric:
        """What distances are measured by."""
        return self._parts[0].metric

    @property
    def index(self) -> Part:
        """The first part: without the rows that came after it was built."""
        return self._parts[0]

    @property
    def is_exact(self) -> bool:
        """Whether its answers are always the true ones."""
        return self._parts[0].config.is_exact

    @property
    def newer_rows(self) -> int:
        """Rows that are searched beside an index on disk."""
        return sum(map(len, self._parts[1:])) if self.facts.is_saved else 0

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def search(
        self,
        queries: Vectors,
        k: int,
        *,
        allowed_ids: IdArray | IdSet | None = None,
        max_distance: float | None = None,
    ) -> SearchResult:
        """Nearest rows of each query; parameters and errors as `AbstractIndex.search`."""
        return search_parts(
            self._parts, queries, k, allowed_ids=allowed_ids, max_distance=max_distance
        )

    def grown(self, now: RowTimes, read: Callable[[IdArray], Vectors]) -> LiveIndex:
        """The same with the rows that are there now; what `read` is called with alone is read."""
        gone = self.rows.lacking_in(now)
        new = now.lacking_in(self.rows)
        lacking = [_those_in(part, gone) for part in self._parts] if len(gone) else []
        parts: list[Part] = [
            part.without(ids) if len(ids) else part
            for part, ids in zip(self._parts, lacking or [gone] * len(self._parts), strict=True)
        ]
        if len(new):
            parts.append(build_index(read(new), new, metric=self.metric, config=FlatConfig()))
        fixed = parts[:1] if self.facts.is_saved else []
        joined = (*fixed, *_joined(cast("list[VectorIndex]", parts[len(fixed) :])))
        removed = self.facts.removed_rows + (len(lacking[0]) if lacking else 0)
        facts = replace(self.facts, removed_rows=removed if self.facts.is_saved else 0)
        return LiveIndex(joined, now, self.prior, facts)


def _those_in(part: Part, ids: IdArray) -> IdArray:
    return ids[is_among(ids, np.sort(part.ids))]


def _joined(parts: list[VectorIndex]) -> list[VectorIndex]:
    """Few parts of the same rows: a small one is joined to the one before.

    One that is much smaller than a large one stays beside it, so that rows are copied a few times
    however often rows come.
    """
    joined: list[VectorIndex] = []
    for part in parts:
        joined.append(_closed_up(part))
        while len(joined) > 1 and _belong_together(*joined[-2:]):
            last = joined.pop()
            joined[-1] = join_flat([joined[-1], last])
    return joined


def _belong_together(large: VectorIndex, small: VectorIndex) -> bool:
    values = (len(large) + len(small)) * large.dim
    return values <= _SMALL_VALUES or len(large) < _MUCH_LARGER * len(small)


def _closed_up(part: VectorIndex) -> VectorIndex:
    """The part without the rows that it hides, where those are as many as the others."""
    hidden = np.count_nonzero(part.position_ids == PAD_ID)
    return join_flat([part]) if hidden > len(part) else part
