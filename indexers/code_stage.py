"""Stages that keep codes alone: the best rows by code are read, and compared as they are.

What is read in one search is kept until it ends, since NAO looks at the same rows twice.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from copy import copy
from typing import Self

import numpy as np

from indexers.checks import row_blocks
from indexers.errors import IndexKindError
from indexers.ids import Selection
from indexers.stage import AbstractStage, Candidates, RowLayout
from indexers.types import PAD_ID, Float32Array, IdArray

_Reader = Callable[[IdArray], Float32Array]


class AbstractCodeStage(AbstractStage):
    """Codes of rows, listed by about their scores.

    Parameters
    ----------
    layout : RowLayout
    """

    def __init__(self, layout: RowLayout) -> None:
        super().__init__(layout)
        self._read: _Reader | None = None
        self._met: IdArray = np.empty(0, np.int64)
        self._rows: Float32Array = np.empty((0, layout.dim), np.float32)

    def reading(self, read: _Reader) -> Self:
        """The same codes for one search, with the rows at positions from `read`."""
        twin = copy(self)
        twin._read = read
        return twin

    @property
    @abstractmethod
    def refine(self) -> int:
        """How many rows are compared as they are for every hit."""

    @abstractmethod
    def listed(self, queries: Float32Array, width: int, selection: Selection) -> Candidates:
        """About the `width` best selected rows of each query, scored by their codes.

        `width <= selection.count`; so many are found, whatever the structure.
        """

    def top(self, queries: Float32Array, k: int, selection: Selection) -> Candidates:
        """The k best of the rows that the codes list, by their true scores."""
        width = min(self.refine * k, selection.count)
        scores = np.empty((len(queries), k), np.float32)
        positions = np.empty((len(queries), k), np.int64)
        complete = True
        for block in row_blocks(len(queries), width * self.layout.dim):
            lists, complete = self._lists(queries[block], width, selection)
            rows, places = self._gathered(lists)
            for at, (query, listed, place) in enumerate(
                zip(queries[block], lists, places, strict=True), start=block.start
            ):
                true = self._true_scores(query, rows[place])
                best = np.argsort(-true if self.layout.inner_product else true)[:k]
                scores[at], positions[at] = true[best], listed[best]
        return Candidates(scores, positions, complete, is_measured=True)

    def gather(self, positions: IdArray) -> Float32Array:
        """Copies of the rows at `positions`, read where they were not met in this search."""
        if self._read is None:
            raise IndexKindError("this stage keeps codes alone and has nothing to read rows by")
        return self._read(positions)

    def _lists(
        self, queries: Float32Array, width: int, selection: Selection
    ) -> tuple[IdArray, bool]:
        if width == selection.count:
            every = selection.positions(self.count)
            return np.tile(every, (len(queries), 1)), True
        found = self.listed(queries, width, selection)
        assert not (found.positions == PAD_ID).any()
        return found.positions, False

    def _gathered(self, lists: IdArray) -> tuple[Float32Array, IdArray]:
        """Rows of all lists, each read once, and where those of each list are among them."""
        distinct, places = np.unique(lists, return_inverse=True)
        return self.gather(distinct), places.reshape(lists.shape)

    def _true_scores(self, query: Float32Array, rows: Float32Array) -> Float32Array:
        if self.layout.inner_product:
            products: Float32Array = rows @ query
            return products
        apart = rows.astype(np.float64) - query
        squares: Float32Array = np.einsum("ij,ij->i", apart, apart).astype(np.float32)
        return squares
