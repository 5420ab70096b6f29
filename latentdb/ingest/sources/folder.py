"""A folder of pictures, with all folders in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import final

from latentdb.ingest.recipes import FileBytes
from latentdb.ingest.sources.base import (
    AbstractSource,
    Candidate,
    is_hidden,
    is_picture_name,
    is_sidecar_name,
)


@final
class FolderSource(AbstractSource):
    """Every file below a folder whose extension is one of a picture, sorted by path.

    Hidden files and folders and plain-text companions are passed over; other files are counted
    in `skipped`. A link to a file is followed, a link to a folder is not.

    Parameters
    ----------
    path : Path
        The folder.
    prefix : str, optional
        Stands in stored names where `path` would.
    """

    def __init__(self, path: Path, *, prefix: str | None = None) -> None:
        self._path = path
        self._prefix = path.as_posix() if prefix is None else prefix

    def __iter__(self) -> Iterator[Candidate]:
        for key in self._listing[0]:
            path = self._path / key
            yield Candidate(f"{self._prefix}/{key}", key, FileBytes(str(path)))

    @property
    def total(self) -> int:
        """Number of candidates."""
        return len(self._listing[0])

    @property
    def skipped(self) -> int:
        """Files passed over."""
        return self._listing[1]

    def keys(self) -> list[str]:
        """Keys, in the order of iteration."""
        return self._listing[0]

    @cached_property
    def _listing(self) -> tuple[list[str], int]:
        """Sorted keys, and how many files of no picture type there are."""
        keys: list[str] = []
        skipped = 0
        for key in walk(self._path):
            if is_picture_name(key):
                keys.append(key)
            elif not is_sidecar_name(key):
                skipped += 1
        return sorted(keys), skipped


def walk(folder: Path) -> Iterator[str]:
    """Paths of visible files below `folder`, relative to it, with forward slashes, unsorted."""
    for parent, folders, files in os.walk(folder):
        # A database among the pictures, as `photos/photos.ldb`, holds none of them.
        if "latentdb.json" in files:
            folders.clear()
            continue
        folders[:] = [name for name in folders if not is_hidden(name)]
        below = Path(parent).relative_to(folder)
        for name in files:
            if not is_hidden(name):
                yield (below / name).as_posix()
