"""Several answers to the same queries, from parts that hold different rows, as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from indexers.id_set import IdSet
from indexers.types import FloatArray, SearchResult


class Searched(Protocol):
    """Rows that can be searched, with the parameters of `AbstractIndex.search`."""

    def search(
        self,
        queries: npt.NDArray[Any],
        k: int,
        *,
        allowed_ids: npt.NDArray[Any] | IdSet | None = None,
        max_distance: float | None = None,
    ) -> SearchResult:
        """The nearest rows of each query."""


def search_parts(
    parts: Sequence[Searched],
    queries: npt.NDArray[Any],
    k: int,
    *,
    allowed_ids: npt.NDArray[Any] | IdSet | None,
    max_distance: float | None,
) -> SearchResult:
    """The nearest rows of all parts, of which there is at least one; they hold different rows."""
    found = None
    for part in parts:
        one = part.search(queries, k, allowed_ids=allowed_ids, max_distance=max_distance)
        found = one if found is None else merged(found, one, k)
    assert found is not None
    return found


def merged(left: SearchResult, right: SearchResult, k: int) -> SearchResult:
    """The `k` nearest of two answers to the same queries; padding sorts last, at `inf`.

    Of parts whose answers are the true ones it is the true one of all their rows: what is among
    the `k` nearest of all is among those of its part.
    """
    distances = np.concatenate([left.distances, right.distances], axis=1)
    first = np.argsort(distances, axis=1, kind="stable")[:, :k]

    def pick(one: npt.NDArray, other: npt.NDArray) -> npt.NDArray:  # type: ignore[type-arg]
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
