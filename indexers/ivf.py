"""The IVF index: rows in cells around centroids, of which a query visits a few."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from typing import Any, ClassVar, final

import numpy as np

from indexers.cells import OUTGROWN, cells_for, owned_flat, search_cells, settle
from indexers.checks import check_count
from indexers.efforts import doublings
from indexers.faiss_library import faiss
from indexers.gpu import GpuCopy, gpu_count, suits_gpu
from indexers.ids import Selection
from indexers.stage import (
    AbstractIndexConfig,
    AbstractStage,
    Candidates,
    RowLayout,
    SavedStage,
)
from indexers.types import PAD_ID, Float32Array, IdArray, IndexKind


@final
@dataclass(frozen=True)
class IvfConfig(AbstractIndexConfig):
    """Approximate search in the cells nearest to the query.

    When to use it: from some 100,000 vectors on, for data in clusters, as embeddings are: built in
    a fraction of the time of `hnsw` and as quick to search (`benchmarks/index_kinds.py`). In
    whole-space noise cells say little of who is near, and recall is far below a graph's: raise
    `nprobe`. A removed row stays in its cell until the index is built again.

    Bytes per vector: 4·dim for the row, 16 for its place, 8 for the id; and 4·dim per cell:
    4,120 at 1,024 dimensions.

    Attributes
    ----------
    nlist : int or None
        Cells. None chooses 4·√n, or fewer where a cell would have less than 39 rows.
    nprobe : int
        Cells that a query visits; higher is slower and finds more. Raised under a filter.

    References
    ----------
    Jégou, Douze and Schmid, "Product quantization for nearest neighbor search", IEEE TPAMI 33(1),
    2011 (the inverted file, section IV).
    """

    nlist: int | None = None
    nprobe: int = 16

    kind: ClassVar[IndexKind] = "ivf"
    is_exact: ClassVar[bool] = False
    effort: ClassVar[tuple[str, ...]] = ("nprobe",)

    def __post_init__(self) -> None:
        if self.nlist is not None:
            check_count(self.nlist, what="nlist")
        check_count(self.nprobe, what="nprobe")

    def make_stage(self, layout: RowLayout, saved: SavedStage | None = None) -> IvfStage:
        """An empty stage, or one that was read from files."""
        return IvfStage(layout, self, saved)

    def bytes_per_vector(self, dim: int) -> float:
        """Memory of one vector of `dim` values under the Euclidean metric, ids included."""
        return 4.0 * dim + 24.0

    def efforts(self, count: int) -> tuple[IvfConfig, ...]:
        """One cell, doubled up to all."""
        return tuple(replace(self, nprobe=cells) for cells in doublings(1, self.cells_for(count)))

    def cells_for(self, count: int) -> int:
        """How many cells `count` rows are laid out in."""
        return cells_for(count, self.nlist, per_root=4)


@final
class IvfStage(AbstractStage):
    """FAISS `IndexIVFFlat`, with a map from positions to places in cells."""

    def __init__(
        self, layout: RowLayout, config: IvfConfig, saved: SavedStage | None = None
    ) -> None:
        super().__init__(layout)
        self._config = config
        self._cells = self._laid_out(1) if saved is None else saved.faiss_index
        self._laid_out_for = self.count
        self._gpu = GpuCopy()

    @property
    def count(self) -> int:
        """Number of positions, removed ones included."""
        return int(self._cells.ntotal)

    @property
    def faiss_index(self) -> Any:
        """The FAISS `IndexIVFFlat`."""
        return self._cells

    def at_effort(self, config: IvfConfig) -> IvfStage:
        """The same cells, of which another number is visited."""
        twin = copy(self)
        twin._config = config
        return twin

    def prepare(self, sample: Float32Array, count: int) -> None:
        """Place centroids by a sample, for so many rows."""
        self._lay_out(sample, count)

    def add(self, rows: Float32Array) -> None:
        """Put rows at the next positions; cells that are outgrown are laid out again."""
        if not len(rows):
            return
        total = self.count + len(rows)
        if total >= OUTGROWN * self._laid_out_for:
            rows = np.concatenate([self.gather(np.arange(self.count)), rows])
            self._lay_out(rows, total)
        self._cells.add(rows)

    def remove(self, positions: IdArray) -> bool:  # noqa: ARG002
        """Leave the rows in their cells: the selection hides them."""
        return False

    def top(self, queries: Float32Array, k: int, selection: Selection) -> Candidates:
        """The k best-scored selected rows of the nearest cells; of all, where those hold fewer."""
        nprobe = min(self._config.nprobe, int(self._cells.nlist))
        if gpu_count() and suits_gpu(self._cells, k, selection, nprobe):
            scores, positions = self._gpu.search(self._cells, queries, k, nprobe)
            if (positions[:, -1] != PAD_ID).all():
                return Candidates(scores, positions, nprobe == int(self._cells.nlist))
        return search_cells(self._cells, (queries, k, selection), nprobe)

    def gather(self, positions: IdArray) -> Float32Array:
        """Copies of the rows at `positions`."""
        if not len(positions):
            return np.empty((0, self.layout.dim), np.float32)
        rows: Float32Array = self._cells.reconstruct_batch(positions)
        return rows

    def _lay_out(self, sample: Float32Array, count: int) -> None:
        """Empty cells for `count` rows, their centroids placed by some of them."""
        self._cells = self._laid_out(min(self._config.cells_for(count), len(sample)))
        self._cells.train(self._places(sample))
        self._laid_out_for = count

    def _laid_out(self, cells: int) -> Any:
        """An empty structure of so many cells."""
        dim, inner_product = self.layout.dim, self.layout.inner_product
        score = faiss.METRIC_INNER_PRODUCT if inner_product else faiss.METRIC_L2
        structure = settle(faiss.IndexIVFFlat(owned_flat(dim, score), dim, cells, score))
        # Centroids of unit rows are directions, too.
        structure.cp.spherical = inner_product
        structure.set_direct_map_type(faiss.DirectMap.Array)
        return structure

    def _places(self, rows: Float32Array) -> Float32Array:
        """The rows as centroids are placed by: a penalty is no coordinate.

        Centroids then have a zero in its place, and rows and queries find their cells without it.
        """
        if not self.layout.has_penalty:
            return rows
        places = rows.copy()
        places[:, -1] = 0.0
        return places
