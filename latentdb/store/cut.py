"""The files of a database as they are at one moment, under a second name.

The files of a table never change once they are there, and every other file of a database is
replaced, never written over. So a hard link keeps what it is now: it costs no bytes and a
microsecond, and outlives whatever is compacted, deleted or dropped later. A tag of LanceDB 0.40
would not do: while an old version is tagged, every compaction fails ("tagged version(s) have been
marked for cleanup"), and a tag goes with its table.

Of a table only what its latest version names is linked, not what older versions and killed
writers left: LanceDB writes the names of data files into the manifest of a version as they are.
"""

from __future__ import annotations

import os
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from latentdb.errors import StoreIOError

SNAPSHOTS: Final = "snapshots"
RECORD: Final = "snapshot.json"

_TABLE = ".lance"
_POINTER = "CURRENT"
# Of processes that are there now, and what `check --repair` set aside: of no moment.
_LEFT_OUT = frozenset({SNAPSHOTS, RECORD, "writer.json", "LOCK", "damaged"})
_PASSING = (".lock", ".tmp", ".new")
_VERSIONS = "_versions"
# What a commit was to do; nobody reads it once the commit is over.
_TRANSACTIONS = "_transactions"
_WHOLE = ("_deletions", "_indices")
_MANIFEST = ".manifest"
_FOOTER = 16
# A manifest is named by what its version lacks to the largest number: the latest comes first.
_LARGEST = 2**64 - 1
_NEWER_NAMES = 20
_TRIES = 20


def link_cut(folder: Path, into: Path, *, data_files: Callable[[str], int]) -> None:
    """Link everything that belongs to the database in `folder` into the folder `into`.

    The caller holds the writer's lock, so that the tables are of one moment. An artefact that is
    replaced meanwhile is linked as it was before or after.

    Parameters
    ----------
    folder, into : Path
        `into` exists and is empty; on another file system the files are copied.
    data_files : callable
        Of a table's name: how many files of data its latest version has.

    Raises
    ------
    StoreIOError
        A table lacks files that it names.
    """
    for name in _names(folder):
        source, target = folder / name, into / name
        if name.endswith(_TABLE):
            _link_table(source, target, data_files(name.removesuffix(_TABLE)))
        else:
            _link_settled(source, target)


def files_below(folder: Path) -> Iterator[Path]:
    """Every file below `folder`, as a path relative to it, sorted."""
    found = (Path(root, name) for root, _, names in os.walk(folder) for name in names)
    yield from sorted(path.relative_to(folder) for path in found)


def _names(folder: Path) -> list[str]:
    return sorted(
        path.name
        for path in folder.iterdir()
        if path.name not in _LEFT_OUT
        and not path.name.startswith(".")
        and not path.name.endswith(_PASSING)
    )


def _link_table(table: Path, into: Path, expected: int) -> None:
    """The latest version of a table."""
    latest = max((table / _VERSIONS).glob(f"*{_MANIFEST}"), key=_version_of)
    manifest = _body(latest.read_bytes())
    into.mkdir()
    for part in _names(table):
        if part == _TRANSACTIONS:
            continue
        source, target = table / part, into / part
        if not source.is_dir():
            _link(source, target)
            continue
        target.mkdir()
        for path in source.iterdir():
            is_named = path == latest if part == _VERSIONS else path.name.encode() in manifest
            # Deletions are named by numbers; they are small.
            if is_named or part in _WHOLE:
                _link_settled(path, target / path.name)
    data = into / "data"
    there = sum(1 for _ in data.iterdir()) if data.is_dir() else 0
    if there < expected:
        raise StoreIOError(
            f"table {table.name.removesuffix(_TABLE)} is of {expected} files of data, and {there} "
            "of them are there; see latentdb check, or restore it from a backup"
        )


def _body(manifest: bytes) -> bytes:
    """What a manifest says, without the transaction before it, which names what it replaced.

    It ends in the place of that, two numbers of the format, and "LANC".
    """
    place, magic = struct.unpack("<Q4x4s", manifest[-_FOOTER:])
    return manifest[place:] if magic == b"LANC" else manifest


def _version_of(manifest: Path) -> int:
    number = manifest.name.removesuffix(_MANIFEST)
    return _LARGEST - int(number) if len(number) == _NEWER_NAMES else int(number)


def _link_settled(source: Path, target: Path) -> None:
    """A file, or a folder of artefacts: again where one of them was replaced meanwhile."""
    for last in range(_TRIES):
        try:
            _link_any(source, target)
        except FileNotFoundError:
            shutil.rmtree(target, ignore_errors=True)
            target.unlink(missing_ok=True)
            if not source.exists():
                return
            if last == _TRIES - 1:
                raise
        else:
            return


def _link_any(source: Path, target: Path) -> None:
    if not source.is_dir():
        _link(source, target)
        return
    target.mkdir()
    pinned = None
    if (source / _POINTER).exists():
        # The pointer first: what it names is then there, or gone and looked for again.
        _link(source / _POINTER, target / _POINTER)
        pinned = (target / _POINTER).read_text(encoding="ascii", errors="replace").strip()
    for name in _names(source):
        is_version = pinned is not None and name.startswith(("v-", "tmp-"))
        if name != _POINTER and not is_version:
            _link_any(source / name, target / name)
    if pinned is not None and pinned.startswith("v-"):
        _link_any(source / pinned, target / pinned)


def _link(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except FileNotFoundError:
        raise
    except OSError:
        # A file system without links, or with too many of this file.
        shutil.copy2(source, target)
