"""Codes of rows in cells: what the kinds that keep codes alone have in common."""

from __future__ import annotations

from abc import abstractmethod
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from indexers.cells import OUTGROWN, cells_for, search_cells
from indexers.checks import check_count
from indexers.code_stage import AbstractCodeStage
from indexers.efforts import doublings
from indexers.faiss_library import faiss
from indexers.ids import Selection
from indexers.rotation import Rotation
from indexers.stage import AbstractIndexConfig, Candidates, RowLayout, SavedStage
from indexers.types import PAD_ID, Float32Array, IdArray

# Rows turned and encoded at a time.
_BLOCK_ROWS = 1 << 14
# Rows that centroids and codes are fitted to.
_ROWS_PER_CELL, _ROWS_FOR_CODES = 64, 1 << 14


@dataclass(frozen=True)
class AbstractCellCodeConfig(AbstractIndexConfig):
    """Settings that kinds of codes in cells share."""

    nlist: int | None = None
    nprobe: int = 32
    refine: int = 4

    is_exact: ClassVar[bool] = False
    compresses: ClassVar[bool] = True
    effort: ClassVar[tuple[str, ...]] = ("nprobe", "refine")

    def __post_init__(self) -> None:
        if self.nlist is not None:
            check_count(self.nlist, what="nlist")
        check_count(self.nprobe, what="nprobe")
        check_count(self.refine, what="refine")

    def cells_for(self, count: int) -> int:
        """How many cells `count` rows are laid out in.

        A centroid takes as long to compare as some thirty codes, so they are fewer than for rows.
        """
        return cells_for(count, self.nlist, per_root=1)

    def efforts(self, count: int) -> tuple[Self, ...]:
        """One cell, doubled up to all, comparing 4, 8, then 16 rows a hit; then more rows."""
        probes = doublings(1, self.cells_for(count))
        steps = [(cells, 4 << (3 * at // len(probes))) for at, cells in enumerate(probes)]
        steps += [(probes[-1], refine) for refine in (32, 64, 128)]
        return tuple(replace(self, nprobe=nprobe, refine=refine) for nprobe, refine in steps)


class AbstractCellCodeStage(AbstractCodeStage):
    """A FAISS inverted file of codes of rows that were turned first.

    Unit rows are compared by their squared distance, 2 − 2c, too: a code is of the difference from
    a centroid, which is shortest where that is a mean and no direction.

    Cells and codes are fitted to the rows that are added first, or to those of `prepare`.
    """

    def __init__(
        self, layout: RowLayout, config: AbstractCellCodeConfig, saved: SavedStage | None = None
    ) -> None:
        super().__init__(layout)
        self._config = config
        self._rotation = Rotation(layout.dim)
        self._cells = self._empty(1) if saved is None else saved.faiss_index
        self._laid_out_for = self.count

    @property
    def count(self) -> int:
        """Number of positions, removed ones included."""
        return int(self._cells.ntotal)

    @property
    def faiss_index(self) -> Any:
        """The FAISS inverted file."""
        return self._cells

    @property
    def refine(self) -> int:
        """How many rows are compared as they are for every hit."""
        return self._config.refine

    def at_effort(self, config: AbstractCellCodeConfig) -> Self:
        """The same codes, with other numbers of visited cells and compared rows."""
        twin = copy(self)
        twin._config = config
        return twin

    def prepare(self, sample: Float32Array, count: int) -> None:
        """Fit cells and codes to a sample, for so many rows."""
        self._laid_out_for = count
        cells = min(self._config.cells_for(count), len(sample))
        enough = max(_ROWS_PER_CELL * cells, _ROWS_FOR_CODES)
        self._cells = self._empty(cells)
        self._cells.train(self._turned(sample[:: max(1, len(sample) // enough)]))

    def add(self, rows: Float32Array) -> None:
        """Put codes of rows at the next positions."""
        if not len(rows):
            return
        if not self._cells.is_trained:
            self.prepare(rows, len(rows))
        for start in range(0, len(rows), _BLOCK_ROWS):
            self._cells.add(self._turned(rows[start : start + _BLOCK_ROWS]))

    def is_outgrown_by(self, count: int) -> bool:
        """Whether codes were fitted to too few rows for `count` more."""
        return self.count > 0 and self.count + count >= OUTGROWN * self._laid_out_for

    def remove(self, positions: IdArray) -> bool:  # noqa: ARG002
        """Leave the codes in their cells: the selection hides them."""
        return False

    def listed(self, queries: Float32Array, width: int, selection: Selection) -> Candidates:
        """About the `width` best selected rows of each query, scored by their codes."""
        asked = (self._turned(queries), width, selection)
        found = search_cells(self._cells, asked, self._config.nprobe, self._parameters)
        scores, positions = found.scores, found.positions
        if self.layout.inner_product:
            scores = 1.0 - 0.5 * scores
        # Of a query to which all rows are equal, such as zero, FAISS may find none.
        short = positions[:, -1] == PAD_ID
        if short.any():
            scores[short], positions[short] = 0.0, selection.positions(self.count)[:width]
        return Candidates(scores, positions, complete=False)

    def _turned(self, rows: Float32Array) -> Float32Array:
        """Rows as the structure takes them."""
        return self._rotation.apply(rows)

    @abstractmethod
    def _empty(self, cells: int) -> Any:
        """A FAISS structure of so many cells, not yet trained."""

    def _parameters(self, **settings: Any) -> Any:
        return faiss.SearchParametersIVF(**settings)
