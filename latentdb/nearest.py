"""The nearest rows of vectors: the way that every question takes at last, and arrays may at once.

Where vectors are there already and ids are wanted, of thousands of questions or within a program,
`LatentDB.nearest` leaves out what a `Query` is turned into and what its hits are described by.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypedDict, Unpack, final

import numpy as np
import pyarrow as pa

from indexers.types import (
    FloatArray,
    IdArray,
    MetricName,
    PriorName,
    RealArray,
    SearchResult,
)
from latentdb.catalog import Catalog
from latentdb.index.live import LiveIndex
from latentdb.model import Vectors


class NearestOptions(TypedDict, total=False):
    """Options of `find_nearest`, as of `latentdb.query.Query`."""

    k: int
    metric: MetricName | None
    prior: PriorName | None
    where: str | None
    max_distance: float | None
    columns: Sequence[str]


class Comparison(NamedTuple):
    """What questions have in common that one search can answer."""

    space: str
    metric: MetricName | None = None
    prior: PriorName | None = None
    where: str | None = None
    max_distance: float | None = None


@final
class Neighbours(NamedTuple):
    """The nearest rows of each of several vectors, nearest first.

    `exact` and `recall_at_10` are as of `latentdb.types.Answer`.

    Attributes
    ----------
    space, metric : str
    ids : (n, k) int64
        Padded with −1; `LatentDB.items` tells what they are.
    distances : (n, k) float64
        Padded with `inf`.
    angular, radial : (n, k) float64, or None
        The two parts of a `nao` distance; None for other metrics.
    exact : bool
    recall_at_10 : float
    items : pyarrow.RecordBatch of n·k rows, or None
        The columns that were asked for, row after row of `ids`; null where those are padded.
    """

    space: str
    metric: str
    ids: IdArray
    distances: FloatArray
    angular: FloatArray | None
    radial: FloatArray | None
    exact: bool
    recall_at_10: float
    items: pa.RecordBatch | None = None

    def to_json(self) -> dict[str, Any]:
        """Everything, each row without its padding."""
        return {
            "space": self.space,
            "metric": self.metric,
            "exact": self.exact,
            "recall_at_10": self.recall_at_10,
            "rows": [self._row(row) for row in range(len(self.ids))],
        }

    def _row(self, row: int) -> dict[str, Any]:
        is_there = self.ids[row] >= 0
        names = ("ids", "distances", "angular", "radial")
        arrays = {name: getattr(self, name) for name in names}
        told: dict[str, Any] = {
            name: values[row, is_there].tolist()
            for name, values in arrays.items()
            if values is not None
        }
        if self.items is not None:
            # What is padded comes last.
            start, count = row * len(is_there), int(np.count_nonzero(is_there))
            told["items"] = self.items.slice(start, count).to_pydict()
        return told


def find_nearest(
    catalog: Catalog,
    vectors: RealArray,
    *,
    space: str,
    **options: Unpack[NearestOptions],
) -> Neighbours:
    """The rows of a space that are nearest to vectors of it.

    Parameters
    ----------
    catalog : Catalog
    vectors : (n, dim) float
        Of the space that is named; nothing is mapped, moved or left out.
    space : str
    **options
        k, metric, prior, where and max_distance, as of `latentdb.query.Query`; and columns, what
        `items` is to tell of each row: "source", "width", "height", "added_at" and labels.

    Raises
    ------
    UnknownSpaceError, FilterError, MetricError, LabelsError
    DimensionError, NonFiniteError, ZeroVectorError, ParameterError
    """
    rows = np.asarray(vectors, dtype=np.float32)
    how = Comparison(
        space,
        options.get("metric"),
        options.get("prior"),
        options.get("where"),
        options.get("max_distance"),
    )
    with catalog.store.look.block():
        live, found = compared(catalog, how, rows, options.get("k", 10))
        columns = options.get("columns")
        items = catalog.store.item_columns(found.ids.ravel(), columns) if columns else None
    recall = 1.0 if found.exact else live.facts.recall_at_10
    return Neighbours(
        space,
        live.metric.name,
        found.ids,
        found.distances,
        found.angular,
        found.radial,
        found.exact,
        recall,
        items,
    )


def compared(
    catalog: Catalog, how: Comparison, vectors: Vectors, k: int
) -> tuple[LiveIndex, SearchResult]:
    """The `k` nearest rows of vectors (n, dim) of a space, and what they were found by."""
    space, metric, prior, where, max_distance = how
    live = catalog.store.look.once(
        (space, metric, prior),
        lambda: catalog.indexes.live(catalog.store.space(space), metric, prior),
    )
    allowed = None if where is None else catalog.filters.get(where, space)
    return live, live.search(vectors, k, allowed_ids=allowed, max_distance=max_distance)
