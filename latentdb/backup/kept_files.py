"""Files of a database as the backups in a folder have them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import final

from latentdb.backup import Repository
from latentdb.backup.facts import KeptFile
from latentdb.durable import sync_folder
from latentdb.errors import BackupError, StoreIOError
from latentdb.store import Store
from latentdb.store.format import FormatRecord
from latentdb.store.seals import FileFact, file_fact


@final
class KeptFiles:
    """What all backups in a folder have of one database, the newest first.

    A backup whose list of files is damaged is passed over: what it alone has is not found.

    Parameters
    ----------
    source : path
        A folder of backups.
    store : Store
        Of the database that they are of.

    Raises
    ------
    BackupError
        `source` is no folder of backups, or of another database.
    """

    def __init__(self, source: str | Path, store: Store) -> None:
        self._repository = Repository(source)
        self._folder = store.path
        theirs = self._repository.require().get("database")
        ours = FormatRecord.read(store.location).created_at
        if theirs != ours:
            raise BackupError(
                f"{source} holds backups of the database made at {theirs}, and this one was made "
                f"at {ours}: name the folder that this one was backed up to"
            )
        self._contents: dict[str, dict[str, KeptFile]] = {}
        for one in reversed(self._repository.ids()):
            try:
                backup = self._repository.get(one)
            except BackupError:
                continue
            for file in backup.files:
                self._contents.setdefault(file.path, {}).setdefault(file.blake2b, file)

    def below(self, folder: str) -> Iterator[str]:
        """Paths of files that any backup has below a folder of the database."""
        yield from (path for path in sorted(self._contents) if path.startswith(f"{folder}/"))

    def is_there(self, path: str) -> bool:
        """Whether the file of a path holds what some backup has of it."""
        try:
            return file_fact(self._folder / path).blake2b in self._contents[path]
        except FileNotFoundError:
            return False

    def bring(self, path: str, is_right: Callable[[Path], bool]) -> bool:
        """Put a file in place of the one there, on disk once this returns; see `store.bringing`.

        Raises
        ------
        StoreIOError
            It cannot be read or written; what was there is there still.
        """
        target = self._folder / path
        if ".." in target.parts:
            return False
        try:
            contents = self._contents.get(path, {}).values()
            return any(self._bring(kept, target, is_right) for kept in contents)
        except OSError as error:
            if isinstance(error, StoreIOError):
                raise
            raise StoreIOError(
                f"fetching {path} from a backup failed: {error}; what was fetched before is in "
                "place, and the same command goes on"
            ) from error

    def _bring(self, kept: KeptFile, target: Path, is_right: Callable[[Path], bool]) -> bool:
        if not self._repository.holds(kept):
            return False
        # In the database, so that it takes the place of the damaged one in one step.
        with TemporaryDirectory(prefix=".", suffix=".tmp", dir=self._folder) as scratch:
            draft = Path(scratch) / target.name
            shutil.copyfile(self._repository.content(kept), draft)
            if file_fact(draft) != FileFact(kept.bytes, kept.blake2b) or not is_right(draft):
                return False
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            # The next backup knows it by its time.
            os.utime(draft, ns=(kept.mtime_ns, kept.mtime_ns))
            target.parent.mkdir(parents=True, exist_ok=True)
            draft.replace(target)
        sync_folder(target.parent)
        return True
