"""The whole of a database looked over: tables, indexes, artefacts, pictures; and mended."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast, final, get_args

from latentdb.artefacts import require_whole
from latentdb.catalog import Catalog
from latentdb.errors import ArtefactError, LatentDBError, StoreError
from latentdb.store import Problem, Store
from latentdb.store.problems import RESTORE
from latentdb.store.repair import aside
from latentdb.store.store import ArtefactKind
from latentdb.thumbnail_check import mend_thumbnails, thumbnail_problems

_SUFFIX = ".safetensors"


@final
@dataclass(frozen=True)
class Checkup:
    """What a repair came to.

    Parameters
    ----------
    mended : tuple of Problem
        Found before it and not any more.
    problems : tuple of Problem
        What is left, faults before notes; each with its cure.
    """

    mended: tuple[Problem, ...]
    problems: tuple[Problem, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return asdict(self)


def examine(catalog: Catalog) -> list[Problem]:
    """Everything wrong with a database, faults before notes; reads all of it once."""
    found = [*catalog.store.check(), *_beside_the_tables(catalog)]
    return sorted(found, key=lambda problem: problem.severity)


def mend(catalog: Catalog, *, drop_unreadable: bool = False) -> Checkup:
    """Mend what can be mended, and say what was and what is left.

    Parameters
    ----------
    catalog : Catalog
    drop_unreadable : bool
        Also move tables aside that cannot be relied on and whose rows the next ingest makes again.
    """
    before, store = examine(catalog), catalog.store
    with store.mending() as mending:
        mending.mend(drop_unreadable=drop_unreadable)
    for path, error in _torn_artefacts(store):
        _set_aside(store, path, error)
    _unless_unreadable("items", lambda: mend_thumbnails(store))
    _unless_unreadable("indexes", lambda: catalog.indexes.check(repair=True))
    after = examine(catalog)
    left = {(problem.kind, problem.table) for problem in after}
    mended = (one for one in before if (one.kind, one.table) not in left)
    return Checkup(tuple(mended), tuple(after))


def _beside_the_tables(catalog: Catalog) -> Iterator[Problem]:
    store = catalog.store
    yield from _unless_unreadable("indexes", lambda: catalog.indexes.check(repair=False))
    yield from _unless_unreadable("migrations.json", lambda: _migration_problems(catalog))
    for path, error in _torn_artefacts(store):
        where = str(path.relative_to(store.path))
        cure = "fit it again, or take it from a backup"
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


def _torn_artefacts(store: Store) -> Iterator[tuple[Path, LatentDBError]]:
    """Files of maps, directions and what else was fitted that are not what was written."""
    for kind in get_args(ArtefactKind):
        for path in sorted((store.path / kind).rglob(f"*{_SUFFIX}")):
            try:
                require_whole(path)
            except ArtefactError as error:
                yield path, error


def _set_aside(store: Store, path: Path, error: LatentDBError) -> None:
    """Move a file out of the way, with its reason beside it."""
    kind = cast(ArtefactKind, path.relative_to(store.path).parts[0])
    with store.writer(), store.changing(kind):
        kept = aside(store.path, path.name)
        path.replace(kept)
        reason = {"was": str(path.relative_to(store.path)), "why": str(error)}
        kept.with_name(f"{kept.name}.json").write_text(json.dumps(reason), encoding="utf-8")
