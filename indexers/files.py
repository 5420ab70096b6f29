"""Folders of files that are replaced as a whole or not at all.

A folder holds one subfolder per version and a small file `CURRENT` naming the one that counts::

    index/CURRENT            "v-3f9c…"
    index/v-3f9c…/…          the files of that version
    index/tmp-81d0…/…        a version that is being written, or whose writer died

A version is written under a `tmp-` name, flushed to disk and renamed; then `CURRENT` is replaced
by a rename, the one moment at which the new version takes over. Whatever is not current is swept
at the next write. `LOCK` keeps two writers apart; the system releases it when a writer dies.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from indexers.errors import IndexFileError

CURRENT = "CURRENT"
_LOCK = "LOCK"
_VERSION_NAME = re.compile(r"v-[0-9a-f]{32}")


def write_version(folder: Path, write: Callable[[Path], None]) -> Path:
    """Replace the content of `folder` by what `write` puts into the folder it is given.

    Parameters
    ----------
    folder : Path
        Made where it is missing.
    write : callable
        Writes files (no subfolders) into the empty folder it gets.

    Returns
    -------
    Path
        The new version's folder.

    Raises
    ------
    IndexFileError
        Another process is writing here.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _only_writer(folder):
        _sweep(folder)
        name = uuid.uuid4().hex
        draft, version = folder / f"tmp-{name}", folder / f"v-{name}"
        draft.mkdir()
        write(draft)
        for path in sorted(draft.iterdir()):
            _flush(path)
        _flush(draft)
        draft.rename(version)
        pointer = folder / f"tmp-{CURRENT}"
        pointer.write_text(version.name + "\n", encoding="ascii")
        _flush(pointer)
        _flush(folder)
        pointer.replace(folder / CURRENT)
        _flush(folder)
        _sweep(folder)
    return version


def current_version(folder: Path) -> Path:
    """The version of `folder` that counts.

    Raises
    ------
    IndexFileError
        There is none, or `CURRENT` is torn or names a folder that is not there.
    """
    pointer = folder / CURRENT
    try:
        name = pointer.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError as error:
        raise IndexFileError(
            f"expected index files in {folder}, found no {CURRENT} there; build the index again"
        ) from error
    if not _VERSION_NAME.fullmatch(name):
        raise IndexFileError(
            f"expected {pointer} to name a version, got {name[:50]!r}; build the index again"
        )
    version = folder / name
    if not version.is_dir():
        raise IndexFileError(
            f"{pointer} names {name}, which is not in {folder}; "
            "restore that folder or build the index again"
        )
    return version


@contextmanager
def _only_writer(folder: Path) -> Iterator[None]:
    with (folder / _LOCK).open("a", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise IndexFileError(
                f"another process is writing the index in {folder}; try again when it is done"
            ) from error
        yield


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sweep(folder: Path) -> None:
    """Delete drafts and versions that are not current; keep every version if none is."""
    try:
        keep = current_version(folder).name
    except IndexFileError:
        keep = None
    for path in folder.iterdir():
        stale_version = keep is not None and path.name.startswith("v-") and path.name != keep
        if path.name.startswith("tmp-") or stale_version:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
