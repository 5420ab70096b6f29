"""The flat index: every row is compared, nothing is missed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

from indexers.faiss_library import faiss
from indexers.gpu import GpuCopy, gpu_count, suits_gpu
from indexers.ids import Selection
from indexers.scan import scan_shortlists
from indexers.shortlist import Shortlist
from indexers.stage import (
    AbstractExactStage,
    AbstractIndexConfig,
    Candidates,
    RowLayout,
    SavedStage,
)
from indexers.types import Float32Array, IdArray, IndexKind


@final
@dataclass(frozen=True)
class FlatConfig(AbstractIndexConfig):
    """Exact search by comparing with every row; nothing to build and nothing to tune.

    When to use it: up to some 100,000 vectors, whenever answers must be exact, and as the truth
    that other kinds are measured against. Time grows with the number of rows (about 25 ms per
    query for 100,000 × 1,024 on two cores), and so it is the kind to leave first.

    Bytes per vector: 4·dim + 8 (and 8 more for a cosine or nao index, which keeps norms):
    4,104 at 1,024 dimensions, 65,544 at 16,384.
    """

    kind: ClassVar[IndexKind] = "flat"

    def make_stage(self, layout: RowLayout, saved: SavedStage | None = None) -> FlatStage:
        """An empty stage, or one that was read from files."""
        return FlatStage(layout, saved)

    def bytes_per_vector(self, dim: int) -> float:
        """Memory of one vector of `dim` values under the Euclidean metric, ids included."""
        return 4.0 * dim + 8.0


@final
class FlatStage(AbstractExactStage):
    """FAISS `IndexFlat`; the rows are kept once, inside it."""

    def __init__(self, layout: RowLayout, saved: SavedStage | None = None) -> None:
        kind = faiss.IndexFlatIP if layout.inner_product else faiss.IndexFlatL2
        super().__init__(layout, kind(layout.dim) if saved is None else saved.faiss_index)
        self._gpu = GpuCopy()

    @property
    def faiss_index(self) -> Any:
        """The FAISS `IndexFlat`."""
        return self._flat

    def add(self, rows: Float32Array) -> None:
        """Put rows at the next positions."""
        self._flat.add(rows)

    def remove(self, positions: IdArray) -> bool:
        """Remove rows; later positions move down."""
        self._flat.remove_ids(Selection.of_positions(positions, self.count).selector)
        return True

    def top(self, queries: Float32Array, k: int, selection: Selection) -> Candidates:
        """The k best-scored selected rows of each query."""
        if gpu_count() and suits_gpu(self._flat, k, selection):
            return Candidates(*self._gpu.search(self._flat, queries, k), complete=True)
        return self.scan(queries, k, selection)

    def shortlists(
        self,
        units: Float32Array,
        selection: Selection,
        width: int,  # noqa: ARG002
    ) -> list[Shortlist]:
        """Every selected row for each query."""
        return scan_shortlists(self.view(), units, selection)
