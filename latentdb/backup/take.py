"""Making a backup: a cut of the database, then copies of the files that are new."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TypeAlias, final

from indexers.errors import ParameterError
from latentdb import __version__
from latentdb.backup.facts import Backup, BackupSummary, KeptFile, Tally
from latentdb.backup.moment import GoneError, Moment, SourceFile, moment_of_folder
from latentdb.backup.of_objects import moment_of_objects
from latentdb.backup.repository import Repository
from latentdb.errors import BackupError, StoreIOError
from latentdb.progress import Progress, silent
from latentdb.store import Store
from latentdb.store.format import FormatRecord
from latentdb.store.object_location import ObjectLocation
from latentdb.store.snapshots import Snapshots

Look: TypeAlias = Callable[[], AbstractContextManager[Moment]]

_TRIES = 5


def take_backup(
    store: Store,
    destination: str | Path,
    *,
    snapshot: str | None = None,
    keep: int | None = None,
    progress: Progress = silent,
) -> BackupSummary:
    """Put a backup of a database into a folder of backups, which is made where it is missing.

    The database is linked first (`latentdb.store.cut`), or listed where it lies in an object store
    (`latentdb.backup.of_objects`), and only for that moment nobody else may write; then everything
    new is copied, while others go on. A file of the same path, size and time, or ETag, as in the
    last backup is taken for the same without being read. Killed at any moment, the same call goes
    on with what was copied.

    Parameters
    ----------
    store : Store
    destination : path
        Outside of the database.
    snapshot : str, optional
        Back this snapshot up, and not the database as it is now; of a folder alone.
    keep : int, optional
        Then delete all but the last `keep` backups.
    progress : Progress
        Told how many bytes are done, of how many; what it raises ends the backup.

    Raises
    ------
    BackupError
        `destination` is of something else, of another database, or damaged.
    StoreError
        A snapshot of a database in an object store.
    UnknownSnapshotError, StoreLockedError, StoreIOError
    ParameterError
        `keep` is below 1.
    """
    if keep is not None and keep < 1:
        raise ParameterError(f"at least 1 backup must be kept, got keep={keep}")
    started, repository = time.perf_counter(), Repository(destination)
    if repository.folder.resolve().is_relative_to(store.path.resolve()):
        raise BackupError(
            f"{repository.folder} lies in the database itself; give a folder elsewhere, best on "
            "another disk"
        )
    look = _look_at(store, snapshot)
    with repository.writing(FormatRecord.read(store.location).created_at):
        copier = _Copier(repository)
        backup = copier.backup(look, store.uri, progress)
        repository.add(backup)
        pruned, freed = repository.prune(keep) if keep is not None else ((), 0)
    return BackupSummary(
        backup=backup.info,
        new_files=len(copier.new),
        new_bytes=sum(file.bytes for file in copier.new),
        pruned=pruned,
        freed_bytes=freed,
        seconds=time.perf_counter() - started,
    )


def _look_at(store: Store, snapshot: str | None) -> Look:
    """What gives the moment that is to be copied, each time anew."""
    place = store.location
    if snapshot is None and isinstance(place, ObjectLocation):
        return lambda: nullcontext(moment_of_objects(store, place))
    snapshots = Snapshots(store)
    if snapshot is None:
        return partial(_linked, snapshots)
    return lambda: nullcontext(moment_of_folder(snapshots.folder(snapshot)))


@contextmanager
def _linked(snapshots: Snapshots) -> Iterator[Moment]:
    with snapshots.cut() as folder:
        yield moment_of_folder(folder)


@final
class _Copier:
    """Copies what is new of a moment, and knows what it copied when there has to be another.

    Parameters
    ----------
    repository : Repository

    Attributes
    ----------
    new : list of KeptFile
        Whose content was not there.
    """

    def __init__(self, repository: Repository) -> None:
        self.new: list[KeptFile] = []
        self._repository = repository
        self._lock = threading.Lock()
        there = (*_last_files(repository), *repository.noted())
        self._known = {file.mark: file for file in there}

    def backup(self, look: Look, database: str, progress: Progress) -> Backup:
        """The backup of a moment all of whose files could be had."""
        gone = ""
        for _ in range(_TRIES):
            try:
                with look() as moment:
                    files = self._copied(moment, progress)
            except GoneError as error:
                gone = str(error)
                continue
            return Backup(
                id=self._repository.next_id(),
                created_at=moment.created_at,
                database=database,
                items=moment.items,
                spaces=moment.spaces,
                files=files,
                written_by=__version__,
            )
        raise StoreIOError(
            f"{gone} of {database} was not there any more when it was to be copied, {_TRIES} times "
            "over: others compact or replace it all the time, then run the same again, which goes "
            "on with what was copied; or it is lost, then latentdb check says so"
        )

    def _copied(self, moment: Moment, progress: Progress) -> tuple[KeptFile, ...]:
        tally = Tally(progress, moment.total_bytes, "copying")
        copy = partial(self._kept, tally=tally)
        if moment.at_once == 1:
            return tuple(map(copy, moment.files))
        with ThreadPoolExecutor(moment.at_once) as pool:
            return tuple(pool.map(copy, moment.files))

    def _kept(self, file: SourceFile, *, tally: Tally) -> KeptFile:
        known = self._known.get(file.mark)
        if known is not None and self._repository.holds(known):
            tally(known.bytes)
            return known
        kept, is_new = self._repository.put(file, tally)
        with self._lock:
            self._known[file.mark] = kept
            self._repository.note(kept)
            if is_new:
                self.new.append(kept)
        return kept


def _last_files(repository: Repository) -> tuple[KeptFile, ...]:
    """Files of the last backup; none where it is damaged: everything is then read again."""
    try:
        return repository.get().files
    except BackupError:
        return ()
