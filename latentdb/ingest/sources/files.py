"""A list of picture files: one named file, or what a glob matched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import final

from latentdb.ingest.recipes import FileBytes
from latentdb.ingest.sources.base import AbstractSource, Candidate


@final
class FilesSource(AbstractSource):
    """Named files, in the order given; each is tried, whatever its extension.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    root : Path
        Folder that keys are relative to; every path lies in it.
    prefix : str, optional
        Stands in stored names where `root` would.
    """

    def __init__(self, paths: Sequence[Path], *, root: Path, prefix: str | None = None) -> None:
        self._paths = list(paths)
        self._root = root
        self._prefix = prefix

    def __iter__(self) -> Iterator[Candidate]:
        for path in self._paths:
            key = path.relative_to(self._root).as_posix()
            name = path.as_posix() if self._prefix is None else f"{self._prefix}/{key}"
            yield Candidate(name, key, FileBytes(str(path)))

    @property
    def total(self) -> int:
        """Number of candidates."""
        return len(self._paths)

    def keys(self) -> list[str]:
        """Keys, in the order of iteration."""
        return [path.relative_to(self._root).as_posix() for path in self._paths]
