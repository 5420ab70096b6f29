"""LanceDB: the only file that knows its names, its errors and its quirks.

Quirks that the rest of the package relies on (LanceDB 0.40, measured):

- `merge_insert` under an unenforced primary key and without an index notices a second writer
  of the same key; with an index, or without the key, both rows stay. Hence `use_index(False)`,
  and no index at all. It reads the keys of the whole table: rows known to be new are appended.
- A handle stays at the version it was opened at until told otherwise: that is what `Pinned` is.
- Rows come back in storage order, whatever order they are asked for in.
- The library holds threads and must not be carried across a fork.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeAlias, final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentdb.errors import StoreError, StoreIOError
from latentdb.store.location import AbstractLocation
from latentdb.store.look import Look
from latentdb.store.whole import whole_commits

Explain: TypeAlias = Callable[[str], str]

# Below one millisecond LanceDB rounds to zero and warns.
_AT_ONCE = timedelta(milliseconds=1)
_NEVER = timedelta(days=36_500)
# Values in one predicate of a deletion.
_DELETED_AT_ONCE = 1000

# The engine panics where a damaged file contradicts itself; these classes cannot be imported.
_PANICS = frozenset({"RustPanic", "PanicException"})


@contextmanager
def _translated(doing: str, explain: Explain) -> Iterator[None]:
    """Turn what LanceDB raises into StoreIOError, in its words or in plainer ones."""
    try:
        yield
    except StoreError:
        raise
    except (RuntimeError, ValueError, OSError, TimeoutError) as error:
        raise StoreIOError(f"{doing} failed: {explain(str(error))}") from error
    except BaseException as error:
        if type(error).__name__ not in _PANICS:
            raise
        raise StoreIOError(f"{doing} failed: a file is damaged; run latentdb check") from error


@final
class Pinned:
    """One version of one table; it reads the same however often others write."""

    def __init__(self, handle: Any, name: str, explain: Explain) -> None:
        self._handle = handle
        self._explain = explain
        self.name = name
        with _translated(f"reading table {name}", explain):
            self.version = int(handle.version)
            self.schema: pa.Schema = handle.schema

    def scan(
        self, columns: Sequence[str], *, with_row_ids: bool = False, since: int | None = None
    ) -> pa.Table:
        """All rows of `columns` in storage order, or those of row ids from `since` on.

        With `_rowid` when asked.
        """
        with _translated(f"reading table {self.name}", self._explain):
            query = self._handle.search().select(list(columns))
            if since is not None:
                query = query.where(f"_rowid >= {since}")
            return query.with_row_id(True).to_arrow() if with_row_ids else query.to_arrow()

    def count(self) -> int:
        """Number of rows."""
        with _translated(f"reading table {self.name}", self._explain):
            return int(self._handle.count_rows())

    def take(
        self, row_ids: NDArray[np.uint64], columns: Sequence[str], *, with_row_ids: bool = False
    ) -> pa.Table:
        """The rows of these `_rowid`s, in storage order, with `_rowid` when asked."""
        with _translated(f"reading table {self.name}", self._explain):
            query = self._handle.take_row_ids(row_ids.tolist()).select(list(columns))
            return query.with_row_id().to_arrow() if with_row_ids else query.to_arrow()


@final
class Table:
    """One table at its latest version, for writing."""

    def __init__(
        self,
        handle: Any,
        name: str,
        *,
        committing: Callable[[str], AbstractContextManager[None]],
        explain: Explain,
    ) -> None:
        self._handle = handle
        self._explain = explain
        self._committing = committing
        self.name = name

    @contextmanager
    def _latest(self) -> Iterator[Any]:
        with _translated(f"writing table {self.name}", self._explain), self._committing(self.name):
            self._handle.checkout_latest()
            yield self._handle

    def append(self, rows: pa.Table) -> int:
        """Append rows whose keys the caller knows not to be there; the version this makes."""
        with self._latest() as table:
            table.add(rows)
            return int(table.version)

    def insert_new(self, rows: pa.Table, *, key: str) -> int:
        """Append the rows whose key is not there yet; the number of rows appended."""
        with self._latest() as table:
            merge = table.merge_insert(key).when_not_matched_insert_all()
            return int(merge.use_index(False).execute(rows).num_inserted_rows)

    def upsert(self, rows: pa.Table, *, key: str, unless_equal: Sequence[str]) -> int:
        """Append new rows and replace those that differ in a column of `unless_equal`."""
        differs = " OR ".join(f"target.{name} != source.{name}" for name in unless_equal)
        with self._latest() as table:
            merge = table.merge_insert(key).when_matched_update_all(where=differs)
            done = merge.when_not_matched_insert_all().use_index(False).execute(rows)
            return int(done.num_inserted_rows) + int(done.num_updated_rows)

    def update(self, rows: pa.Table, *, key: str) -> int:
        """Set the columns of `rows` on the rows of the same key; others stay as they are."""
        with self._latest() as table:
            merge = table.merge_insert(key).when_matched_update_all()
            return int(merge.use_index(False).execute(rows).num_updated_rows)

    def delete(self, where: str) -> int:
        """Delete rows by a predicate made by this package; the number deleted."""
        with self._latest() as table:
            return int(table.delete(where).num_deleted_rows)

    def delete_among(
        self, column: str, values: NDArray[np.int64] | NDArray[np.uint64] | Sequence[str]
    ) -> int:
        """Delete the rows whose `column`, of texts, ids or `_rowid`s, is among `values`; how many.

        A thousand of them make one commit.
        """
        # A deletion in Lance moves no row, so addresses found before it stay right.
        named = [_literal(one) for one in values]
        return sum(
            self.delete(f"{column} IN ({', '.join(named[at : at + _DELETED_AT_ONCE])})")
            for at in range(0, len(named), _DELETED_AT_ONCE)
        )

    def add_columns(self, fields: Sequence[pa.Field]) -> None:
        """Add columns that are null in every row there is."""
        with self._latest() as table:
            table.add_columns(list(fields))

    def fragments(self) -> int:
        """Number of pieces the table is stored in."""
        with self._latest() as table:
            return int(table.stats()["fragment_stats"]["num_fragments"])

    def optimise(self, *, keep: timedelta, sweep: bool) -> None:
        """Merge small pieces and drop versions older than `keep`.

        With `sweep`, files that a killed writer left behind go too: only for the holder of
        the writer's lock, who knows that nobody is in the middle of a commit.
        """
        # Pruned is in a step of its own, once what was merged is known to be whole.
        with self._latest() as table:
            table.optimize(cleanup_older_than=_NEVER)
        with self._latest() as table:
            table.optimize(cleanup_older_than=max(keep, _AT_ONCE), delete_unverified=sweep)


def _literal(value: object) -> str:
    """A number or a text as a predicate holds it."""
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


class TableVersion(NamedTuple):
    """One version of a table: its number, when it was committed (UTC), its files of data."""

    number: int
    committed_at: datetime
    data_files: int


@final
class Tables:
    """The tables of one database.

    Parameters
    ----------
    location : AbstractLocation
        Where the database is; a local folder must exist.
    look : Look, optional
        What else of the database is looked at in the same block.
    """

    def __init__(self, location: AbstractLocation, look: Look | None = None) -> None:
        import lancedb

        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._guard = location.lock
        self._folder = location.folder
        self._explain = location.explain
        self._versions = location.versions
        self._probes: dict[str, Any] = {}
        self.look = Look() if look is None else look
        self._writable: dict[str, Table] = {}
        with self._translated(f"opening {location.uri}"):
            address, options = location.tables()
            self._connection = lancedb.connect(address, storage_options=options)

    def _connected(self) -> Any:
        if os.getpid() != self._pid:
            raise StoreError(
                f"the database was opened in process {self._pid} and is used in its fork "
                f"{os.getpid()}: start processes with multiprocessing's 'spawn' method, or "
                "open the database in the child"
            )
        return self._connection

    def _translated(self, doing: str) -> AbstractContextManager[None]:
        return _translated(doing, self._explain)

    def names(self) -> set[str]:
        """Names of the tables there are."""
        connection = self._connected()
        names: set[str] = set()
        token: str | None = None
        with self._translated("listing tables"):
            while True:
                page = connection.list_tables(page_token=token)
                names.update(page.tables)
                token = page.page_token
                if not token:
                    return names

    def create(self, name: str, schema: pa.Schema, *, key: str) -> None:
        """Make an empty table whose rows are told apart by `key`."""
        with self._translated(f"creating table {name}"):
            self._guard.require_kept()
            table = self._connected().create_table(name, schema=schema)
            table.set_unenforced_primary_key(key)

    def drop(self, name: str) -> None:
        """Delete a table with everything in it."""
        with self._lock, self._translated(f"dropping table {name}"):
            self._guard.require_kept()
            self._probes.pop(name, None)
            self._versions.forget(name)
            self._writable.pop(name, None)
            self._connected().drop_table(name)
            self.look.again()

    def version(self, name: str) -> int:
        """Latest version of a table; grows with every commit."""
        return self.look.once(name, lambda: self._looked_up(name))

    def _looked_up(self, name: str) -> int:
        self._connected()
        known = self._versions.known(name)
        if known is not None:
            return known
        with self._lock, self._translated(f"reading table {name}"):
            return self._versions.latest(name, lambda: self._asked(name))

    def _asked(self, name: str) -> int:
        if name not in self._probes:
            self._probes[name] = self._connected().open_table(name)
        probe = self._probes[name]
        probe.checkout_latest()
        return int(probe.version)

    def pin(self, name: str) -> Pinned:
        """The latest version of a table, or the one that is fixed, to be read from."""
        fixed = self._versions.fixed(name)
        with self._translated(f"opening table {name}"):
            handle = self._connected().open_table(name)
            if fixed is not None:
                handle.checkout(fixed)
            return Pinned(handle, name, self._explain)

    def history(self, name: str) -> list[TableVersion]:
        """The versions of a table that are still there, the oldest first; never empty."""
        with self._translated(f"reading table {name}"):
            told = self._connected().open_table(name).list_versions()
        return [
            TableVersion(
                int(one["version"]),
                # LanceDB tells the time of this machine's zone, without saying so.
                one["timestamp"].astimezone(UTC),
                int(one["metadata"]["total_data_files"]),
            )
            for one in sorted(told, key=lambda one: int(one["version"]))
        ]

    def table(self, name: str) -> Table:
        """A table, to be written to."""
        with self._lock, self._translated(f"opening table {name}"):
            connection = self._connected()
            if name not in self._writable:
                handle = connection.open_table(name)
                self._writable[name] = Table(
                    handle, name, committing=self._committing, explain=self._explain
                )
            return self._writable[name]

    @contextmanager
    def _committing(self, name: str) -> Iterator[None]:
        """Around each commit: only who still has the writer's lock makes one, and a whole one."""
        self._guard.require_kept()
        try:
            with whole_commits(self._folder / f"{name}.lance"):
                yield
        finally:
            with self._lock:
                self._versions.forget(name)
            self.look.again()
