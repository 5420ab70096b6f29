"""A folder of backups: files by the hash of their content, and a list of files per backup.

DEST/latentdb-backup.json     what this folder is, and of which database
DEST/backups/ID.json          one backup: every file by path, with size and hash
DEST/files/3f/3f9c…           the content of files; of several backups where they share it
DEST/files/tmp-*              content that is on its way, or whose copier died
DEST/copied                   a line per file that a backup has copied that is not made yet
DEST/lock                     one process at a time adds or takes away

Whatever is there under its own name is whole and on disk. The list comes last, so a backup that
was cut short is none, and what it had copied is there for the next.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import mkstemp
from typing import Any, Final, final

from filelock import FileLock, Timeout

from latentdb.backup.content import hash_file, written
from latentdb.backup.facts import Backup, BackupInfo, KeptFile, Tally
from latentdb.backup.moment import SourceFile
from latentdb.durable import sync_folder, write_whole
from latentdb.errors import BackupError, StoreIOError, StoreLockedError
from latentdb.progress import Progress, silent
from latentdb.store.local_folder import local_path

FORMAT: Final = 1
_RECORD, _BACKUPS, _FILES, _LOCK = "latentdb-backup.json", "backups", "files", "lock"
_COPIED = "copied"
_DRAFT = "tmp-"


def _is_begun_at_most(folder: Path) -> bool:
    """Whether a folder holds nothing but what a first backup that was cut short leaves."""
    names = {path.name for path in folder.rglob("*") if not path.is_dir()}
    return all(name == _LOCK or name.startswith(f".{_RECORD}.") for name in names)


@final
class Repository:
    """The backups in one folder.

    Parameters
    ----------
    folder : path
        Or a `file://` address; StoreError where it is another.
    """

    def __init__(self, folder: str | Path) -> None:
        is_address = "://" in str(folder)
        self.folder = (
            local_path(str(folder)) if is_address else Path(folder).expanduser().absolute()
        )

    # Reading

    def require(self) -> dict[str, Any]:
        """What the folder says of itself.

        Raises
        ------
        BackupError
            It is no folder of backups, or a newer latentdb wrote it.
        """
        path = self.folder / _RECORD
        try:
            record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            written = int(record["format"])
        except (FileNotFoundError, NotADirectoryError) as error:
            raise BackupError(
                f"{self.folder} is no folder of backups: there is no {_RECORD}; make one with "
                f"latentdb backup DB {self.folder}"
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise BackupError(
                f"{path} cannot be understood ({error!r}); restore it from a copy"
            ) from error
        if written > FORMAT:
            raise BackupError(
                f"{self.folder} is of backup format {written}, this latentdb reads up to "
                f"{FORMAT}: upgrade latentdb"
            )
        return record

    def ids(self) -> list[str]:
        """Ids of the backups, the oldest first."""
        self.require()
        return sorted(path.stem for path in (self.folder / _BACKUPS).glob("[0-9]*.json"))

    def infos(self) -> list[BackupInfo]:
        """Every backup, the oldest first; BackupError names a list that is damaged."""
        return [self.get(one).info for one in self.ids()]

    def get(self, backup_id: str | None = None) -> Backup:
        """One backup; the last one where none is named.

        Raises
        ------
        BackupError
            There is none, or its list of files is damaged.
        """
        there = self.ids()
        if not there or (backup_id is not None and backup_id not in there):
            named = "backup" if backup_id is None else f"backup {backup_id!r}"
            raise BackupError(f"no {named} in {self.folder}; there are: {', '.join(there) or '-'}")
        path = self._list_of(backup_id or there[-1])
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            is_whole = data.pop("hash") == _hash_of(data)
            files = tuple(KeptFile(*file) for file in data.pop("files"))
            backup = Backup(**{**data, "files": files, "spaces": tuple(data["spaces"])})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BackupError(f"{path} is damaged ({error!r}); {_CURE}") from error
        if not is_whole:
            raise BackupError(f"{path} was changed after it was written; {_CURE}")
        return backup

    def content(self, file: KeptFile) -> Path:
        """Where the content of a file is kept."""
        return self.folder / _FILES / file.blake2b[:2] / file.blake2b

    def holds(self, file: KeptFile) -> bool:
        """Whether the content of a file is there, by its size."""
        try:
            return self.content(file).stat().st_size == file.bytes
        except FileNotFoundError:
            return False

    def faults(self, progress: Progress = silent) -> list[str]:
        """What is damaged, a line each; reads every byte."""
        faults: list[str] = []
        users: dict[KeptFile, list[str]] = {}
        for one in self.ids():
            try:
                backup = self.get(one)
            except BackupError as error:
                faults.append(str(error))
                continue
            for file in backup.files:
                content = file._replace(path="", mtime_ns=0, tag="")
                users.setdefault(content, []).append(f"{file.path} of {one}")
        tally = Tally(progress, sum(file.bytes for file in users), "verifying")
        for file, needing in users.items():
            if fault := self._fault(file):
                faults.append(f"{fault}; needed by {', '.join(needing[:3])}")
            tally(file.bytes)
        return faults

    def _fault(self, file: KeptFile) -> str:
        path = self.content(file)
        try:
            found = hash_file(path)
        except OSError as error:
            return f"{path} cannot be read ({error.strerror})"
        return "" if found == file.blake2b else f"{path} does not match its checksum"

    def required(self, file: KeptFile) -> Path:
        """Where the content of a file is kept that a database is made of.

        Raises
        ------
        BackupError
            It is missing or torn, or belongs outside of a database.
        """
        path = Path(file.path)
        if ".." in path.parts or path.is_absolute():
            raise BackupError(f"{self.folder} names a file outside of the database: {file.path}")
        if not self.holds(file):
            raise BackupError(
                f"{self.content(file)} is missing or torn ({file.path} of {file.bytes} bytes); "
                "nothing was made. Restore another backup"
            )
        return self.content(file)

    def require_same(self, file: KeptFile, found: str) -> None:
        """Raise BackupError where the content of a file has another hash."""
        if found != file.blake2b:
            raise BackupError(
                f"{self.content(file)} does not match its checksum ({file.path}); nothing was "
                f"made. Restore another backup; latentdb backup --verify {self.folder} names all "
                "damage"
            )

    # Writing

    @contextmanager
    def writing(self, database: str) -> Iterator[None]:
        """Be the one process that adds and takes away, for the length of the block.

        Parameters
        ----------
        database : str
            What tells the database from others; a folder of backups is of one alone.

        Raises
        ------
        StoreLockedError
            Another process is at it.
        BackupError
            The folder holds something else, or backups of another database.
        StoreIOError
            It cannot be written to.
        """
        try:
            self._begin(database)
            with FileLock(self.folder / _LOCK, timeout=0):
                self._sweep_drafts()
                yield
        except Timeout as error:
            raise StoreLockedError(
                f"another process is making a backup in {self.folder}; wait for it to end"
            ) from error
        except OSError as error:
            if isinstance(error, StoreIOError):
                raise
            raise StoreIOError(
                f"writing to {self.folder} failed: {error}; earlier backups are whole, and the "
                "same command goes on where this one was"
            ) from error

    def _begin(self, database: str) -> None:
        folder = self.folder
        if (folder / _RECORD).exists():
            known = self.require().get("database")
            if known != database:
                raise BackupError(
                    f"{folder} holds backups of the database made at {known}, and this one was "
                    f"made at {database}: give another folder"
                )
            return
        if folder.exists() and not (folder.is_dir() and _is_begun_at_most(folder)):
            raise BackupError(f"{folder} holds something else; give a new or empty folder")
        folder.mkdir(parents=True, exist_ok=True)
        for name in (_BACKUPS, _FILES):
            (folder / name).mkdir(exist_ok=True)
        record = {"format": FORMAT, "database": database}
        write_whole(folder / _RECORD, json.dumps(record, indent=1).encode())

    def _sweep_drafts(self) -> None:
        for draft in (self.folder / _FILES).glob(f"{_DRAFT}*"):
            draft.unlink()

    def put(self, source: SourceFile, progress: Callable[[int], None]) -> tuple[KeptFile, bool]:
        """Copy a file, unless its content is there; on disk once this returns.

        Safe for several threads.

        Parameters
        ----------
        source : SourceFile
        progress : callable
            Told how many more bytes were read.

        Returns
        -------
        kept : KeptFile
        is_new : bool
            Whether its content was not there yet.
        """
        handle, name = mkstemp(prefix=_DRAFT, dir=self.folder / _FILES)
        draft = Path(name)
        try:
            with os.fdopen(handle, "wb") as out:
                digest = written(source.blocks(), out, progress)
            size = draft.stat().st_size
            kept = KeptFile(source.path, size, source.mtime_ns, digest, source.tag)
            if self.holds(kept):
                return kept, False
            target = self.content(kept)
            target.parent.mkdir(exist_ok=True)
            draft.replace(target)
            sync_folder(target.parent)
        finally:
            draft.unlink(missing_ok=True)
        return kept, True

    def note(self, kept: KeptFile) -> None:
        """Remember a file that was copied, until a backup is added; one thread at a time."""
        with (self.folder / _COPIED).open("a", encoding="utf-8") as notes:
            notes.write(json.dumps(kept) + "\n")

    def noted(self) -> list[KeptFile]:
        """The files that a backup which was cut short has copied."""
        try:
            lines = (self.folder / _COPIED).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        found = []
        for line in lines:
            try:
                found.append(KeptFile(*json.loads(line)))
            except (ValueError, TypeError):
                continue  # the one that it was cut short at: its file is copied again
        return found

    def next_id(self) -> str:
        """An id that sorts after all others, whatever the clock says."""
        there = self.ids()
        return f"{int(there[-1]) + 1 if there else 1:06d}"

    def add(self, backup: Backup) -> None:
        """Write the list of a backup, whose files are all there: from now on it counts."""
        sync_folder(self.folder / _FILES)
        data = asdict(backup)
        text = json.dumps({**data, "hash": _hash_of(data)}, indent=0)
        write_whole(self._list_of(backup.id), text.encode())
        (self.folder / _COPIED).unlink(missing_ok=True)

    def prune(self, keep: int) -> tuple[tuple[str, ...], int]:
        """Delete all but the last `keep` backups, and what none of those needs.

        Returns
        -------
        ids : tuple of str
            Of the backups that were deleted.
        freed_bytes : int

        Raises
        ------
        BackupError
            The list of one that stays is damaged, so nobody knows what it needs: nothing was
            deleted.
        """
        there = self.ids()
        gone = tuple(there[: max(0, len(there) - keep)])
        needed = {file.blake2b for one in there if one not in gone for file in self.get(one).files}
        for one in gone:
            self._list_of(one).unlink()
        sync_folder(self.folder / _BACKUPS)
        freed = 0
        for path in (self.folder / _FILES).glob("??/*"):
            if path.name not in needed:
                freed += path.stat().st_size
                path.unlink()
        return gone, freed

    def _list_of(self, backup_id: str) -> Path:
        return self.folder / _BACKUPS / f"{backup_id}.json"


_CURE = "the other backups are not touched by it; delete that file and make a new backup"


def _hash_of(data: dict[str, Any]) -> str:
    text = json.dumps(data, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
