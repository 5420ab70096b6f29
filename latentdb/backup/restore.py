"""Making a database of a backup: whole and verified, or not at all."""

from __future__ import annotations

import time
from pathlib import Path

from latentdb.backup.facts import RestoreSummary
from latentdb.backup.into_folder import restore_into_folder
from latentdb.backup.into_objects import restore_into_objects
from latentdb.backup.repository import Repository
from latentdb.progress import Progress, silent
from latentdb.store.locate import locate
from latentdb.store.object_location import ObjectLocation


def restore(
    source: str | Path,
    uri: str | Path,
    *,
    backup: str | None = None,
    progress: Progress = silent,
) -> RestoreSummary:
    """Make the database at `uri` from a backup; every file is checked against its hash.

    Killed at any moment, it leaves no database at `uri`. Of a folder a folder `.NAME.*.new` is
    left beside it, which can be deleted; in an object store the same call, or one for another
    backup, goes on with what was written.

    Parameters
    ----------
    source : path
        A folder of backups, of databases in a folder or in an object store.
    uri : str or Path
        Folder to make, which must not exist, or be empty; or `s3://bucket/name`, where nothing is.
    backup : str, optional
        Id of the backup; the last one where not given.
    progress : Progress
        Told how many bytes are done, of how many; what it raises ends it, and no database is made.

    Raises
    ------
    StoreExistsError
        There is something at `uri`.
    BackupError
        `source` is no folder of backups, or a file of the backup is damaged; nothing was made.
    StoreLockedError
        Somebody else restores to the same object store, or died at it less than half a minute ago.
    StoreIOError
        The files cannot be written.
    """
    started, repository = time.perf_counter(), Repository(source)
    chosen = repository.get(backup)
    place = locate(str(uri))
    if isinstance(place, ObjectLocation):
        restore_into_objects(repository, chosen, place, progress)
    else:
        restore_into_folder(repository, chosen, place.folder, progress)
    return RestoreSummary(chosen.info, place.uri, time.perf_counter() - started)
