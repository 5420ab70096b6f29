"""Recipes for bytes: small picklable objects that a decoding process carries out."""

from __future__ import annotations

import stat
import zipfile
import zlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import final

from latentdb.errors import PictureError


class AbstractRecipe(ABC):
    """How to get the bytes of one candidate."""

    @abstractmethod
    def read(self, max_bytes: int) -> bytes:
        """The bytes.

        Raises
        ------
        PictureError
            "unreadable", with what the system said, or "too_large" for more than `max_bytes`.
        """


@final
@dataclass(frozen=True)
class FileBytes(AbstractRecipe):
    """A whole file."""

    path: str

    def read(self, max_bytes: int) -> bytes:
        """Read the file."""
        path = Path(self.path)
        try:
            status = path.stat()
            # Opening a pipe that nobody writes to would wait for ever.
            if not stat.S_ISREG(status.st_mode):
                raise PictureError("unreadable", f"{self.path} is not a regular file")
            _check_size(status.st_size, max_bytes)
            return path.read_bytes()
        except OSError as error:
            raise PictureError("unreadable", _said(error)) from error


@final
@dataclass(frozen=True)
class FileSlice(AbstractRecipe):
    """A run of bytes inside a file: a member of a plain tar."""

    path: str
    offset: int
    size: int

    def read(self, max_bytes: int) -> bytes:
        """Read the slice."""
        _check_size(self.size, max_bytes)
        try:
            with Path(self.path).open("rb") as file:
                file.seek(self.offset)
                data = file.read(self.size)
        except OSError as error:
            raise PictureError("unreadable", _said(error)) from error
        if len(data) < self.size:
            raise PictureError(
                "unreadable", f"{self.path} ends {self.size - len(data)} bytes before this member"
            )
        return data


@final
@dataclass(frozen=True)
class ZipMember(AbstractRecipe):
    """A member of a zip file, by its place in the central directory (names may repeat)."""

    path: str
    index: int

    def read(self, max_bytes: int) -> bytes:
        """Unpack the member."""
        try:
            archive = _open_zip(self.path)
            member = archive.infolist()[self.index]
            _check_size(member.file_size, max_bytes)
            with archive.open(member) as file:
                return file.read()
        # zipfile says RuntimeError for a password and NotImplementedError for a compression.
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
            raise PictureError("unreadable", _said(error)) from error


@final
@dataclass(frozen=True)
class InlineBytes(AbstractRecipe):
    """Bytes already at hand: rows of Parquet, members of a compressed tar."""

    data: bytes

    def read(self, max_bytes: int) -> bytes:
        """Hand the bytes out."""
        _check_size(len(self.data), max_bytes)
        return self.data


@final
@dataclass(frozen=True)
class Unreadable(AbstractRecipe):
    """Something the source knows is there and cannot hand out."""

    message: str

    def read(self, max_bytes: int) -> bytes:  # noqa: ARG002 - nothing to measure
        """Raise what is known."""
        raise PictureError("unreadable", self.message)


@lru_cache(maxsize=4)
def _open_zip(path: str) -> zipfile.ZipFile:
    """An open archive, kept: its directory is read once per process, not once per member."""
    return zipfile.ZipFile(path)


def _check_size(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise PictureError(
            "too_large", f"{size:,} bytes are more than the {max_bytes:,} that are read of one file"
        )


def _said(error: Exception) -> str:
    """What the system said, without an errno that means nothing to a reader."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error) or type(error).__name__
