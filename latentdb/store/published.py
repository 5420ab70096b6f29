"""The list of a database's artefacts in an object store: one object, replaced as a whole.

It names for each file the object that holds it, so a machine sees all files of one moment or all
of another: never an index of which half is new. Objects are never changed once they are named.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, final

from latentdb.errors import StoreFormatError

LIST_KEY: Final = "artefacts.json"
OBJECTS: Final = "artefacts/"
FORMAT_VERSION: Final = 1
TOPS: Final = ("directions", "indexes", "maps", "migrations.json", "priors", "shared")
"""What is published; jobs, uploads and reports stay on the machine that has them."""


@final
@dataclass(frozen=True)
class PublishedFile:
    """One file of artefacts.

    Parameters
    ----------
    sha256 : str
        Of its content.
    size : int
        In bytes.
    key : str
        Of the object that holds it.
    """

    sha256: str
    size: int
    key: str

    @classmethod
    def of(cls, path: Path) -> PublishedFile:
        """What a local file is to be published as, under a key that no other has."""
        digest = sha256_of(path)
        return cls(digest, path.stat().st_size, f"{OBJECTS}{digest[:16]}-{uuid.uuid4().hex[:8]}")


@final
@dataclass(frozen=True)
class Published:
    """Files of artefacts by their path below the database, such as "maps/a--b.safetensors"."""

    files: Mapping[str, PublishedFile] = field(default_factory=dict)

    @classmethod
    def parse(cls, content: bytes, named: str) -> Published:
        """The list that an object holds.

        Raises
        ------
        StoreFormatError
            It cannot be understood, or a newer latentdb wrote it.
        """
        try:
            data = json.loads(content)
            if int(data["format"]) <= FORMAT_VERSION:
                files = {path: PublishedFile(**one) for path, one in data["files"].items()}
                _require_inside(files)
                return cls(files)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreFormatError(
                f"{named} cannot be understood ({error!r}); restore it from a copy"
            ) from error
        raise StoreFormatError(
            f"{named} is of format {data['format']}, this latentdb reads up to {FORMAT_VERSION}: "
            "upgrade latentdb"
        )

    def to_bytes(self) -> bytes:
        """What `parse` reads."""
        files = {path: asdict(one) for path, one in sorted(self.files.items())}
        return json.dumps({"format": FORMAT_VERSION, "files": files}, indent=1).encode()

    def changed(self, files: Mapping[str, PublishedFile], removed: Iterable[str]) -> Published:
        """The list with other files at some paths, and without some."""
        gone = set(removed)
        kept = {path: one for path, one in self.files.items() if path not in gone}
        return Published({**kept, **files})


def _require_inside(files: Mapping[str, PublishedFile]) -> None:
    """Raise ValueError for a path that would lead out of the folders of artefacts."""
    for path, one in files.items():
        parts = path.split("/")
        if parts[0] not in TOPS or {"", ".", ".."} & set(parts) or not one.key.startswith(OBJECTS):
            raise ValueError(f"{path!r} is no place of an artefact")


def sha256_of(path: Path) -> str:
    """Checksum of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
