"""Which rows a table has, so that only new ones are written: for who holds the writer's lock.

To have the storage layer find out costs a join with the whole table for every commit: of 512
pictures beside a million, 1.7 s. What is there is read once, and then only what came.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from latentdb.arrays import BoolArray, is_among
from latentdb.store import schema
from latentdb.store.tables import Pinned, Tables
from latentdb.store.views import KeyedView

_Hashes: TypeAlias = NDArray[np.int64]


@final
class KnownIds:
    """Ids of the rows of tables keyed by `id`.

    Parameters
    ----------
    tables : Tables
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._views: dict[str, tuple[int, KeyedView]] = {}

    def now(self, table: str) -> KeyedView:
        """The latest version, of which 16 bytes of memory a row are kept."""
        # A space that was dropped and made anew begins at the same versions.
        era = self._tables.version(schema.SPACES)
        # The latest indeed: a number that is looked up may be a moment old in an object store.
        pinned, (then, kept) = self._tables.pin(table), self._views.pop(table, (era, None))
        if kept is None or then != era:
            kept = KeyedView(pinned)
        elif _state(kept.pinned) != _state(pinned):
            kept = kept.grown(pinned) or KeyedView(pinned)
        self._views[table] = (era, kept)
        return kept


@final
class KnownNames:
    """Which texts a column of one table may hold.

    A text is known by its hash: of one that is not there it is said once in 2⁶⁴ that it is.

    Parameters
    ----------
    tables : Tables
    table, column : str
    """

    def __init__(self, tables: Tables, table: str, column: str) -> None:
        self._tables = tables
        self._table = table
        self._column = column
        self._kept: tuple[_State, _Hashes] | None = None

    def among(self, names: Sequence[str]) -> tuple[BoolArray, int]:
        """Whether each may be in the latest version, and its number.

        8 bytes of memory a row are kept.
        """
        pinned = self._tables.pin(self._table)
        state, kept = _state(pinned), self._kept
        if kept is None or kept[0] != state:
            there = pinned.scan([self._column])[self._column].to_pylist()
            kept = self._kept = (state, np.sort(_hashes(there)))
        return is_among(_hashes(names), kept[1]), pinned.version

    def appended(self, names: Sequence[str]) -> None:
        """Note rows that were appended to the version that `among` was asked of.

        Had anything else been written meanwhile, the version would be another than the next, and
        all is read again.
        """
        if self._kept is not None and len(names):
            (version, rows), hashes = self._kept
            new = np.sort(_hashes(names))
            there = np.insert(hashes, np.searchsorted(hashes, new), new)
            self._kept = (_State(version + 1, rows + len(names)), there)


class _State(NamedTuple):
    """What tells a version; one that was taken back gives its number again."""

    version: int
    rows: int


def _state(pinned: Pinned) -> _State:
    return _State(pinned.version, pinned.count())


def _hashes(names: Sequence[str]) -> _Hashes:
    return np.fromiter(map(hash, names), np.int64, len(names))
