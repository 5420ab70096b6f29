"""Making a backup: a cut of the database, then copies of the files that are new."""

from __future__ import annotations

import json
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from indexers.errors import ParameterError
from latentdb import __version__
from latentdb.backup.facts import Backup, BackupSummary, KeptFile, Tally
from latentdb.backup.repository import Repository
from latentdb.errors import BackupError
from latentdb.progress import Progress, silent
from latentdb.store import Store
from latentdb.store.cut import RECORD, files_below
from latentdb.store.format import FormatRecord
from latentdb.store.snapshots import Snapshots


def take_backup(
    store: Store,
    destination: str | Path,
    *,
    snapshot: str | None = None,
    keep: int | None = None,
    progress: Progress = silent,
) -> BackupSummary:
    """Put a backup of a database into a folder of backups, which is made where it is missing.

    The database is linked first (`latentdb.store.cut`), and only for that moment nobody else may
    write; then everything new is copied, while others go on. A file of the same path, size and
    time as in the last backup is taken for the same without being read. Killed at any moment, the
    same call goes on with what was copied.

    Parameters
    ----------
    store : Store
        Of a local folder.
    destination : path
        Outside of the database.
    snapshot : str, optional
        Back this snapshot up, and not the database as it is now.
    keep : int, optional
        Then delete all but the last `keep` backups.
    progress : Progress
        Told how many bytes are done, of how many; what it raises ends the backup.

    Raises
    ------
    BackupError
        `destination` is of something else, of another database, or damaged.
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
    snapshots = Snapshots(store)
    with repository.writing(FormatRecord.read(store.location).created_at):
        cut: AbstractContextManager[Path] = (
            snapshots.cut() if snapshot is None else nullcontext(snapshots.folder(snapshot))
        )
        with cut as folder:
            backup, new = _copied(folder, repository, store.uri, progress)
        repository.add(backup)
        pruned, freed = repository.prune(keep) if keep is not None else ((), 0)
    return BackupSummary(
        backup=backup.info,
        new_files=len(new),
        new_bytes=sum(file.bytes for file in new),
        pruned=pruned,
        freed_bytes=freed,
        seconds=time.perf_counter() - started,
    )


def _copied(
    folder: Path, repository: Repository, database: str, progress: Progress
) -> tuple[Backup, list[KeptFile]]:
    """The backup of a folder that does not change, and which of its files are new."""
    paths = [path for path in files_below(folder) if path.as_posix() != RECORD]
    total = sum((folder / path).stat().st_size for path in paths)
    tally = Tally(progress, total, "copying")
    known = _last_files(repository)
    files, new = [], []
    for path in paths:
        fact = (folder / path).stat()
        kept = known.get((path.as_posix(), fact.st_size, fact.st_mtime_ns))
        if kept is not None and repository.holds(kept):
            tally(kept.bytes)
        else:
            kept, is_new = repository.put(folder / path, path.as_posix(), tally)
            new += [kept] if is_new else []
        files.append(kept)
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    return (
        Backup(
            id=repository.next_id(),
            created_at=record["created_at"],
            database=database,
            items=record["items"],
            spaces=tuple(record["spaces"]),
            files=tuple(files),
            written_by=__version__,
        ),
        new,
    )


def _last_files(repository: Repository) -> dict[tuple[str, int, int], KeptFile]:
    """Files of the last backup; none where it is damaged: everything is then read again."""
    try:
        last = repository.get()
    except BackupError:
        return {}
    return {(file.path, file.bytes, file.mtime_ns): file for file in last.files}
