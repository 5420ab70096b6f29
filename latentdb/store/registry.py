"""The spaces of a database and their tables."""

from __future__ import annotations

import json
import threading
from typing import final

import pyarrow as pa

from latentdb.errors import (
    SpaceExistsError,
    SpaceMismatchError,
    StoreFormatError,
    StoreIOError,
    UnknownSpaceError,
)
from latentdb.space import Space
from latentdb.store import schema
from latentdb.store.labels import label_types
from latentdb.store.tables import Tables


@final
class SpaceRegistry:
    """Reads and adds records of spaces; a record is what makes a space's table count."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._lock = threading.Lock()
        self._cached: tuple[int, dict[str, Space]] | None = None

    def all(self) -> dict[str, Space]:
        """Every space, by name, in the order they were added."""
        return dict(self._now())

    def _now(self) -> dict[str, Space]:
        """Those of the latest version, which are not to be changed."""
        return self._tables.look.once((schema.SPACES, "records"), self._latest)

    def _latest(self) -> dict[str, Space]:
        version, cached = self._tables.version(schema.SPACES), self._cached
        if cached is not None and cached[0] == version:
            return cached[1]
        with self._lock:
            # Another thread may have read them while this one waited.
            cached = self._cached
            if cached is None or cached[0] != version:
                pinned = self._tables.pin(schema.SPACES)
                records = pinned.scan(["record"])["record"].to_pylist()
                self._cached = cached = (pinned.version, self._parsed(records))
            return cached[1]

    @staticmethod
    def _parsed(records: list[str]) -> dict[str, Space]:
        try:
            spaces = [Space.from_json(json.loads(record)) for record in records]
        except (ValueError, KeyError, TypeError) as error:
            raise StoreFormatError(
                f"the record of a space cannot be read ({error}); restore it from a copy"
            ) from error
        return {space.name: space for space in spaces}

    def get(self, name: str) -> Space:
        """One space.

        Raises
        ------
        UnknownSpaceError
            Naming the spaces there are.
        """
        spaces = self._now()
        if name not in spaces:
            raise UnknownSpaceError.among(name, spaces)
        return spaces[name]

    def version(self, name: str) -> int:
        """Version of a space's table; UnknownSpaceError where there is none."""
        try:
            return self._tables.version(schema.space_table(name))
        except StoreIOError:
            self.get(name)
            raise

    def quality_columns(self) -> set[str]:
        """Names of the quality columns of all spaces."""
        return {name for space in self.all().values() for name in space.quality}

    def add(self, space: Space) -> None:
        """Add a space, or do nothing when it is there with the same fingerprint.

        The table comes first and the record second, so that a kill in between leaves an
        unused table, which the next attempt replaces.

        Raises
        ------
        SpaceExistsError
            The name is taken by a space of other settings.
        SpaceSpecError
            The name or a quality column cannot be stored.
        """
        there = self.all().get(space.name)
        if there is not None:
            self._require_equal(there, space)
            return
        labels = label_types(self._tables.pin(schema.ITEMS).schema)
        schema.require_storable(space, labels)
        name = schema.space_table(space.name)
        if name in self._tables.names():
            if len(self._tables.pin(name).scan(["id"])):
                raise StoreIOError(
                    f"table {name} holds vectors but no record says what they are; run "
                    "latentdb check"
                )
            self._tables.drop(name)
        self._tables.create(name, schema.space_schema(space), key="id")
        row = {"name": [space.name], "record": [json.dumps(space.to_json(), sort_keys=True)]}
        table = pa.table(row, schema=schema.SPACES_SCHEMA)
        self._tables.table(schema.SPACES).insert_new(table, key="name")

    def remove(self, name: str) -> None:
        """Remove a space with its vectors; one that is gone already is passed over.

        Rows first, then the record, then the table: a kill in between leaves a space without
        vectors or an unused empty table, and `remove` again ends it.
        """
        table = schema.space_table(name)
        is_there = table in self._tables.names()
        if is_there:
            self._tables.table(table).delete("true")
        self._tables.table(schema.SPACES).delete_among("name", [name])
        if is_there:
            self._tables.drop(table)

    @staticmethod
    def _require_equal(there: Space, space: Space) -> None:
        try:
            there.require_same(space)
        except SpaceMismatchError as error:
            raise SpaceExistsError(
                f"space {space.name!r} is there with other settings; give the new one another "
                f"name. {error}"
            ) from error
        # More than it keeps may be measured: it was made by an older version.
        if missing := sorted(set(there.quality) - set(space.quality)):
            raise SpaceExistsError(
                f"space {space.name!r} is there with quality columns {sorted(there.quality)}; "
                f"the one given lacks {', '.join(missing)}"
            )
