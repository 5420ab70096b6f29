"""Upkeep of a database: everything that keeps it whole, small and quick, as `db.upkeep`."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Unpack, final

from latentdb.backup import BackupSummary, take_backup
from latentdb.catalog import Catalog
from latentdb.index import IndexInfo
from latentdb.index.audit import AuditOptions, IndexAudit
from latentdb.index.refresh import RefreshOptions
from latentdb.progress import Progress, silent
from latentdb.store.compaction import Compaction, compact
from latentdb.store.snapshots import SnapshotInfo, Snapshots


@final
class DatabaseUpkeep:
    """What is done to a database beside asking it.

    Parameters
    ----------
    catalog : Catalog
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    # Tables and indexes

    def compact(self, *, keep: timedelta = timedelta(0)) -> Compaction:
        """Merge small pieces of the tables and drop versions older than `keep`.

        Without versions a moment before now cannot be opened any more; snapshots stay whole. See
        `Store.compact`.
        """
        return compact(self._catalog.store, keep=keep)

    def refresh_index(self, space: str, **options: Unpack[RefreshOptions]) -> IndexInfo:
        """Bring an index of `space` up to its table, at the cost of what changed.

        Others search meanwhile by the index as it was, with newer rows beside it. See
        `latentdb.index.refresh`. Options: metric, prior.

        Raises
        ------
        NotEnoughDataError
            There is no such index to refresh, or no vector is left.
        """
        home = self._catalog.store.space(space)
        return self._catalog.indexes.refresh(home, **options)

    def refresh_in_background(
        self, space: str, **options: Unpack[RefreshOptions]
    ) -> Future[IndexInfo]:
        """The same in a thread of its own; searches of this object change over once it is done."""
        pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="latentdb-refresh")
        try:
            return pool.submit(self.refresh_index, space, **options)
        finally:
            pool.shutdown(wait=False)

    def audit(self, space: str | None = None, **options: Unpack[AuditOptions]) -> list[IndexAudit]:
        """What searches by every index, or those of `space`, find now of what they are to find.

        A sample of questions of each kind is answered by the index and by all stored rows. See
        `latentdb.index.audit`. Options: questions, target, seed.
        """
        return self._catalog.indexes.audit(space, **options)

    # Past states

    def snapshot(self, name: str) -> SnapshotInfo:
        """Keep the database as it is now under a name; see `Snapshots.take`."""
        return Snapshots(self._catalog.store).take(name)

    def snapshots(self) -> list[SnapshotInfo]:
        """Every snapshot, the oldest first."""
        return Snapshots(self._catalog.store).all()

    def drop_snapshot(self, name: str) -> None:
        """Delete a snapshot; UnknownSnapshotError where there is none of that name."""
        Snapshots(self._catalog.store).drop(name)

    def backup(
        self,
        destination: str | Path,
        *,
        snapshot: str | None = None,
        keep: int | None = None,
        progress: Progress = silent,
    ) -> BackupSummary:
        """Put a backup into the folder `destination`, at the cost of what is new there.

        `latentdb.restore` makes a database of it. Parameters and errors as
        `latentdb.backup.take.take_backup`.
        """
        store = self._catalog.store
        return take_backup(store, destination, snapshot=snapshot, keep=keep, progress=progress)
