"""The files of a database as they are at one moment, under a second name.

The files of a table never change once they are there, and every other file of a database is
replaced, never written over. So a hard link keeps what it is now: it costs no bytes and a
microsecond, and outlives whatever is compacted, deleted or dropped later. A tag of LanceDB 0.40
would not do: while an old version is tagged, every compaction fails ("tagged version(s) have been
marked for cleanup"), and a tag goes with its table.

Of a table only what its latest version names is linked (`store.table_files`), not what older
versions and killed writers left.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from latentdb.store.table_files import TABLE, files_of_version, latest_manifest

SNAPSHOTS: Final = "snapshots"
RECORD: Final = "snapshot.json"

_POINTER = "CURRENT"
# Of processes that are there now, and what `check --repair` set aside: of no moment.
_LEFT_OUT = frozenset({SNAPSHOTS, RECORD, "writer.json", "LOCK", "damaged"})
_PASSING = (".lock", ".tmp", ".new")
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
        if name.endswith(TABLE):
            _link_table(source, target, data_files(name.removesuffix(TABLE)))
        else:
            _link_settled(source, target)


def files_below(folder: Path) -> Iterator[Path]:
    """Every file below `folder`, as a path relative to it, sorted."""
    found = (Path(root, name) for root, _, names in os.walk(folder) for name in names)
    yield from sorted(path.relative_to(folder) for path in found)


def settled_below(folder: Path) -> Iterator[Path]:
    """The same without files that are on their way or of processes that are there now."""
    for name in _names(folder):
        if (folder / name).is_dir():
            yield from (Path(name) / path for path in settled_below(folder / name))
        else:
            yield Path(name)


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
    name = table.name.removesuffix(TABLE)
    paths = [path.as_posix() for path in settled_below(table)]
    latest = latest_manifest(paths, name)
    content = (table / latest).read_bytes()
    for path in files_of_version(paths, latest, content, data_files=expected, table=name):
        target = into / path
        target.parent.mkdir(parents=True, exist_ok=True)
        _link_settled(table / path, target)


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
