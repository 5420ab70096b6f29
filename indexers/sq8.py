"""The SQ8 index: rows compressed to a byte per value are compared, the best ones exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from scipy.special import ndtr, ndtri

from indexers.checks import row_blocks
from indexers.code_scan import best_by_code
from indexers.faiss_library import faiss
from indexers.ids import Selection
from indexers.rounding import product_rounding
from indexers.shortlist import Shortlist
from indexers.stage import (
    AbstractExactStage,
    AbstractIndexConfig,
    Candidates,
    RowLayout,
    SavedStage,
)
from indexers.types import Float32Array, IdArray, IndexKind

# Codes span this many standard deviations of the values on either side. Fewer would make the steps
# finer, but a value beyond them is cut off, and the bound is of the worst rows.
_SPAN = 5.0
_TRAINING_ROWS = 20_000
# One row in so many, those with the worst codes, is always compared exactly, so that a few bad
# rows do not widen the bound of all others.
_WORST = 1000
# Error of a code by standard deviations of a value, per root of the dimension.
_CODE_ERROR = 2.0 * _SPAN / 255.0 / math.sqrt(12.0)


@final
@dataclass(frozen=True)
class Sq8Config(AbstractIndexConfig):
    """Exact search through 8-bit codes: a quarter of the memory traffic of `flat`, same answers.

    The error of every row's code is known, so what the codes leave out is proven to be farther
    than what is answered; where that cannot be proven, more rows are compared.

    When to use it: from some 20,000 vectors on, where answers must be exact and `flat` is too
    slow. One query takes .47 to .57 of the time of a cosine scan on one thread and .27 to .33 on
    two at 100,000 × 1,024, and .54 to .65 on either at 20,000 × 16,384, where arithmetic on the
    codes and not memory sets the time (`benchmarks/nao_search.py`). Mapped from its file it needs
    a quarter of flat's memory, for only the rows that are compared exactly are read.

    Bytes per vector: dim for the code, 4·dim for the row, 4 for the error, 8 for the id (and 8
    more for a cosine or nao index, which keeps norms): 5,132 at 1,024 dimensions.
    """

    kind: ClassVar[IndexKind] = "sq8"

    def make_stage(self, layout: RowLayout, saved: SavedStage | None = None) -> Sq8Stage:
        """An empty stage, or one that was read from a file."""
        return Sq8Stage(layout, saved)

    def bytes_per_vector(self, dim: int) -> float:
        """Memory of one vector of `dim` values under the Euclidean metric, ids included."""
        return 5.0 * dim + 12.0


@final
class Sq8Stage(AbstractExactStage):
    """FAISS `IndexScalarQuantizer` over the codes, `IndexFlat` over the rows."""

    def __init__(self, layout: RowLayout, saved: SavedStage | None = None) -> None:
        if saved is None:
            self._pair, self._own = _empty_pair(layout)
            self._errors = np.empty(0, np.float32)
        else:
            self._pair, self._errors = saved.faiss_index, saved.errors
            if len(self._errors) != self._pair.ntotal:
                raise ValueError(f"{len(self._errors)} errors for {self._pair.ntotal} codes")
        super().__init__(layout, faiss.downcast_index(self._pair.refine_index))
        self._codes = faiss.downcast_index(self._pair.base_index)
        self._trained_on = self.count
        self._bound = _Bound.of(self._errors)

    @property
    def faiss_index(self) -> Any:
        """The FAISS `IndexRefine` of the two."""
        return self._pair

    @property
    def errors(self) -> Float32Array:
        """Euclidean distance of every row from its code."""
        return self._errors

    def add(self, rows: Float32Array) -> None:
        """Put rows at the next positions."""
        if not len(rows):
            return
        self._flat.add(rows)
        # Codes fitted to few rows are fitted again when there are twice as many.
        if self.count >= 2 * self._trained_on and self._trained_on < _TRAINING_ROWS:
            self._encode_all()
        else:
            self._codes.add(rows)
            self._errors = np.concatenate([self._errors, self._code_errors(self.count - len(rows))])
        self._changed()

    def remove(self, positions: IdArray) -> bool:
        """Remove rows; later positions move down."""
        gone = Selection.of_positions(positions, self.count)
        self._codes.remove_ids(gone.selector)
        self._flat.remove_ids(gone.selector)
        self._errors = np.delete(self._errors, positions)
        self._changed()
        return True

    def top(self, queries: Float32Array, k: int, selection: Selection) -> Candidates:
        """The k best-scored selected rows of each query, by exact scores, proven."""
        scores = np.empty((len(queries), k), np.float32)
        positions = np.empty((len(queries), k), np.int64)
        open_queries, width = np.arange(len(queries)), self._width(k, selection)
        while open_queries.size:
            lists = best_by_code(self._codes, queries[open_queries], width, selection)
            proven = np.zeros(len(open_queries), np.bool_)
            for at, (row, found) in enumerate(zip(open_queries, lists, strict=True)):
                near = np.union1d(found.positions, self._worst(selection))
                exact = self._exact(queries[row], near)
                best = np.argsort(exact if not self.layout.inner_product else -exact)[:k]
                scores[row], positions[row] = exact[best], near[best]
                proven[at] = found.complete or self._excludes(found.last, float(exact[best[-1]]))
            open_queries, width = open_queries[~proven], 8 * width
        return Candidates(scores, positions, complete=True)

    def shortlists(self, units: Float32Array, selection: Selection, width: int) -> list[Shortlist]:
        """Some more rows than `width` for each query, with the inner products of their codes."""
        slack, worst = self._bound.error, self._worst(selection)
        lists = []
        width = self._width(width, selection)
        for found, unit in zip(
            best_by_code(self._codes, units, width, selection), units, strict=True
        ):
            near, cosines = found.positions, found.scores
            if worst.size:
                is_fine = ~np.isin(near, worst)
                near = np.concatenate([near[is_fine], worst])
                cosines = np.concatenate([cosines[is_fine], self._exact(unit, worst)])
            lists.append(Shortlist(near, cosines, slack, found.last + slack))
        return lists

    def compare(self, unit: Float32Array, positions: IdArray) -> Shortlist:
        """The rows at `positions` with their inner products as they are, in another order."""
        if not positions.size:
            return Shortlist(positions, np.empty(0, np.float32), 0.0, -np.inf)
        # FAISS reads the rows where they lie; to copy them first takes three times as long.
        parameters = faiss.SearchParameters(sel=faiss.IDSelectorBatch(positions))
        scores, order = self._flat.search(unit[None], len(positions), params=parameters)
        return Shortlist(order[0], scores[0], 0.0, -np.inf)

    def _width(self, k: int, selection: Selection) -> int:
        """How many codes to look at for the k best rows, if scores are about normal.

        The k-th best score of n is z standard deviations out, z = Φ⁻¹(1 − k/n); codes may be off
        by the bound, so all that are above z less the bound are wanted, and as many again.
        """
        share = min(k / selection.count, 0.5)
        root = math.sqrt(self.layout.dim)
        # A unit row's values have the variance 1/dim; of others it is not known.
        error = self._bound.error * root if self.layout.inner_product else _CODE_ERROR * root
        depth = ndtri(1.0 - share) - error
        return max(math.ceil(2.0 * selection.count * float(ndtr(-depth))), k) + 16

    def _worst(self, selection: Selection) -> IdArray:
        worst = self._bound.worst
        return worst if selection.mask is None else worst[selection.mask[worst]]

    def _exact(self, query: Float32Array, positions: IdArray) -> Float32Array:
        rows = self.gather(positions)
        if self.layout.inner_product:
            products: Float32Array = rows @ query
            return products
        apart = rows - query
        squares: Float32Array = np.einsum("ij,ij->i", apart, apart)
        return squares

    def _excludes(self, last: float, kth: float) -> bool:
        """Whether a row whose code scores no better than `last` is no better than `kth`."""
        rounding = product_rounding(self.layout.dim)
        if self.layout.inner_product:
            return last + self._bound.error + rounding <= kth
        least = math.sqrt(max(last, 0.0)) * (1.0 - rounding) - self._bound.error
        return least >= math.sqrt(max(kth, 0.0)) * (1.0 + rounding)

    def _encode_all(self) -> None:
        rows = self.view()
        self._codes.reset()
        step = max(1, len(rows) // _TRAINING_ROWS)
        self._codes.train(np.ascontiguousarray(rows[::step]))
        self._codes.add(rows)
        self._trained_on = self.count
        self._errors = self._code_errors(0)

    def _code_errors(self, first: int) -> Float32Array:
        """Distances between rows and their codes from position `first` on."""
        rows = self.view()[first:]
        errors = np.empty(len(rows), np.float32)
        for block in row_blocks(*rows.shape):
            decoded = self._codes.reconstruct_n(first + block.start, block.stop - block.start)
            apart = (decoded - rows[block]).astype(np.float64)
            errors[block] = np.sqrt(np.einsum("ij,ij->i", apart, apart)) * (1.0 + 1e-6)
        return errors

    def _changed(self) -> None:
        self._pair.ntotal = self.count
        self._bound = _Bound.of(self._errors)


@final
@dataclass(frozen=True, slots=True, eq=False)
class _Bound:
    """The largest error of a code, leaving the worst ones out; and where those are."""

    error: float
    worst: IdArray

    @classmethod
    def of(cls, errors: Float32Array) -> _Bound:
        if not len(errors):
            return cls(0.0, np.empty(0, np.int64))
        left_out = len(errors) // _WORST
        order = np.argpartition(errors, len(errors) - 1 - left_out)
        worst = order[len(errors) - left_out :]
        return cls(float(errors[order[len(errors) - 1 - left_out]]), np.sort(worst))


def _empty_pair(layout: RowLayout) -> tuple[Any, tuple[Any, Any]]:
    """FAISS's pair of an index to search and one to refine by; it does not own the two."""
    score = faiss.METRIC_INNER_PRODUCT if layout.inner_product else faiss.METRIC_L2
    codes = faiss.IndexScalarQuantizer(layout.dim, faiss.ScalarQuantizer.QT_8bit_uniform, score)
    codes.sq.rangestat = faiss.ScalarQuantizer.RS_meanstd
    codes.sq.rangestat_arg = _SPAN
    rows = faiss.IndexFlat(layout.dim, score)
    return faiss.IndexRefine(codes, rows), (codes, rows)
