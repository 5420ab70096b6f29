"""The whole of a database looked over: tables, indexes, artefacts, pictures; and mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

from indexers.errors import ParameterError
from latentdb.artefact_check import set_aside, torn_artefacts
from latentdb.backup.bring_back import bring_back
from latentdb.catalog import Catalog
from latentdb.errors import StoreError
from latentdb.store import Problem
from latentdb.store.problems import FETCH, RESTORE
from latentdb.thumbnail_check import mend_thumbnails, thumbnail_problems


@final
@dataclass(frozen=True)
class Checkup:
    """What a repair came to.

    Parameters
    ----------
    mended : tuple of Problem
        What came from a backup; and what was found before and is not any more.
    problems : tuple of Problem
        What is left, faults before notes; each with its cure.
    """

    mended: tuple[Problem, ...]
    problems: tuple[Problem, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return asdict(self)


def check(
    catalog: Catalog, *, repair: bool = False, backup: str | Path | None = None
) -> list[Problem]:
    """`examine`; with `repair`, `mend` first, and what is left.

    Raises
    ------
    ParameterError
        A backup is named and nothing is to be mended.
    """
    if repair:
        return list(mend(catalog, backup=backup).problems)
    if backup is not None:
        raise ParameterError("backup goes with repair=True: what it has is put in place")
    return examine(catalog)


def examine(catalog: Catalog) -> list[Problem]:
    """Everything wrong with a database, faults before notes; reads all of it once."""
    found = [*catalog.store.check(), *_beside_the_tables(catalog)]
    return sorted(found, key=lambda problem: problem.severity)


def mend(
    catalog: Catalog, *, backup: str | Path | None = None, drop_unreadable: bool = False
) -> Checkup:
    """Mend what can be mended, and say what was and what is left.

    Parameters
    ----------
    catalog : Catalog
    backup : path, optional
        A folder of backups of this database: what it has of damaged files takes their place before
        anything else is done. See `latentdb.backup.bring_back`.
    drop_unreadable : bool
        Also move tables aside that cannot be relied on and whose rows the next ingest makes again.

    Raises
    ------
    BackupError
        `backup` is no folder of backups, or of another database; nothing was changed.
    StoreLockedError, StoreIOError
    """
    store = catalog.store
    fetched = [] if backup is None else bring_back(store, backup)
    before = examine(catalog)
    with store.mending() as mending:
        mending.mend(drop_unreadable=drop_unreadable)
    for path, error in torn_artefacts(store):
        set_aside(store, path, error)
    _unless_unreadable("items", lambda: mend_thumbnails(store))
    _unless_unreadable("indexes", lambda: catalog.indexes.check(repair=True))
    after = examine(catalog)
    left = {(problem.kind, problem.table) for problem in after}
    mended = (one for one in before if (one.kind, one.table) not in left)
    return Checkup((*fetched, *mended), tuple(after))


def _beside_the_tables(catalog: Catalog) -> Iterator[Problem]:
    store = catalog.store
    yield from _unless_unreadable("indexes", lambda: catalog.indexes.check(repair=False))
    yield from _unless_unreadable("migrations.json", lambda: _migration_problems(catalog))
    for path, error in torn_artefacts(store):
        where = str(path.relative_to(store.path))
        cure = f"fit it again, or {FETCH}"
        yield Problem("torn_artefact", where, 1, str(error), repairable=True, cure=cure)
    yield from _unless_unreadable("items", lambda: thumbnail_problems(store))


def _migration_problems(catalog: Catalog) -> list[Problem]:
    """None: that they can be read is all there is to them."""
    catalog.migrations.all()
    return []


def _unless_unreadable(where: str, look: Callable[[], list[Problem]]) -> list[Problem]:
    try:
        return look()
    except StoreError as error:
        return [Problem("unreadable", where, 1, str(error), repairable=False, cure=RESTORE)]
