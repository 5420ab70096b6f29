"""An index together with the rows that are newer than it: one complete answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from indexers.abstract import AbstractIndex
from indexers.metric import AbstractMetric
from indexers.types import FloatArray, IdArray, PriorName, SearchResult
from latentdb.model import Vectors


@final
@dataclass(frozen=True)
class LiveFacts:
    """Of an index on disk: rows that were taken out when it was loaded, and recall at 10."""

    removed_rows: int = 0
    recall_at_10: float = 1.0


@final
class LiveIndex:
    """Searches an index and, exactly, the rows that came after it, and merges the two.

    Parameters
    ----------
    index : AbstractIndex
        Without the rows that are gone from the table.
    newer : AbstractIndex or None
        An exact index of the rows that `index` lacks, under the same metric.
    prior : "chi", "fitted", "none" or None
        What the metric's prior is called; None for metrics without one.
    facts : LiveFacts
        What is known of `index`.
    """

    def __init__(
        self,
        index: AbstractIndex,
        newer: AbstractIndex | None,
        prior: PriorName | None,
        facts: LiveFacts,
    ) -> None:
        self.prior = prior
        self.facts = facts
        self._index = index
        self._newer = newer

    @property
    def metric(self) -> AbstractMetric:
        """What distances are measured by."""
        return self._index.metric

    @property
    def newer_rows(self) -> int:
        """Rows that are searched beside the index."""
        return 0 if self._newer is None else len(self._newer)

    def __len__(self) -> int:
        return len(self._index) + self.newer_rows

    def search(
        self,
        queries: Vectors,
        k: int,
        *,
        allowed_ids: IdArray | None = None,
        max_distance: float | None = None,
    ) -> SearchResult:
        """Nearest rows of each query; parameters and errors as `AbstractIndex.search`."""

        def ask(index: AbstractIndex) -> SearchResult:
            return index.search(queries, k, allowed_ids=allowed_ids, max_distance=max_distance)

        found = ask(self._index)
        return found if self._newer is None else _merge(found, ask(self._newer), k)


def _merge(left: SearchResult, right: SearchResult, k: int) -> SearchResult:
    """The `k` nearest of two answers to the same queries; padding sorts last, at `inf`."""
    distances = np.concatenate([left.distances, right.distances], axis=1)
    first = np.argsort(distances, axis=1, kind="stable")[:, :k]

    def pick(one: NDArray, other: NDArray) -> NDArray:  # type: ignore[type-arg]
        return np.take_along_axis(np.concatenate([one, other], axis=1), first, axis=1)

    parts: list[FloatArray | None] = [
        None if one is None or other is None else pick(one, other)
        for one, other in [(left.angular, right.angular), (left.radial, right.radial)]
    ]
    return SearchResult(
        ids=pick(left.ids, right.ids),
        distances=np.take_along_axis(distances, first, axis=1),
        angular=parts[0],
        radial=parts[1],
        exact=left.exact and right.exact,
    )
