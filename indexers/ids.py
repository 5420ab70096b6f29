"""Which position of an index holds which id, and which positions a filter allows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, final
from weakref import WeakKeyDictionary

import numpy as np

from indexers.errors import DuplicateIdError, UnknownIdError
from indexers.faiss_library import faiss
from indexers.id_set import IdSet
from indexers.types import PAD_ID, BoolArray, IdArray


@final
@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """The positions that may answer a search.

    Attributes
    ----------
    count : int
        How many there are.
    mask : (n_positions,) bool, or None
        None means every position.
    selector : faiss.IDSelectorBitmap or None
        The same, in the form FAISS applies inside a search.
    graph_parameters : dict of int to faiss.SearchParametersHNSW
        Those that were made to search a graph by, by width: to make them takes 8 µs.
    """

    count: int
    mask: BoolArray | None
    selector: Any
    graph_parameters: dict[int, Any] = field(default_factory=dict)

    @classmethod
    def of_mask(cls, mask: BoolArray) -> Selection:
        """Selection of the True positions of `mask`."""
        # FAISS reads bit i of byte i >> 3, counted from the lowest.
        bits = np.packbits(mask, bitorder="little")
        return cls(int(np.count_nonzero(mask)), mask, faiss.IDSelectorBitmap(bits))

    @classmethod
    def of_positions(cls, positions: IdArray, total: int) -> Selection:
        """Selection of these of `total` positions."""
        mask = np.zeros(total, np.bool_)
        mask[positions] = True
        return cls.of_mask(mask)

    def positions(self, total: int) -> IdArray:
        """Allowed positions, ascending, of `total` positions."""
        return np.arange(total) if self.mask is None else np.flatnonzero(self.mask)


def is_padded(positions: IdArray) -> bool:
    """Whether a row of found positions (n, k), which is padded at its end, has fewer than k."""
    # Of one question in a tenth of the time that NumPy compares and reduces in.
    return PAD_ID in positions[:, -1].tolist()


@final
class IdTable:
    """Positions 0…n−1 and the id at each; a removed position holds −1.

    Ids are any non-negative 63-bit integers. Lookups go through a sorted copy, made when the
    first lookup after a change needs it: 16 bytes per row.
    """

    def __init__(self, ids: IdArray | None = None) -> None:
        self._ids: IdArray = np.empty(0, np.int64) if ids is None else ids
        self._sorted: tuple[IdArray, IdArray] | None = None
        self._everything: Selection | None = None
        self._kept: WeakKeyDictionary[IdSet, Selection] = WeakKeyDictionary()
        self._live = int(np.count_nonzero(self._ids != PAD_ID))

    @property
    def raw(self) -> IdArray:
        """The id at every position, −1 where it was removed. A view: do not write to it."""
        return self._ids

    @property
    def live_count(self) -> int:
        """Number of positions whose row was not removed."""
        return self._live

    def positions_of(self, ids: IdArray) -> IdArray:
        """Position of every id, −1 for an id that is not here."""
        if self._sorted is None:
            live = np.flatnonzero(self._ids != PAD_ID)
            order = live[np.argsort(self._ids[live], kind="stable")]
            self._sorted = (self._ids[order], order)
        ordered, positions = self._sorted
        if not len(ordered):
            return np.full(len(ids), PAD_ID, np.int64)
        slots = np.minimum(np.searchsorted(ordered, ids), len(ordered) - 1)
        found: IdArray = np.where(ordered[slots] == ids, positions[slots], PAD_ID)
        return found

    def known_positions(self, ids: IdArray) -> IdArray:
        """Positions of ids that must all be here.

        Raises
        ------
        UnknownIdError
        """
        positions = self.positions_of(ids)
        missing = ids[positions == PAD_ID]
        if missing.size:
            raise UnknownIdError(
                f"expected ids that are in the index, got {missing.size} that are not "
                f"(first: {missing[0]}); filter them with numpy.isin(ids, index.ids)"
            )
        return positions

    def check_new(self, ids: IdArray) -> None:
        """Raise DuplicateIdError when one of `ids` is here already."""
        known = ids[self.positions_of(ids) != PAD_ID]
        if known.size:
            raise DuplicateIdError(
                f"expected ids that are not in the index yet, got {known.size} that are "
                f"(first: {known[0]}); remove them first to replace their vectors"
            )

    def append(self, ids: IdArray) -> None:
        """Put `ids` at the next positions."""
        first, ordered = len(self._ids), self._sorted
        self._ids = np.concatenate([self._ids, ids])
        self._changed()
        if ordered is not None:
            # To sort all of them again would make filling an index block by block quadratic.
            order = np.argsort(ids)
            at = np.searchsorted(ordered[0], ids[order])
            self._sorted = (
                np.insert(ordered[0], at, ids[order]),
                np.insert(ordered[1], at, first + order),
            )

    def mark_removed(self, positions: IdArray) -> None:
        """Leave the positions in place, without an id."""
        self._ids = self._ids.copy()
        self._ids[positions] = PAD_ID
        self._changed()

    def without(self, positions: IdArray) -> IdTable:
        """Another table that lacks these positions; this one stays as it is."""
        table = IdTable(self._ids)
        table.mark_removed(positions)
        return table

    def close_up(self, positions: IdArray) -> None:
        """Take the positions out; later ones move down."""
        self._ids = np.delete(self._ids, positions)
        self._changed()

    def select(self, allowed_ids: IdSet | None) -> Selection:
        """Selection of the live positions, or of those among them whose id is allowed.

        Kept until the table changes, that of a set for as long as the set lives.

        An allowed id that is not in the index is no error: a filter speaks about items, and an
        item may have no vector in this space.
        """
        if allowed_ids is None:
            if self._everything is None:
                is_whole = self._live == len(self._ids)
                whole = Selection(self._live, None, None)
                self._everything = whole if is_whole else Selection.of_mask(self._ids != PAD_ID)
            return self._everything
        kept = self._kept.get(allowed_ids)
        if kept is None:
            positions = self.positions_of(allowed_ids.ids)
            kept = Selection.of_positions(positions[positions != PAD_ID], len(self._ids))
            self._kept[allowed_ids] = kept
        return kept

    def _changed(self) -> None:
        self._sorted = None
        self._everything = None
        self._kept = WeakKeyDictionary()
        self._live = int(np.count_nonzero(self._ids != PAD_ID))
