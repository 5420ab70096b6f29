"""A zip file of pictures."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import final

from latentdb.errors import SourceError
from latentdb.ingest.recipes import ZipMember
from latentdb.ingest.sources.base import (
    AbstractSource,
    Candidate,
    is_hidden,
    is_picture_name,
    is_sidecar_name,
)


@final
class ZipSource(AbstractSource):
    """Every member whose extension is one of a picture, in the order of the archive.

    Parameters
    ----------
    path : Path
        The zip file.
    prefix : str, optional
        Stands in stored names where `path!` would.

    Raises
    ------
    SourceError
        The archive's directory cannot be read: without it no member can be found.
    """

    def __init__(self, path: Path, *, prefix: str | None = None) -> None:
        self._path = path
        self._prefix = f"{path.as_posix()}!" if prefix is None else f"{prefix}/"
        try:
            with zipfile.ZipFile(path) as archive:
                members = archive.infolist()
        except (OSError, zipfile.BadZipFile) as error:
            raise SourceError(f"{path} cannot be read as a zip file: {error}") from error
        visible = [
            (index, member.filename)
            for index, member in enumerate(members)
            if not member.is_dir() and not is_hidden(member.filename)
        ]
        self._members = [(index, name) for index, name in visible if is_picture_name(name)]
        self._skipped = sum(
            not is_picture_name(name) and not is_sidecar_name(name) for _, name in visible
        )

    def __iter__(self) -> Iterator[Candidate]:
        for index, name in self._members:
            yield Candidate(f"{self._prefix}{name}", name, ZipMember(str(self._path), index))

    @property
    def total(self) -> int:
        """Number of candidates."""
        return len(self._members)

    @property
    def skipped(self) -> int:
        """Files passed over."""
        return self._skipped

    def keys(self) -> list[str]:
        """Keys, in the order of iteration."""
        return [name for _, name in self._members]
