"""The small file `migrations.json` beside the tables: every migration, replaced as a whole."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from typing import Final, final

from filelock import FileLock, Timeout

from latentdb.errors import MigrationError, StoreFormatError, StoreLockedError
from latentdb.store import Store
from latentdb.succession.record import Migration

FORMAT_VERSION = 1
_FILE: Final = "migrations.json"
_LOCK = "migrations.lock"
_LOCK_SECONDS = 10.0


@final
class MigrationBook:
    """Reads and changes the records of migrations of one database.

    A record changes under a lock of its own, held for milliseconds: rolling back never waits for
    a long ingest. A reader sees the file before a change or after it.

    Parameters
    ----------
    store : Store
        The database.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._path = store.path / _FILE
        # A new one each time would not exclude another thread of this process.
        self._lock = FileLock(store.path / _LOCK, timeout=_LOCK_SECONDS, thread_local=False)
        self._serial = threading.Lock()
        self._cached: tuple[tuple[int, int] | None, tuple[Migration, ...]] = (None, ())

    def all(self) -> tuple[Migration, ...]:
        """Every migration, in the order they were begun.

        Raises
        ------
        StoreFormatError
            The file cannot be understood, or a newer latentdb wrote it.
        """
        return self._store.look.once(_FILE, self._now)

    def _now(self) -> tuple[Migration, ...]:
        self._store.catch_up()
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return ()
        # A replaced file is another inode, so one look tells whether it changed.
        stamp = (status.st_ino, status.st_mtime_ns)
        cached = self._cached
        if cached[0] != stamp:
            cached = self._cached = (stamp, self._read())
        return cached[1]

    def get(self, old: str | None) -> Migration:
        """The migration that replaces `old`; where not given, the only open one.

        Raises
        ------
        MigrationError
            There is none, or several are open and none is named.
        """
        there = self.all()
        if old is not None:
            found = [one for one in there if one.old == old]
            # An open one counts before one that was rolled back or ended.
            found.sort(key=lambda one: (one.is_open, one.state == "finishing"))
        else:
            found = [one for one in there if one.is_open or one.state == "finishing"]
            if len(found) > 1:
                names = ", ".join(one.old for one in found)
                raise MigrationError(f"several migrations are open ({names}): name one with --from")
        if not found:
            of = "" if old is None else f" of space {old!r}"
            raise MigrationError(
                f"there is no open migration{of}; begin one with "
                "latentdb migrate-space DB --from OLD --to NEW"
            )
        return found[-1]

    def current(self, migration: Migration) -> Migration:
        """The record of these two spaces as it is on disk now."""
        return _among(self.all(), migration)

    def put(self, migration: Migration) -> None:
        """Begin a migration; one of the same two spaces that was rolled back is replaced."""

        def change(there: tuple[Migration, ...]) -> tuple[Migration, ...]:
            kept = tuple(one for one in there if _key(one) != _key(migration))
            return (*kept, migration)

        self._change(change)

    def update(self, migration: Migration, change: Callable[[Migration], Migration]) -> Migration:
        """Change the record of these two spaces, as it is on disk now.

        Parameters
        ----------
        migration : Migration
            Names the two; its other fields may be out of date.
        change : callable
            The record on disk to the one to write; what it raises leaves the file as it was.
        """
        changed: list[Migration] = []

        def apply(there: tuple[Migration, ...]) -> tuple[Migration, ...]:
            before = _among(there, migration)
            changed.append(change(before))
            return tuple(changed[0] if one is before else one for one in there)

        self._change(apply)
        return changed[0]

    def _change(self, change: Callable[[tuple[Migration, ...]], tuple[Migration, ...]]) -> None:
        try:
            with self._serial, self._lock, self._store.changing(_FILE):
                self._write(change(self._read()))
        except Timeout as error:
            raise StoreLockedError(
                f"another process holds {self._path.parent / _LOCK}; try again in a moment"
            ) from error

    def _read(self) -> tuple[Migration, ...]:
        try:
            data = json.loads(self._path.read_bytes())
            version = int(data["format"])
            if version <= FORMAT_VERSION:
                return tuple(Migration.from_json(one) for one in data["migrations"])
        except FileNotFoundError:
            return ()
        except (ValueError, KeyError, TypeError) as error:
            raise StoreFormatError(
                f"{self._path} cannot be understood ({error!r}); restore it from a copy"
            ) from error
        raise StoreFormatError(
            f"{self._path} is of format {version}, this latentdb reads up to {FORMAT_VERSION}: "
            "upgrade latentdb"
        )

    def _write(self, migrations: tuple[Migration, ...]) -> None:
        """Temporary file, fsync, rename, fsync of the folder."""
        data = {"format": FORMAT_VERSION, "migrations": [one.to_json() for one in migrations]}
        temporary = self._path.with_suffix(".json.new")
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(data, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _key(migration: Migration) -> tuple[str, str]:
    return migration.old, migration.new


def _among(there: tuple[Migration, ...], migration: Migration) -> Migration:
    for one in there:
        if _key(one) == _key(migration):
            return one
    raise MigrationError(
        f"the migration {migration.old} → {migration.new} is not recorded any more"
    )
