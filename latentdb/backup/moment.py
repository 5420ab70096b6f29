"""A database as it is at one moment, to be copied: its files, wherever they lie."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias, final

from latentdb.backup.content import blocks_of
from latentdb.backup.facts import Mark
from latentdb.store.cut import RECORD, files_below

#: The content of a file, a block at a time; GoneError where it is not there any more.
Read: TypeAlias = Callable[[], Iterator[bytes]]


class GoneError(Exception):
    """A file was pruned or replaced since the moment; the text is what it is called."""


@final
@dataclass(frozen=True)
class SourceFile:
    """One file of the moment.

    Parameters
    ----------
    path : str
        Below the database, with "/".
    bytes, mtime_ns : int
    tag : str
        As of `KeptFile`.
    blocks : Read
    """

    path: str
    bytes: int
    mtime_ns: int
    tag: str
    blocks: Read

    @property
    def mark(self) -> Mark:
        """As of `KeptFile`."""
        return self.path, self.bytes, self.tag or self.mtime_ns


@final
@dataclass(frozen=True)
class Moment:
    """The database.

    Parameters
    ----------
    created_at : str
        ISO 8601, UTC.
    items : int
    spaces : tuple of str
    files : tuple of SourceFile
    at_once : int
        How many of them are best read at once.
    """

    created_at: str
    items: int
    spaces: tuple[str, ...]
    files: tuple[SourceFile, ...]
    at_once: int = 1

    @property
    def total_bytes(self) -> int:
        """Of all its files."""
        return sum(file.bytes for file in self.files)


def moment_of_folder(folder: Path) -> Moment:
    """The database in a folder that does not change, such as a snapshot."""
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    paths = [path.as_posix() for path in files_below(folder)]
    return Moment(
        created_at=record["created_at"],
        items=record["items"],
        spaces=tuple(record["spaces"]),
        files=tuple(source_file(folder, path, blocks_of) for path in paths if path != RECORD),
    )


def source_file(folder: Path, path: str, read: Callable[[Path], Iterator[bytes]]) -> SourceFile:
    """A file below a folder, to be read by `read`; FileNotFoundError where there is none."""
    fact = (folder / path).stat()
    return SourceFile(path, fact.st_size, fact.st_mtime_ns, "", partial(read, folder / path))
