"""Mending: rows that are wrong are removed or computed anew, nothing is invented.

Doubled rows go first, because the other repairs address rows by id; norms last, on the rows
that stay. What is removed here, the next ingest makes again.

A table whose files are damaged is left as it is, and nothing is removed on its word: of items
with a flipped bit, sound vectors would look like orphans.
"""

from __future__ import annotations

import os
import shutil
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import final

import numpy as np
import pyarrow as pa

from latentdb.errors import StoreIOError
from latentdb.space import Space
from latentdb.store import schema
from latentdb.store.bringing import Bring, bring_tables, bring_uploads
from latentdb.store.check import can_be_dropped, orphans, read_through, vector_faults
from latentdb.store.doubled import remove_doubled
from latentdb.store.problems import Problem
from latentdb.store.registry import SpaceRegistry
from latentdb.store.seals import Seals
from latentdb.store.tables import Tables
from latentdb.store.views import CHUNK_ROWS, Ids, vector_block

# Folder of a database for what was damaged and is kept, out of the way, for a person to look at.
DAMAGED = "damaged"


@final
class Mending:
    """Mends one database; the caller holds the writer's lock.

    Parameters
    ----------
    folder : Path
        The database.
    tables, seals
        Its parts.
    """

    def __init__(self, folder: Path, tables: Tables, *, seals: Seals) -> None:
        self._folder = folder
        self._tables = tables
        self._registry = SpaceRegistry(tables)
        self._seals = seals

    def mend(self, *, drop_unreadable: bool = False) -> None:
        """Mend everything that `find_problems` calls repairable.

        Parameters
        ----------
        drop_unreadable : bool
            Also move tables aside that cannot be read or relied on and whose rows can be made
            again, and begin them anew, empty.
        """
        unsound = {name for name in self._tables.names() if not self._is_sound(name)}
        if schema.SPACES in unsound:
            return
        spaces = {schema.space_table(name): one for name, one in self._registry.all().items()}
        if drop_unreadable:
            for name in filter(can_be_dropped, sorted(unsound)):
                self._begin_anew(name, spaces.get(name))
                unsound.discard(name)
        sound = self._tables.names() - unsound
        for name in sorted(sound & set(schema.KEYS)):
            remove_doubled(self._tables, name, schema.KEYS[name])
        _drop_unrecorded(self._tables, sound - set(schema.KEYS) - set(spaces))
        fitting = [name for name in sorted(sound & set(spaces)) if self._fits(name, spaces[name])]
        for name in fitting:
            remove_doubled(self._tables, name, "id")
            self._tables.table(name).delete_among(
                "_rowid", vector_faults(self._tables.pin(name)).not_finite
            )
            _renew_norms(self._tables, name)
        if schema.ITEMS in sound:
            self._remove_orphans([*sorted({schema.SOURCES} & sound), *fitting])

    def bring_tables(self, bring: Bring) -> list[Problem]:
        """Put files of tables back that are not what was written; see `store.bringing`.

        Returns
        -------
        list of Problem
            What was mended; what could not be, `find_problems` finds again.
        """
        return bring_tables(self._tables, self._seals, bring)

    def bring_uploads(self, bring: Bring) -> list[Problem]:
        """The same of uploaded pictures, which the tables tell of: those first."""
        return bring_uploads(self._tables, self._folder, bring)

    def set_thumbnails(self, ids: Ids, thumbnails: Sequence[bytes]) -> None:
        """Replace the small pictures of items, one per id; empty for none."""
        fields = [schema.ITEMS_SCHEMA.field(name) for name in ("id", "thumbnail")]
        rows = [pa.array(ids), pa.array(thumbnails, pa.binary())]
        table = self._tables.table(schema.ITEMS)
        table.update(pa.table(rows, schema=pa.schema(fields)), key="id")

    def _is_sound(self, name: str) -> bool:
        """Whether a table can be read and is what was written; a torn seal is made anew."""
        try:
            faults = self._seals.faults(name)
        except StoreIOError:
            faults = []
            self._seals.discard(name)
        try:
            deque(read_through(self._tables.pin(name)), maxlen=0)
        except StoreIOError:
            return False
        return not faults

    def _fits(self, name: str, space: Space) -> bool:
        return bool(schema.space_schema(space).equals(self._tables.pin(name).schema))

    def _begin_anew(self, name: str, space: Space | None) -> None:
        """Keep the files of a table aside, and make it anew without rows."""
        columns = {
            schema.SOURCES: schema.SOURCES_SCHEMA,
            schema.QUARANTINE: schema.QUARANTINE_SCHEMA,
        }
        folder = self._folder / f"{name}.lance"
        if folder.is_dir():
            shutil.copytree(folder, aside(self._folder, folder.name), copy_function=_link)
        self._tables.drop(name)
        if space is not None or name in columns:
            wanted = schema.space_schema(space) if space is not None else columns[name]
            self._tables.create(name, wanted, key=schema.KEYS.get(name, "id"))

    def _remove_orphans(self, names: list[str]) -> None:
        items = np.unique(self._tables.pin(schema.ITEMS).scan(["id"])["id"].to_numpy())
        for name in names:
            self._tables.table(name).delete_among("id", orphans(self._tables.pin(name), items))


def aside(database: Path, name: str) -> Path:
    """A path below the folder of damaged things at which there is nothing yet."""
    folder = database / DAMAGED
    folder.mkdir(exist_ok=True)
    return folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{name}"


def _link(source: str, target: str) -> str:
    """A second name for a file, or a copy where the file system has no such thing."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target


def _drop_unrecorded(tables: Tables, names: set[str]) -> None:
    """Drop empty tables of no space; one with rows stays, for a person to look at."""
    for name in sorted(names):
        if not len(tables.pin(name).scan(["id"])):
            tables.drop(name)


def _renew_norms(tables: Tables, name: str) -> None:
    """Compute anew the norms that are not those of their vectors."""
    pinned = tables.pin(name)
    wrong = vector_faults(pinned).wrong_norm
    fields = [pinned.schema.field("id"), pinned.schema.field("norm")]
    for start in range(0, len(wrong), CHUNK_ROWS):
        rows = pinned.take(wrong[start : start + CHUNK_ROWS], ["id", "vector"])
        norms = np.sqrt(np.square(vector_block(rows), dtype=np.float64).sum(axis=1))
        renewed = [rows["id"].combine_chunks(), pa.array(norms.astype(np.float32))]
        tables.table(name).update(pa.table(renewed, schema=pa.schema(fields)), key="id")
