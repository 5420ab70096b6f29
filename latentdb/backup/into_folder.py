"""Making a database in a folder of a backup."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

from latentdb.backup.content import blocks_of, written
from latentdb.backup.facts import Backup, KeptFile, Tally
from latentdb.backup.repository import Repository
from latentdb.durable import sync_folder
from latentdb.errors import StoreExistsError, StoreIOError
from latentdb.progress import Progress
from latentdb.store.seals import SEAL, Seals
from latentdb.store.table_files import TABLE


def restore_into_folder(
    repository: Repository, chosen: Backup, folder: Path, progress: Progress
) -> None:
    """Make the database; it appears in `folder` when all of it is on disk. See `restore`."""
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
                restore_file(repository, file, building / file.path, tally)
            if not any(is_seal(file.path) for file in chosen.files):
                # Tables of an object store come without.
                Seals(building).renew()
            _settle(building, folder)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
    except OSError as error:
        if isinstance(error, StoreIOError):
            raise
        raise StoreIOError(f"restoring to {folder} failed: {error}; nothing was made") from error


def restore_file(
    repository: Repository, file: KeptFile, target: Path, progress: Callable[[int], None]
) -> None:
    """Copy one file of a backup to where it belongs; BackupError where it is damaged."""
    content = repository.required(file)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as out:
        repository.require_same(file, written(blocks_of(content), out, progress))
    os.utime(target, ns=(file.mtime_ns, file.mtime_ns))


def is_seal(path: str) -> bool:
    """Whether a file of a backup holds the checksums of a table."""
    return path.endswith(f"{TABLE}/{SEAL}") and path.count("/") == 1


def _settle(building: Path, folder: Path) -> None:
    """Put everything on disk, and only then under its name."""
    for root, _, _ in os.walk(building, topdown=False):
        sync_folder(Path(root))
    # mkdtemp keeps others out; a database has the rights that any folder made here has.
    building.chmod(folder.parent.stat().st_mode & 0o777)
    building.replace(folder)
    sync_folder(folder.parent)
