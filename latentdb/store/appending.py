"""Appending many new rows to one space, for who holds the writer's lock all the while."""

from __future__ import annotations

from typing import final

import numpy as np

from indexers.errors import DuplicateIdError
from latentdb.arrays import is_among
from latentdb.space import Space
from latentdb.store import schema
from latentdb.store.rows import vector_table
from latentdb.store.tables import Tables
from latentdb.store.upkeep import Upkeep
from latentdb.store.views import Ids
from latentdb.types import SpaceRows


@final
class Appender:
    """Appends vectors of items that are there and have none in the space yet; see
    `Store.appending`.

    `Store.write_batch` looks before each commit which rows are new. Here the lock is held all the
    while and the ids are read once; a row that is there is an error.
    """

    def __init__(self, tables: Tables, space: Space, upkeep: Upkeep) -> None:
        self._table = tables.table(schema.space_table(space.name))
        self._space = space
        self._upkeep = upkeep
        # Sorted: a set of Python's integers would take ten times the memory.
        self._there: Ids = np.unique(tables.pin(self._table.name).scan(["id"])["id"].to_numpy())

    def append(self, rows: SpaceRows) -> None:
        """Append rows as one commit.

        Raises
        ------
        DimensionError, NonFiniteError, SpaceMismatchError
            They do not fit the space; nothing was written.
        DuplicateIdError
            One of them is there, or twice among them; nothing was written.
        """
        table, ids = vector_table(rows, self._space), np.sort(rows.ids)
        if not len(table):
            return
        is_there = is_among(ids, self._there)
        if is_there.any():
            raise DuplicateIdError(
                f"{int(is_there.sum())} ids have a vector in space {self._space.name!r} already, "
                f"such as {int(ids[is_there][0])}; leave those rows out"
            )
        self._table.append(table)
        self._there = np.insert(self._there, np.searchsorted(self._there, ids), ids)
        self._upkeep.committed(self._table.name, len(table))
