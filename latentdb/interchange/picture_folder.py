"""A folder of the pictures that imported vectors were made of, found by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import final

from latentdb.errors import PictureError, SourceError
from latentdb.ingest.decode import (
    DEFAULT_MAX_MEGAPIXELS,
    content_hash,
    decode_picture,
    max_bytes_of,
    pixel_id,
    thumbnail_of,
)
from latentdb.ingest.recipes import FileBytes
from latentdb.ingest.sources.folder import FolderSource
from latentdb.types import ItemRow, LabelValue, SourceRow


@final
@dataclass(frozen=True)
class Seen:
    """A picture that was found: its item, and what is to be stored of it where it is new."""

    id: int
    source: SourceRow
    width: int = 0
    height: int = 0
    thumbnail: bytes = b""

    def row(self, labels: Mapping[str, LabelValue]) -> ItemRow:
        """What is to be stored of the item."""
        return ItemRow(self.id, self.source.source, self.width, self.height, self.thumbnail, labels)


@final
class PictureFolder:
    """Pictures by their path below a folder, by file name, or by file name without its ending.

    Parameters
    ----------
    folder : Path
    known : mapping of str to int
        Items by the content hash of their files: those are not decoded again.

    Raises
    ------
    SourceError
        There is no such folder, or no picture in it.
    """

    def __init__(self, folder: Path, known: Mapping[str, int]) -> None:
        if not folder.is_dir():
            raise SourceError(f"{folder} is not a folder of pictures")
        keys = FolderSource(folder).keys()
        if not keys:
            raise SourceError(f"{folder} holds no picture")
        self._folder = folder
        self._known = known
        self._by_path = {key: key for key in keys}
        names, stems = [PurePosixPath(key).name for key in keys], [_stem(key) for key in keys]
        counts = Counter(names), Counter(stems)
        self._by_name = {n: k for n, k in zip(names, keys, strict=True) if counts[0][n] == 1}
        self._by_stem = {s: k for s, k in zip(stems, keys, strict=True) if counts[1][s] == 1}

    def look(self, name: str) -> Seen | None:
        """The picture that a row's name leads to; None where none does or it cannot be used."""
        key = (
            self._by_path.get(name)
            or self._by_name.get(PurePosixPath(name).name)
            or self._by_stem.get(_stem(name))
        )
        if key is None:
            return None
        source = (self._folder / key).as_posix()
        try:
            data = FileBytes(source).read(max_bytes_of(DEFAULT_MAX_MEGAPIXELS))
            digest = content_hash(data)
            if digest in self._known:
                return Seen(self._known[digest], SourceRow(source, digest, self._known[digest]))
            image = decode_picture(data)
        except PictureError:
            return None
        item_id = pixel_id(image)
        return Seen(item_id, SourceRow(source, digest, item_id), *image.size, thumbnail_of(image))


def _stem(name: str) -> str:
    return PurePosixPath(name).stem
