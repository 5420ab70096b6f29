"""The RaBitQ index: a bit per value in cells, the best rows compared as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

from indexers.cell_codes import AbstractCellCodeConfig, AbstractCellCodeStage
from indexers.cells import owned_flat, settle
from indexers.checks import check_count
from indexers.errors import ParameterError
from indexers.faiss_library import faiss
from indexers.stage import RowLayout, SavedStage
from indexers.types import IndexKind

# Bits of a query's values; fewer are no quicker here.
_QUERY_BITS = 8
_MOST_BITS = 9


@final
@dataclass(frozen=True)
class RabitqConfig(AbstractCellCodeConfig):
    """Approximate search through codes of a bit per value; full vectors are read to compare.

    When to use it: where the vectors do not fit in memory. It fits in a thirtieth of `flat`, is
    built in seconds, for nothing but cells is trained, and its file can be mapped. `refine` rows a
    hit are read by the index's `RowReader` and give true distances; four find .99 and more of what
    the cells hold. Prefer `ivf_pq` where all is in memory: as small and quicker.

    Bytes per vector: dim/8 for the bits and 8 for two factors, 8 for its place, 8 for the id (and
    8 more for a cosine or nao index, which keeps norms): 152 at 1,024 dimensions. Of more bits,
    nbits·dim/8 and 20.

    Attributes
    ----------
    nlist : int or None
        Cells. None chooses √n, or fewer where a cell would have less than 39 rows.
    nprobe : int
        Cells that a query visits; higher is slower and finds more. Raised under a filter.
    refine : int
        Rows that are read and compared as they are, for every hit.
    nbits : int
        Bits of a value, 1 to 9.

    References
    ----------
    Gao and Long, "RaBitQ: quantizing high-dimensional vectors with a theoretical error bound for
    approximate nearest neighbor search", SIGMOD 2024, arXiv 2405.12497.
    """

    nbits: int = 1

    kind: ClassVar[IndexKind] = "rabitq"

    def __post_init__(self) -> None:
        super().__post_init__()
        if check_count(self.nbits, what="nbits") > _MOST_BITS:
            raise ParameterError(f"expected nbits of at most {_MOST_BITS}, got {self.nbits}")

    def make_stage(self, layout: RowLayout, saved: SavedStage | None = None) -> RabitqStage:
        """An empty stage, or one that was read from files."""
        return RabitqStage(layout, self, saved)

    def bytes_per_vector(self, dim: int) -> float:
        """Memory of one vector of `dim` values under the Euclidean metric, ids included."""
        factors = 8 if self.nbits == 1 else 20
        return -(-dim // 8) + -(-dim * (self.nbits - 1) // 8) + factors + 16.0


@final
class RabitqStage(AbstractCellCodeStage):
    """FAISS `IndexIVFRaBitQ`."""

    _config: RabitqConfig

    def _empty(self, cells: int) -> Any:
        dim, score = self.layout.dim, faiss.METRIC_L2
        structure = settle(
            faiss.IndexIVFRaBitQ(
                owned_flat(dim, score), dim, cells, score, True, self._config.nbits
            )
        )
        structure.qb = _QUERY_BITS
        return structure

    def _parameters(self, **settings: Any) -> Any:
        parameters = faiss.IVFRaBitQSearchParameters()
        parameters.nprobe, parameters.qb = settings["nprobe"], _QUERY_BITS
        parameters.sel = settings["sel"]
        return parameters
