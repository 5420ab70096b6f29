"""Damaged files of a database, replaced by the very same content from a folder of backups.

Of tables and uploads their checksums say what that is. A map or direction states its own checksum,
which is believed where it can still be read: what comes must state the same one, and agree with it.
A version of an index has a name of its own, under which there never was another.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from indexers.errors import IndexFileError
from indexers.files import CURRENT, current_version
from latentdb.artefact_check import kind_of, torn_artefacts
from latentdb.artefacts import require_whole, stated_checksum
from latentdb.backup.kept_files import KeptFiles
from latentdb.errors import ArtefactError, BackupError
from latentdb.store import Problem, Store
from latentdb.store.bringing import brought
from latentdb.store.local_folder import LocalFolder


def bring_back(store: Store, backups: str | Path) -> list[Problem]:
    """Replace what is damaged by what a folder of backups has of it.

    Parameters
    ----------
    store : Store
    backups : path
        A folder of backups of this database.

    Returns
    -------
    list of Problem
        What was mended. What was not, a check finds.

    Raises
    ------
    BackupError
        `backups` is no folder of backups, or of another database, or the database is not in a
        folder; nothing was changed.
    StoreIOError, StoreLockedError
    """
    if not isinstance(store.location, LocalFolder):
        raise BackupError(
            f"{store.uri} is in an object store, which keeps checksums of its own: what is damaged "
            f"there is restored as a whole, by latentdb restore {backups} to a new address"
        )
    kept = KeptFiles(backups, store)
    with store.mending() as mending:
        mended = mending.bring_tables(kept.bring)
    with store.mending() as mending:
        mended += mending.bring_uploads(kept.bring)
    return [*mended, *_artefacts(store, kept), *_indexes(store, kept)]


def _artefacts(store: Store, kept: KeptFiles) -> Iterator[Problem]:
    for path, _ in torn_artefacts(store):
        where, stated = path.relative_to(store.path).as_posix(), stated_checksum(path)
        if stated is None:
            continue
        with store.writer(), store.changing(kind_of(store, path)):
            is_brought = kept.bring(where, partial(_is_whole, stated=stated))
        if is_brought:
            yield brought("torn_artefact", where, [where])


def _is_whole(path: Path, *, stated: str) -> bool:
    try:
        require_whole(path)
    except ArtefactError:
        return False
    return stated_checksum(path) == stated


def _indexes(store: Store, kept: KeptFiles) -> Iterator[Problem]:
    for pointer in sorted(store.artefact_dir("indexes").glob(f"*/{CURRENT}")):
        try:
            version = current_version(pointer.parent)
        except IndexFileError:
            continue
        below = kept.below(version.relative_to(store.path).as_posix())
        if wanted := [path for path in below if not kept.is_there(path)]:
            with store.writer(), store.changing("indexes"):
                paths = [path for path in wanted if kept.bring(path, lambda _: True)]
            if paths:
                yield brought("torn_index", f"indexes/{pointer.parent.name}", paths)
