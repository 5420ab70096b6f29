"""The IVF-PQ index: half a byte for a few values in cells, the best rows compared as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from indexers.cell_codes import AbstractCellCodeConfig, AbstractCellCodeStage
from indexers.cells import owned_flat, settle
from indexers.checks import check_count
from indexers.faiss_library import faiss
from indexers.stage import RowLayout, SavedStage
from indexers.types import Float32Array, IndexKind

# Tables of so few codes fit a register, so that a score is looked up instead of computed.
_BITS = 4
_VALUES_PER_PART = 4


@final
@dataclass(frozen=True)
class IvfPqConfig(AbstractCellCodeConfig):
    """Approximate search through codes of half a byte for a few values; full vectors are read.

    When to use it: where the vectors do not fit in memory, their codes do, and time counts.
    `refine` rows a hit are read by the index's `RowReader` and give true distances. Fewer parts are
    smaller than `rabitq` can be, and need more rows read. Codes are fitted to the data: build again
    when those change.

    Bytes per vector: pq_m/2 for the code, which is dim/8 unless said otherwise, 8 for its place, 8
    for the id (and 8 more for a cosine or nao index, which keeps norms): 144 at 1,024 dimensions.
    Its file is read and not mapped: FAISS keeps these codes in an order of its own.

    Attributes
    ----------
    nlist : int or None
        Cells. None chooses √n, or fewer where a cell would have less than 39 rows.
    nprobe : int
        Cells that a query visits; higher is slower and finds more. Raised under a filter.
    refine : int
        Rows that are read and compared as they are, for every hit.
    pq_m : int or None
        Parts that a vector is cut into, half a byte each. None chooses a part for 4 values.

    References
    ----------
    Jégou, Douze and Schmid, "Product quantization for nearest neighbor search", IEEE TPAMI 33(1),
    2011. André, Kermarrec and Le Scouarnec, "Cache locality is not enough: high-performance
    nearest neighbor search with product quantization fast scan", PVLDB 9(4), 2015.
    """

    pq_m: int | None = None

    kind: ClassVar[IndexKind] = "ivf_pq"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pq_m is not None:
            check_count(self.pq_m, what="pq_m")

    def make_stage(self, layout: RowLayout, saved: SavedStage | None = None) -> IvfPqStage:
        """An empty stage, or one that was read from files."""
        return IvfPqStage(layout, self, saved)

    def bytes_per_vector(self, dim: int) -> float:
        """Memory of one vector of `dim` values under the Euclidean metric, ids included."""
        return -(-self.parts_of(dim) // 2) + 16.0

    def parts_of(self, dim: int) -> int:
        """Parts that `dim` values are cut into."""
        return min(self.pq_m or -(-dim // _VALUES_PER_PART), dim)


@final
class IvfPqStage(AbstractCellCodeStage):
    """FAISS `IndexIVFPQFastScan`, over rows with zeros up to whole parts."""

    _config: IvfPqConfig

    def _empty(self, cells: int) -> Any:
        parts = self._config.parts_of(self.layout.dim)
        dim = parts * -(-self.layout.dim // parts)
        score = faiss.METRIC_L2
        structure = settle(
            faiss.IndexIVFPQFastScan(owned_flat(dim, score), dim, cells, parts, _BITS, score)
        )
        structure.pq.cp.min_points_per_centroid = 1
        # A table of every cell's share of the distances would outweigh the codes.
        structure.use_precomputed_table = -1
        return structure

    def prepare(self, sample: Float32Array, count: int) -> None:
        """Fit cells and codes to a sample, for so many rows."""
        # So many rows at least are needed to choose so many codes from.
        enough = max(len(sample), 1 << _BITS)
        super().prepare(np.resize(sample, (enough, sample.shape[1])), count)

    def _turned(self, rows: Float32Array) -> Float32Array:
        missing = int(self._cells.d) - self.layout.dim
        return np.pad(super()._turned(rows), ((0, 0), (0, missing)))
