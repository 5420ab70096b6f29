"""Files that are not what was written, put back as they were from somewhere else.

Only the very same content counts: of a file of a table what its seal says, of an uploaded picture
what ingest noted of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias, TypeVar

from latentdb.errors import StoreIOError
from latentdb.store.names import UPLOADS
from latentdb.store.problems import Problem, listed
from latentdb.store.published import sha256_of
from latentdb.store.seals import Seals, file_fact
from latentdb.store.tables import Tables
from latentdb.store.uploads import astray_uploads

T = TypeVar("T")

Bring: TypeAlias = Callable[[str, Callable[[Path], bool]], bool]
"""Puts a file, by its path below the database, in place of the one there, where a copy is found of
which the second argument says that it is the right one; whether one was."""


def bring_tables(tables: Tables, seals: Seals, bring: Bring) -> list[Problem]:
    """Put back files of tables; what was mended so. The caller holds the writer's lock."""
    mended = []
    for table in sorted(tables.names()):
        try:
            astray = seals.astray(table)
        except StoreIOError:
            # Torn, and with it what the files were.
            continue
        wanted = {f"{table}.lance/{name}": fact for name, fact in astray.items()}
        mended += _brought("damaged_files", table, wanted, file_fact, bring)
    return mended


def bring_uploads(tables: Tables, folder: Path, bring: Bring) -> list[Problem]:
    """The same of the uploads of the database in `folder`, damaged ones and those that are gone."""
    damaged, gone = astray_uploads(tables, folder)
    return [
        *_brought("damaged_uploads", UPLOADS, damaged, sha256_of, bring),
        *_brought("missing_uploads", UPLOADS, gone, sha256_of, bring),
    ]


def _brought(
    kind: str, where: str, wanted: Mapping[str, T], look: Callable[[Path], T], bring: Bring
) -> list[Problem]:
    """Bring the files of which `look` finds what is wanted; one problem that was, or none."""

    def is_brought(path: str) -> bool:
        return bring(path, lambda copy: look(copy) == wanted[path])

    paths = [path for path in wanted if is_brought(path)]
    return [brought(kind, where, paths)] if paths else []


def brought(kind: str, where: str, paths: list[str]) -> Problem:
    """The problem that files were, which were put back."""
    detail = f"put back from a backup: {listed(paths)}"
    return Problem(kind, where, len(paths), detail, repairable=True)
