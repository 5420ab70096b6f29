"""Checksums of every file of the tables, kept as they were when it was written.

The storage layer keeps none: a bit that flips on disk is another number in a vector, and nothing
says so. Its files never change once they are there, so whoever lets go of the writer's lock notes
size and hash of those that came, in `TABLE.lance/seal.json`, and `check` compares. Files on their
way have other names until they are whole.

A file that is gone was pruned or lost; one that is lost is missed by whatever reads it, except for
the newest version of a table, without which the one before would pass for it. Hence the number of
the newest one is noted too.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, final

from latentdb.durable import write_whole
from latentdb.errors import StoreIOError
from latentdb.folder_stamp import folder_stamp, is_settled

SEAL = "seal.json"

_FORMAT = 1
# Folders of a table with files that never change. A transaction is read by nobody afterwards.
_FOLDERS = ("data", "_deletions", "_versions")
_SUFFIXES = (".lance", ".arrow", ".bin", ".manifest")
_VERSIONS = "_versions"


class FileFact(NamedTuple):
    """What a file was when it was written; the hash is the one that a backup keeps it under."""

    bytes: int
    blake2b: str


@final
@dataclass(frozen=True)
class Seal:
    """What is noted of one table.

    Parameters
    ----------
    files : mapping of str to FileFact
        By path below the table's folder.
    latest : int
        The highest version there was.
    """

    files: Mapping[str, FileFact]
    latest: int

    @classmethod
    def read(cls, path: Path) -> Seal | None:
        """The seal in a file; None where there is none.

        Raises
        ------
        StoreIOError
            It is torn, or was changed.
        """
        try:
            said = json.loads(path.read_bytes())
            files = {str(name): FileFact(int(n), str(h)) for name, (n, h) in said["files"].items()}
            seal = cls(files, int(said["latest"]))
            if said["format"] == _FORMAT and said["hash"] == seal._hash():
                return seal
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreIOError(f"{path} cannot be read ({error!r})") from error
        raise StoreIOError(f"{path} was changed after it was written, or by a newer latentdb")

    def write(self, path: Path) -> None:
        """Replace the seal in a file; one that is lost with the machine is made again."""
        said = {**self._said(), "hash": self._hash()}
        write_whole(path, json.dumps(said).encode(), synced=False)

    def broken(self, table: Path) -> list[str]:
        """Files in the folder of the table that are not what they were; reads every file once."""
        there = [name for name in sealed_files(table) if name in self.files]
        return [name for name in there if file_fact(table / name) != self.files[name]]

    def _said(self) -> dict[str, Any]:
        return {"format": _FORMAT, "latest": self.latest, "files": dict(self.files)}

    def _hash(self) -> str:
        text = json.dumps(self._said(), sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@final
class Seals:
    """The seals of one database folder; tables that lie elsewhere have none.

    Parameters
    ----------
    folder : Path
        The database.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamps: dict[str, int | None] = {}
        self._counting = threading.Lock()
        self._writers = 0

    @contextmanager
    def renewed_after(self) -> Iterator[None]:
        """Renew the seals after the block, or after the outermost of several; see `renew`.

        After one that failed nothing is sealed: the next one makes up for it.
        """
        with self._counting:
            self._writers += 1
        try:
            yield
        finally:
            with self._counting:
                self._writers -= 1
                is_last = not self._writers
        if is_last:
            self.renew()

    def renew(self) -> None:
        """Seal the files that came and forget those that went; the caller holds the lock.

        Reads what is new once, about a second per GB. A file that is sealed stays as it was
        sealed, whatever it holds now.

        Raises
        ------
        StoreIOError
            A file cannot be read, or a seal not be written; what was written is there.
        """
        for table in self._tables():
            # Every commit makes a version, so a table without a new one has no new file.
            stamp = folder_stamp(table / _VERSIONS)
            if stamp is None or self._stamps.get(table.name) == stamp:
                continue
            try:
                self._renew(table)
            except OSError as error:
                raise StoreIOError(
                    f"the checksums of table {table.stem} could not be kept: {error}; what was "
                    "written is there, and the next write keeps them"
                ) from error
            if is_settled(stamp):
                self._stamps[table.name] = stamp

    def _renew(self, table: Path) -> None:
        path = table / SEAL
        try:
            before = Seal.read(path)
        except StoreIOError:
            # Torn: `check` says so. Sealing anew would vouch for files that nobody looked at.
            return
        known = before.files if before else {}
        files = {name: known.get(name) or file_fact(table / name) for name in sealed_files(table)}
        after = Seal(files, max(before.latest if before else 0, _latest(files)))
        if after != before:
            after.write(path)

    def of(self, table: str) -> Seal | None:
        """The seal of a table; None where it has none, StoreIOError where that is torn."""
        return Seal.read(self._folder / f"{table}.lance" / SEAL)

    def faults(self, table: str) -> list[str]:
        """What differs from the seal of a table, a sentence each; reads every file once.

        Raises
        ------
        StoreIOError
            The seal is torn.
        """
        seal, folder = self.of(table), self._folder / f"{table}.lance"
        if seal is None:
            return []
        found = [f"{table}.lance/{name} is not what was written" for name in seal.broken(folder)]
        newest = _latest(sealed_files(folder))
        if newest < seal.latest:
            found.append(f"version {seal.latest} is lost, the newest there is {newest}")
        return found

    def astray(self, table: str) -> dict[str, FileFact]:
        """What the files of a table that are damaged or lost were when they were written.

        Of versions the newest one alone counts as lost: those before it may have been pruned.

        Raises
        ------
        StoreIOError
            The seal is torn.
        """
        seal, folder = self.of(table), self._folder / f"{table}.lance"
        if seal is None:
            return {}
        there = set(sealed_files(folder))
        lost = [
            name for name in seal.files if name not in there and _latest([name]) in (0, seal.latest)
        ]
        return {name: seal.files[name] for name in [*seal.broken(folder), *lost]}

    def require_sound(self, table: str) -> None:
        """Raise StoreIOError where a table differs from its seal: a copy of it would look sound."""
        if faults := self.faults(table):
            raise StoreIOError(
                f"table {table} is damaged, and its pieces are not merged: {faults[0]}; run "
                "latentdb check"
            )

    def discard(self, table: str) -> None:
        """Forget the seal of a table; the next `renew` takes its files for what was written."""
        (self._folder / f"{table}.lance" / SEAL).unlink(missing_ok=True)
        self._stamps.pop(f"{table}.lance", None)

    def _tables(self) -> Iterator[Path]:
        yield from sorted(self._folder.glob("*.lance"))


def sealed_files(table: Path) -> list[str]:
    """Paths below the folder of a table of the files in it that never change, sorted."""
    found = []
    for folder in _FOLDERS:
        try:
            with os.scandir(table / folder) as entries:
                found += [f"{folder}/{entry.name}" for entry in entries]
        except FileNotFoundError:
            continue
    return sorted(name for name in found if name.endswith(_SUFFIXES))


def file_fact(path: Path) -> FileFact:
    """Size and hash of a file as it is now."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=32))
        return FileFact(file.tell(), digest.hexdigest())


def _latest(files: Mapping[str, FileFact] | list[str]) -> int:
    """The highest version among manifests, which are named by it or by what lacks to 2⁶⁴ − 1."""
    stems = [Path(name).stem for name in files if name.endswith(".manifest")]
    numbers = [int(stem) for stem in stems if stem.isdecimal()]
    return max((n if n < 1 << 63 else (1 << 64) - 1 - n for n in numbers), default=0)
