"""A tar file of pictures, plain or compressed; WebDataset's companions become labels."""

from __future__ import annotations

import json
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from typing import final

from latentdb.errors import SourceError
from latentdb.ingest.recipes import FileSlice, InlineBytes, Unreadable
from latentdb.ingest.sources.base import (
    AbstractSource,
    Candidate,
    is_hidden,
    is_picture_name,
    is_sidecar_name,
)
from latentdb.types import LabelValue

_COMPANIONS = frozenset({".cls", ".json", ".txt"})
_MAX_COMPANION_BYTES = 1 << 20
_TORN = (tarfile.TarError, OSError, EOFError, zlib.error, LZMAError)
_Part = tuple[str, Candidate | dict[str, LabelValue]]


@final
class TarSource(AbstractSource):
    """Every member whose extension is one of a picture, in the order of the archive.

    In a WebDataset shard, members that share a path up to the first dot of the file name are one
    sample: fields of `key.json` become labels of their names, `key.cls` an integer label `cls`
    and `key.txt` a label `txt`. They must lie side by side, as WebDataset writes them.

    Members of a plain tar are read in place by the decoding processes; a compressed one can only
    be read from the start, so its members travel with their recipes.

    Parameters
    ----------
    path : Path
        The tar file: plain, gzip, bzip2 or xz.
    prefix : str, optional
        Stands in stored names where `path!` would.

    Raises
    ------
    SourceError
        It is no tar file. One that breaks off later yields what it has, then an unreadable
        candidate that says so.
    """

    def __init__(self, path: Path, *, prefix: str | None = None) -> None:
        self._path = path
        self._prefix = f"{path.as_posix()}!" if prefix is None else f"{prefix}/"
        self._skipped = 0
        try:
            with tarfile.open(path):
                pass
        except _TORN as error:
            raise SourceError(f"{path} cannot be read as a tar file: {error}") from error

    def __iter__(self) -> Iterator[Candidate]:
        self._skipped = 0
        for _, sample in groupby(self._parts(), key=lambda part: part[0]):
            pictures: list[Candidate] = []
            labels: dict[str, LabelValue] = {}
            for _, found in sample:
                if isinstance(found, Candidate):
                    pictures.append(found)
                else:
                    labels.update(found)
            yield from (replace(picture, labels=labels) for picture in pictures)

    @property
    def total(self) -> None:
        """Unknown: counting would read the whole archive."""

    @property
    def skipped(self) -> int:
        """Files passed over."""
        return self._skipped

    def _parts(self) -> Iterator[_Part]:
        """Pictures and labels with the key of their sample, in the order of the archive."""
        try:
            with tarfile.open(self._path) as archive:
                plain = _is_plain(self._path)
                for member in archive:
                    if member.isfile() and not is_hidden(member.name):
                        yield from self._part(archive, member, plain=plain)
        except _TORN as error:
            message = f"the archive breaks off here: {error}"
            yield "", Candidate(f"{self._prefix}(rest)", "(rest)", Unreadable(message))

    def _part(
        self, archive: tarfile.TarFile, member: tarfile.TarInfo, *, plain: bool
    ) -> Iterator[_Part]:
        name = member.name.removeprefix("./")
        if is_picture_name(name):
            if plain and not member.issparse():
                recipe = FileSlice(str(self._path), member.offset_data, member.size)
                yield _sample_key(name), Candidate(f"{self._prefix}{name}", name, recipe)
            else:
                data = InlineBytes(_read(archive, member))
                yield _sample_key(name), Candidate(f"{self._prefix}{name}", name, data)
        elif PurePosixPath(name).suffix in _COMPANIONS and member.size <= _MAX_COMPANION_BYTES:
            yield _sample_key(name), _labels_of(name, _read(archive, member))
        elif not is_sidecar_name(name):
            self._skipped += 1


def _is_plain(path: Path) -> bool:
    """Whether members lie in the file as they are, so that they can be read in place."""
    with path.open("rb") as file:
        head = file.read(6)
    return not head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00"))


def _sample_key(name: str) -> str:
    """Path up to the first dot of the file name, which is what WebDataset groups by."""
    folder, _, file = name.rpartition("/")
    return f"{folder}/{file.partition('.')[0]}"


def _read(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    return b"" if file is None else file.read()


def _labels_of(name: str, data: bytes) -> dict[str, LabelValue]:
    """Labels in a companion file; one that says nothing usable gives none."""
    suffix = PurePosixPath(name).suffix
    text = data.decode("utf-8", errors="replace").strip()
    if suffix == ".txt":
        return {"txt": text} if text else {}
    if suffix == ".cls":
        return {"cls": int(text)} if text.lstrip("-").isdigit() else {}
    try:
        fields = json.loads(text)
    except json.JSONDecodeError:
        return {}
    if not isinstance(fields, dict):
        return {}
    return {
        key: value for key, value in fields.items() if isinstance(value, bool | int | float | str)
    }
