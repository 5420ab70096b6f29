"""What a source yields: candidates, each a name and a recipe for its bytes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import final

from latentdb.ingest.recipes import AbstractRecipe
from latentdb.types import LabelValue

PICTURE_SUFFIXES = frozenset(
    {
        *(".apng", ".avif", ".avifs", ".bmp", ".dib", ".gif", ".heic", ".heif", ".icb", ".ico"),
        *(".j2c", ".j2k", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpf", ".jpg", ".jpx", ".jxl", ".mpo"),
        *(".pbm", ".pcx", ".pfm", ".pgm", ".png", ".pnm", ".ppm", ".qoi", ".sgi", ".tga", ".tif"),
        *(".tiff", ".vda", ".vst", ".webp", ".xbm", ".xpm"),
    }
)
SIDECAR_SUFFIXES = frozenset(
    {".cls", ".csv", ".json", ".jsonl", ".md", ".tsv", ".txt", ".yaml", ".yml"}
)


@final
@dataclass(frozen=True)
class Candidate:
    """One thing in a source that may be a picture; nothing of it has been read yet.

    Parameters
    ----------
    source : str
        The name it is stored under, such as `photos/a.jpg` or `set.zip!a.jpg`.
    key : str
        Its path relative to the source, with forward slashes: what labels are joined by.
    recipe : AbstractRecipe
        How to get the bytes; picklable, because a decoding process runs it.
    labels : mapping of str to scalar
        What the source itself says about the picture.
    """

    source: str
    key: str
    recipe: AbstractRecipe
    labels: Mapping[str, LabelValue] = field(default_factory=dict)


class AbstractSource(ABC):
    """Something that pictures can be taken from, one after the other, always in one order."""

    @abstractmethod
    def __iter__(self) -> Iterator[Candidate]:
        """Candidates, lazily."""

    @property
    @abstractmethod
    def total(self) -> int | None:
        """Number of candidates where that is cheap to know, else None."""

    @property
    def skipped(self) -> int:
        """Files that were passed over because they are of no picture type."""
        return 0

    def keys(self) -> Sequence[str] | None:
        """Keys of all candidates where that is cheap to know, else None."""
        return None


def is_hidden(name: str) -> bool:
    """Whether a path has a part that starts with a dot, or is what macOS leaves in archives."""
    parts = PurePosixPath(name).parts
    return any(part == "__MACOSX" or (part[0] == "." and part != "..") for part in parts)


def is_picture_name(name: str) -> bool:
    """Whether the extension is one of a picture: such a file is always tried."""
    return PurePosixPath(name).suffix.lower() in PICTURE_SUFFIXES


def is_sidecar_name(name: str) -> bool:
    """Whether the extension is of a plain-text companion, which is not worth a mention."""
    return PurePosixPath(name).suffix.lower() in SIDECAR_SUFFIXES
