"""Snapshots: a database as it was, kept beside it under a name, and opened for reading.

<database>/snapshots/NAME/        a whole database of links, see `latentdb.store.cut`
<database>/snapshots/.cut-*/      one that is being made, or that a backup reads and takes away
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, final

from filelock import FileLock, Timeout

from latentdb.durable import sync_folder, write_whole
from latentdb.errors import StoreError, StoreExistsError, StoreFormatError, UnknownSnapshotError
from latentdb.store.cut import RECORD, SNAPSHOTS, files_below, link_cut
from latentdb.store.local_folder import LocalFolder
from latentdb.store.store import Store
from latentdb.store.tables import Tables

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_CUT = ".cut-"
_FORMAT = 1


@final
@dataclass(frozen=True)
class SnapshotInfo:
    """One snapshot.

    Parameters
    ----------
    name, created_at : str
        `created_at` is ISO 8601, UTC.
    items : int
    spaces : tuple of str
    total_bytes, own_bytes : int
        Of all its files, and of those that nothing else holds any more: what dropping it frees.
    """

    name: str
    created_at: str
    items: int
    spaces: tuple[str, ...]
    total_bytes: int
    own_bytes: int

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return asdict(self)


@final
class Snapshots:
    """The snapshots of one database.

    Parameters
    ----------
    store : Store
        Of a local folder.

    Raises
    ------
    StoreError
        The database lies in an object store, which has no links.
    StoreReadOnlyError
        It is a past state itself.
    """

    def __init__(self, store: Store) -> None:
        store.location.require_writable()
        if not isinstance(store.location, LocalFolder):
            raise StoreError(
                f"{store.uri} lies in an object store, where files have no second names: snapshots "
                "are of databases in a folder. Make a backup of it as it is now, or open it at a "
                "moment, as at='2026-11-21T20:15'"
            )
        self._store = store
        self._folder = store.path / SNAPSHOTS

    def take(self, name: str) -> SnapshotInfo:
        """Keep the database as it is now, under `name`; whole or not at all.

        The writer's lock is held while files are linked: a fraction of a second, of any size.

        Raises
        ------
        StoreExistsError
            There is a snapshot of that name.
        StoreError
            The name cannot be one.
        StoreLockedError
            Another process is writing.
        """
        if _NAME.fullmatch(name) is None:
            raise StoreError(
                f"{name!r} cannot name a snapshot: use 1 to 63 letters, digits, '.', '_' and '-', "
                "beginning with a letter or digit"
            )
        if name in self.names():
            raise StoreExistsError(
                f"there is a snapshot {name!r} already; choose another name, or drop it first"
            )
        with self.cut() as cut:
            for folder in {cut, *(path.parent for path in map(cut.joinpath, files_below(cut)))}:
                sync_folder(folder)
            cut.replace(self._folder / name)
        sync_folder(self._folder)
        return self.get(name)

    def names(self) -> list[str]:
        """Their names, sorted."""
        return sorted(path.parent.name for path in self._folder.glob(f"[!.]*/{RECORD}"))

    def all(self) -> list[SnapshotInfo]:
        """Every snapshot, the oldest first."""
        there = map(self.get, self.names())
        return sorted(there, key=lambda one: (one.created_at, one.name))

    def get(self, name: str) -> SnapshotInfo:
        """One snapshot.

        Raises
        ------
        UnknownSnapshotError
            There is none of that name.
        """
        folder = self.folder(name)
        try:
            record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
            created, items, spaces = record["created_at"], record["items"], record["spaces"]
        except (ValueError, KeyError, TypeError) as error:
            raise StoreFormatError(
                f"{folder / RECORD} cannot be understood ({error!r}); drop the snapshot"
            ) from error
        facts = [(folder / path).stat() for path in files_below(folder)]
        own = sum(fact.st_size for fact in facts if fact.st_nlink == 1)
        total = sum(fact.st_size for fact in facts)
        return SnapshotInfo(name, created, items, tuple(spaces), total, own)

    def drop(self, name: str) -> None:
        """Delete a snapshot; UnknownSnapshotError where there is none of that name."""
        folder = self.folder(name)
        # Without its record it is none any more, whatever else is still there.
        (folder / RECORD).unlink()
        shutil.rmtree(folder)
        with suppress(OSError):  # others are still in it
            self._folder.rmdir()

    def folder(self, name: str) -> Path:
        """Where a snapshot lies, a database of its own; UnknownSnapshotError names those there."""
        folder, names = self._folder / name, self.names()
        if name not in names:
            there = ", ".join(names) or "none yet; take one with latentdb snapshot DB NAME"
            raise UnknownSnapshotError(f"no snapshot {name!r} of this database; there are: {there}")
        return folder

    @contextmanager
    def cut(self) -> Iterator[Path]:
        """A folder with the database as it is now, for the length of the block.

        Others write, compact and delete meanwhile as they like. What is moved away stays.

        Raises
        ------
        StoreLockedError
            Another process is writing at the beginning.
        """
        with self._store.exclusively():
            self._sweep()
            self._folder.mkdir(exist_ok=True)
            cut = Path(mkdtemp(prefix=_CUT, dir=self._folder))
            lock = FileLock(self._lock_of(cut), timeout=0)
            lock.acquire()
            try:
                self._fill(cut)
            except BaseException:
                shutil.rmtree(cut)
                self._unlock(cut, lock)
                raise
        try:
            yield cut
        finally:
            if cut.exists():
                shutil.rmtree(cut)
            self._unlock(cut, lock)

    def _fill(self, cut: Path) -> None:
        """Link everything, and say what it is."""
        store = self._store
        cut.chmod(store.path.stat().st_mode & 0o777)
        record = {
            "format": _FORMAT,
            "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "items": len(store.item_ids()),
            "spaces": list(store.spaces()),
        }
        tables = Tables(store.location)
        link_cut(store.path, cut, data_files=lambda name: tables.history(name)[-1].data_files)
        write_whole(cut / RECORD, json.dumps(record, indent=1).encode())

    def _sweep(self) -> None:
        """Take away what killed processes began; the caller holds the writer's lock."""
        for cut in self._folder.glob(f"{_CUT}*"):
            if not cut.is_dir():
                continue
            lock = FileLock(self._lock_of(cut), timeout=0)
            with suppress(Timeout):  # somebody reads it
                lock.acquire()
                shutil.rmtree(cut)
                self._unlock(cut, lock)
        for folder in self._folder.glob("[!.]*"):
            if not (folder / RECORD).is_file():  # it was being dropped
                shutil.rmtree(folder)

    def _lock_of(self, cut: Path) -> Path:
        return cut.with_name(f"{cut.name}.lock")

    def _unlock(self, cut: Path, lock: FileLock) -> None:
        self._lock_of(cut).unlink(missing_ok=True)
        lock.release()
        with suppress(OSError):  # others are in it
            self._folder.rmdir()
