"""Making a database of a backup: whole and verified, or not at all."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

from latentdb.backup.facts import KeptFile, RestoreSummary, Tally
from latentdb.backup.repository import Repository, copy_checked
from latentdb.durable import sync_folder
from latentdb.errors import BackupError, StoreExistsError, StoreIOError
from latentdb.progress import Progress, silent
from latentdb.store.local_folder import local_path


def restore(
    source: str | Path,
    uri: str | Path,
    *,
    backup: str | None = None,
    progress: Progress = silent,
) -> RestoreSummary:
    """Make the database at `uri` from a backup; every file is checked against its hash.

    Killed at any moment, it leaves nothing at `uri`, only a folder `.NAME.*.new` beside it, which
    can be deleted.

    Parameters
    ----------
    source : path
        A folder of backups.
    uri : str or Path
        Folder to make; it must not exist, or be empty.
    backup : str, optional
        Id of the backup; the last one where not given.
    progress : Progress
        Told how many bytes are done, of how many; what it raises ends it, and nothing is made.

    Raises
    ------
    StoreExistsError
        There is something at `uri`.
    BackupError
        `source` is no folder of backups, or a file of the backup is damaged; nothing was made.
    StoreIOError
        The files cannot be written.
    """
    started, repository = time.perf_counter(), Repository(source)
    chosen = repository.get(backup)
    folder = local_path(str(uri))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StoreExistsError(
            f"{folder} exists already; give a new name: nothing is restored over"
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        building = Path(mkdtemp(prefix=f".{folder.name}.", suffix=".new", dir=folder.parent))
        try:
            tally = Tally(progress, chosen.total_bytes, "restoring")
            for file in chosen.files:
                _restore(repository, file, building, tally)
            _settle(building, folder)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
    except OSError as error:
        if isinstance(error, StoreIOError):
            raise
        raise StoreIOError(f"restoring to {folder} failed: {error}; nothing was made") from error
    return RestoreSummary(chosen.info, str(folder), time.perf_counter() - started)


def _restore(
    repository: Repository, file: KeptFile, building: Path, progress: Callable[[int], None]
) -> None:
    """Copy one file of a backup to where it belongs."""
    target = building / file.path
    if ".." in target.parts or Path(file.path).is_absolute():
        raise BackupError(f"{repository.folder} names a file outside of the database: {file.path}")
    target.parent.mkdir(parents=True, exist_ok=True)
    source = repository.content(file)
    if not repository.holds(file):
        raise BackupError(
            f"{source} is missing or torn ({file.path} of {file.bytes} bytes); nothing was made. "
            "Restore another backup"
        )
    if copy_checked(source, target, progress) != file.blake2b:
        raise BackupError(
            f"{source} does not match its checksum ({file.path}); nothing was made. Restore "
            f"another backup; latentdb backup --verify {repository.folder} names all damage"
        )
    os.utime(target, ns=(file.mtime_ns, file.mtime_ns))


def _settle(building: Path, folder: Path) -> None:
    """Put everything on disk, and only then under its name."""
    for root, _, _ in os.walk(building, topdown=False):
        sync_folder(Path(root))
    # mkdtemp keeps others out; a database has the rights that any folder made here has.
    building.chmod(folder.parent.stat().st_mode & 0o777)
    building.replace(folder)
    sync_folder(folder.parent)
