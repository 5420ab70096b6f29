"""The HNSW index: a navigable graph over the rows; approximate, fast, tuned by `ef_search`."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from typing import Any, ClassVar, final

import numpy as np

from indexers.checks import check_count
from indexers.efforts import doublings
from indexers.faiss_library import faiss
from indexers.ids import Selection, is_padded
from indexers.stage import (
    AbstractFlatStage,
    AbstractIndexConfig,
    Candidates,
    RowLayout,
    SavedStage,
)
from indexers.types import PAD_ID, Float32Array, IdArray, IndexKind


@final
@dataclass(frozen=True)
class HnswConfig(AbstractIndexConfig):
    """Approximate search along a graph of near neighbours.

    When to use it: from some 100,000 vectors on, when queries must take a millisecond and recall
    of .95 to .99 is enough. It is slow to build (minutes for 100,000 × 1,024) and its recall
    falls with the intrinsic dimension of the data: at the same settings, whole-space Gaussian
    noise is far harder than encoder embeddings. A removed row stays in the graph as a signpost
    until the index is built again.

    Bytes per vector: 4·dim for the row, 8·m + 4·m/(m − 1) + about 20 for the graph, 8 for the
    id: 4,381 at 1,024 dimensions and m = 32.

    Attributes
    ----------
    m : int
        Links per row (twice as many on the lowest level), 2 to 512.
    ef_construction : int
        Width of the search that places a row; higher builds slower and links better.
    ef_search : int
        Width of a query's search; higher is slower and finds more. Raised to `k` where `k` is
        larger.

    References
    ----------
    Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search using
    Hierarchical Navigable Small World graphs", 2016, arXiv 1603.09320.
    """

    m: int = 32
    ef_construction: int = 128
    ef_search: int = 128

    kind: ClassVar[IndexKind] = "hnsw"
    is_exact: ClassVar[bool] = False
    effort: ClassVar[tuple[str, ...]] = ("ef_search",)

    def __post_init__(self) -> None:
        check_count(self.m, what="m", minimum=2)
        check_count(self.ef_construction, what="ef_construction")
        check_count(self.ef_search, what="ef_search")

    def make_stage(self, layout: RowLayout, saved: SavedStage | None = None) -> HnswStage:
        """An empty stage, or one that was read from files."""
        return HnswStage(layout, self, saved)

    def bytes_per_vector(self, dim: int) -> float:
        """Memory of one vector of `dim` values under the Euclidean metric, ids included."""
        return 4.0 * dim + 8.0 * self.m + 4.0 * self.m / (self.m - 1) + 28.0

    def efforts(self, count: int) -> tuple[HnswConfig, ...]:
        """Widths of a query's search from 16, doubled up to 2,048 or all rows."""
        return tuple(replace(self, ef_search=ef) for ef in doublings(16, min(count, 2048)))


@final
class HnswStage(AbstractFlatStage):
    """FAISS `IndexHNSWFlat`; the rows are kept once, in its flat storage."""

    def __init__(
        self, layout: RowLayout, config: HnswConfig, saved: SavedStage | None = None
    ) -> None:
        if saved is not None:
            self._graph = saved.faiss_index
        else:
            score = faiss.METRIC_INNER_PRODUCT if layout.inner_product else faiss.METRIC_L2
            self._graph = faiss.IndexHNSWFlat(layout.dim, config.m, score)
            self._graph.hnsw.efConstruction = config.ef_construction
        super().__init__(layout, faiss.downcast_index(self._graph.storage))
        self._config = config

    @property
    def faiss_index(self) -> Any:
        """The FAISS `IndexHNSWFlat`."""
        return self._graph

    def add(self, rows: Float32Array) -> None:
        """Put rows at the next positions and link them.

        A column −g would draw rows of large penalties g together, for their products add up. Links
        are made with 1 − g/2 in its place: c − (g0 + g1)/2 or nearly so, by which rows that
        answer many queries are met first. All of both penalties, as in NAO itself, would leave
        more of the rows far off the shell where no link leads.
        """
        if not self.layout.has_penalty:
            self._graph.add(rows)
            return
        column = np.concatenate([self.view()[:, -1], rows[:, -1]])
        weights = np.maximum(1.0 + 0.5 * column, 0.0)
        self.view()[:, -1] = weights[: self.count]
        linked = rows.copy()
        linked[:, -1] = weights[self.count :]
        try:
            self._graph.add(linked)
        finally:
            self.view()[:, -1] = column[: self.count]

    def at_effort(self, config: HnswConfig) -> HnswStage:
        """The same graph, searched at another width."""
        twin = copy(self)
        twin._config = config
        return twin

    def remove(self, positions: IdArray) -> bool:  # noqa: ARG002
        """Leave the rows as signposts: FAISS cannot unlink them, the selection hides them."""
        return False

    def top(self, queries: Float32Array, k: int, selection: Selection) -> Candidates:
        """The k best-scored selected rows the graph leads to, or a scan where that is cheaper."""
        width = max(self._config.ef_search, k)
        if selection.mask is not None:
            # The graph meets one allowed row in count/selection.count, so it must look that much
            # wider. A step of it compares with 10 rows where they lie in clusters and with 40 in
            # noise, at random places, which takes twice as long as to scan as many.
            width = -(-width * self.count // selection.count)
            if selection.count <= self._config.m * width:
                return self.scan(queries, k, selection)
        elif width >= selection.count:
            return self.scan(queries, k, selection)
        parameters = _parameters(width, selection)
        scores, positions = self._graph.search(queries, k, params=parameters)
        if not is_padded(positions):
            return Candidates(scores, positions, complete=False, is_measured=True)
        short = np.flatnonzero(positions[:, -1] == PAD_ID)
        rest = self.scan(queries[short], k, selection)
        scores[short], positions[short] = rest.scores, rest.positions
        return Candidates(scores, positions, len(short) == len(queries), is_measured=True)


def _parameters(width: int, selection: Selection) -> Any:
    made = selection.graph_parameters.get(width)
    if made is None:
        chosen = {} if selection.selector is None else {"sel": selection.selector}
        made = faiss.SearchParametersHNSW(efSearch=width, **chosen)
        selection.graph_parameters[width] = made
    return made
