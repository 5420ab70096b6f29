"""Stages that keep codes alone: the best rows by code are read, and compared as they are."""

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


class AbstractCodeStage(AbstractStage):
    """Codes of rows, by which rows are listed.

    Parameters
    ----------
    layout : RowLayout
    """

    def __init__(self, layout: RowLayout) -> None:
        super().__init__(layout)
        self._read: Callable[[IdArray], Float32Array] | None = None
        self._fetched: tuple[IdArray, Float32Array] | None = None

    def reading(self, read: Callable[[IdArray], Float32Array]) -> Self:
        """As the base class says."""
        twin = copy(self)
        twin._read = read
        return twin

    @property
    @abstractmethod
    def refine(self) -> int:
        """How many rows are compared as they are for every hit."""

    @abstractmethod
    def is_outgrown_by(self, count: int) -> bool:
        """Whether codes were fitted to too few rows for `count` more."""

    @abstractmethod
    def listed(self, queries: Float32Array, width: int, selection: Selection) -> Candidates:
        """About the `width` best selected rows of each query, best first, scored by their codes.

        `width <= selection.count`; so many are found, whatever the structure.
        """

    def top(self, queries: Float32Array, k: int, selection: Selection) -> Candidates:
        """The k best of the rows that the codes list, by their true scores."""
        width = min(self.refine * k, selection.count)
        is_all = width == selection.count
        scores = np.empty((len(queries), k), np.float32)
        positions = np.empty((len(queries), k), np.int64)
        for block in row_blocks(len(queries), width * self.layout.dim):
            lists = self._lists(queries[block], width, selection)
            self.fetch(np.unique(lists))
            for at, (query, near) in enumerate(
                zip(queries[block], lists, strict=True), start=block.start
            ):
                true = self._true_scores(query, near)
                best = np.argsort(-true if self.layout.inner_product else true)[:k]
                scores[at], positions[at] = true[best], near[best]
        return Candidates(scores, positions, complete=is_all, is_measured=True)

    def fetch(self, positions: IdArray) -> None:
        """Read rows that will be gathered, at ascending positions, all at once."""
        self._fetched = None
        self._fetched = (positions, self.gather(positions))

    def gather(self, positions: IdArray) -> Float32Array:
        """Copies of the rows at `positions`, read where they were not fetched."""
        if self._fetched is not None and len(self._fetched[0]):
            there, rows = self._fetched
            places = np.minimum(np.searchsorted(there, positions), len(there) - 1)
            if (there[places] == positions).all():
                return rows[places]
        if self._read is None:
            raise IndexKindError(
                "a stage of codes has no rows; search it as it is given by `reading`"
            )
        return self._read(positions)

    def _lists(self, queries: Float32Array, width: int, selection: Selection) -> IdArray:
        if width == selection.count:
            return np.tile(selection.positions(self.count), (len(queries), 1))
        lists = self.listed(queries, width, selection).positions
        assert not (lists == PAD_ID).any()
        return lists

    def _true_scores(self, query: Float32Array, positions: IdArray) -> Float32Array:
        rows = self.gather(positions)
        if self.layout.inner_product:
            products: Float32Array = rows @ query
            return products
        apart = rows.astype(np.float64) - query
        squares: Float32Array = np.einsum("ij,ij->i", apart, apart).astype(np.float32)
        return squares
