"""The local copy of published artefacts: which files count, and which are what was published."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, final

from latentdb.durable import write_whole
from latentdb.store.bucket import Bucket
from latentdb.store.published import TOPS, PublishedFile, sha256_of

_NOTE = ".copy.json"
# Names a file that others become visible by: it is written last and removed first.
_POINTER = "CURRENT"
_PASSING = ("tmp-", ".")
_PASSING_ENDS = (".new", ".tmp", ".lock")


class _Seen(NamedTuple):
    """A file as it was when its content was known: changed since, it is read again."""

    sha256: str
    size: int
    mtime_ns: int


@final
class LocalCopy:
    """Files of artefacts below one folder; the caller lets one process at a time change them.

    Parameters
    ----------
    folder : Path
        Of the database, in the cache.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def paths(self, tops: Iterable[str] = TOPS) -> set[str]:
        """Files that count; those that are on their way are left out."""
        found: set[str] = set()
        for top in tops:
            start = self._folder / top
            if start.is_file():
                found.add(top)
            for path in start.rglob("*") if start.is_dir() else ():
                name = path.relative_to(self._folder)
                if path.is_file() and not any(map(_is_passing, name.parts)):
                    found.add(name.as_posix())
        return found

    def digests(self, paths: Iterable[str], *, anew: bool = False) -> dict[str, str]:
        """Checksums of files; those that have not changed since are known, unless `anew`."""
        noted = {} if anew else self._noted()
        now = {path: self._now(path) for path in paths}
        found = {}
        for path, (size, mtime_ns) in now.items():
            known = noted.get(path)
            is_known = known is not None and known[1:] == (size, mtime_ns)
            found[path] = known.sha256 if known and is_known else sha256_of(self._folder / path)
        return found

    def note(self, digests: dict[str, str]) -> None:
        """Remember the checksums of all files there are."""
        seen = {path: _Seen(digest, *self._now(path)) for path, digest in digests.items()}
        write_whole(self._folder / _NOTE, json.dumps(seen).encode(), synced=False)

    def is_noted(self) -> bool:
        """Whether the copy was whole once."""
        return (self._folder / _NOTE).is_file()

    def fetch(self, bucket: Bucket, path: str, wanted: PublishedFile) -> bool:
        """Put a file here that is whole; whether the object is there and holds what it should."""
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        handle, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=target.parent)
        draft = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                for block in bucket.blocks(wanted.key):
                    digest.update(block)
                    file.write(block)
            if digest.hexdigest() != wanted.sha256:
                return False
            draft.replace(target)
        except FileNotFoundError:
            return False
        finally:
            draft.unlink(missing_ok=True)
        return True

    def remove(self, paths: Iterable[str]) -> None:
        """Delete files, and the folders that are left empty."""
        for path in in_order(paths, removing=True):
            file = self._folder / path
            file.unlink(missing_ok=True)
            for parent in Path(path).parents[:-2]:
                try:
                    (self._folder / parent).rmdir()
                except OSError:
                    break  # something else is in it

    def _now(self, path: str) -> tuple[int, int]:
        status = (self._folder / path).stat()
        return status.st_size, status.st_mtime_ns

    def _noted(self) -> dict[str, _Seen]:
        try:
            noted = json.loads((self._folder / _NOTE).read_text(encoding="utf-8"))
            return {path: _Seen(*one) for path, one in noted.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}  # every file is then read again


def in_order(paths: Iterable[str], *, removing: bool = False) -> list[str]:
    """Paths so that one cut short leaves no pointer to what is not there."""
    return sorted(paths, key=lambda path: (is_pointer(path) != removing, path))


def is_pointer(path: str) -> bool:
    """Whether other files become visible by this one."""
    return path.endswith(f"/{_POINTER}")


def _is_passing(name: str) -> bool:
    return name == "LOCK" or name.startswith(_PASSING) or name.endswith(_PASSING_ENDS)
