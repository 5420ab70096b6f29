"""SpaceMigration: the steps of a model upgrade, each repeatable after a kill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from indexers.types import IdArray
from latentdb.catalog import Catalog
from latentdb.errors import MigrationError
from latentdb.held_out import split_by_item
from latentdb.ingest.progress import ProgressListener, SilentProgress
from latentdb.learn import learn_map
from latentdb.migrate.backfill import Backfill, BackfillOptions
from latentdb.migrate.dropping import drop_space
from latentdb.migrate.loss import Gallery, held_out_of, measure_loss, text_questions
from latentdb.migrate.refit import refit_all
from latentdb.succession.record import Migration, MigrationState

_DEFAULTS = BackfillOptions()


@final
@dataclass(frozen=True)
class MigrationStatus:
    """Where a migration stands.

    Parameters
    ----------
    migration : Migration
    items, vectors, missing : int
        Items that count (those with a vector in the old space, or all once it is gone), those of
        them with a vector in the new one, and the rest.
    next : str
        The option of `latentdb migrate-space` that comes next; empty when nothing does.
    """

    migration: Migration
    items: int
    vectors: int
    missing: int
    next: str

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        counts = {"items": self.items, "vectors": self.vectors, "missing": self.missing}
        return {**self.migration.to_json(), **counts, "next": self.next}


_NEXT = {
    "starting": "--to",
    "serving": "--backfill",
    "ready": "--cut-over",
    "cut_over": "--finish",
    "finishing": "--finish",
}


@final
class SpaceMigration:
    """One migration of one database; made by `begin` or `LatentDB.migration`.

    Parameters
    ----------
    catalog : Catalog
    record : Migration
        As it was when this was made; every step reads it anew.
    """

    def __init__(self, catalog: Catalog, record: Migration) -> None:
        self._catalog = catalog
        self._store = catalog.store
        self._book = catalog.migrations
        self._record = record

    def __repr__(self) -> str:
        record = self.record()
        return f"SpaceMigration({record.old!r} → {record.new!r}, {record.state!r})"

    def record(self) -> Migration:
        """The record as it is on disk now."""
        self._record = self._book.current(self._record)
        return self._record

    def status(self) -> MigrationStatus:
        """Where it stands."""
        record = self.record()
        spaces = self._store.spaces()
        vectors = self._ids(record.new) if record.new in spaces else np.empty(0, np.int64)
        items = self._ids(record.old) if record.old in spaces else self._store.item_ids()
        missing = len(np.setdiff1d(items, vectors))
        return MigrationStatus(
            record, len(items), len(items) - missing, missing, _NEXT.get(record.state, "")
        )

    def _ids(self, space: str) -> IdArray:
        return self._store.vector_ids(space)

    def _missing(self) -> IdArray:
        """Items with a vector in the old space and none in the new one."""
        return np.setdiff1d(self._ids(self._record.old), self._ids(self._record.new))

    def _require(self, *states: str, to: str) -> Migration:
        record = self.record()
        if record.state not in states:
            raise MigrationError(
                f"the migration {record.old} → {record.new} is {record.state!r}; to {to} it must "
                f"be {' or '.join(states)}{next_step(record)}"
            )
        return record

    def prepare(
        self,
        *,
        options: BackfillOptions = _DEFAULTS,
        progress: ProgressListener | None = None,
    ) -> MigrationStatus:
        """Embed the sample, fit the maps, measure the loss, and serve the new space.

        Raises
        ------
        MigrationError
            It is past that.
        NotEnoughDataError
            Too few items to fit a map on.
        StoreLockedError
            Another process is writing.
        """
        self._require("starting", to="prepare it")
        # Held for all of it: the loss is measured over the very items the map was fitted on.
        with self._store.writer():
            self._prepare(options, progress)
        return self.status()

    def _prepare(self, options: BackfillOptions, progress: ProgressListener | None) -> None:
        record = self._record
        old_ids = self._ids(record.old)
        fraction = record.sample / max(len(old_ids), 1)
        sample = old_ids
        if fraction < 1.0:
            sample = old_ids[split_by_item(old_ids, seed=record.seed, fraction=fraction)]
        self._embed(np.setdiff1d(sample, self._ids(record.new)), options, progress)
        # Forced: what decides is the loss, which is measured on the very task and told.
        forward = learn_map(self._catalog, record.new, record.old, seed=record.seed, force=True)
        learn_map(self._catalog, record.old, record.new, seed=record.seed, force=True)
        both = np.intersect1d(old_ids, self._ids(record.new))
        queries = held_out_of(forward, both)
        searched = np.intersect1d(both, np.union1d(sample, queries))
        gallery = Gallery(
            searched,
            new=self._store.vectors(record.new, searched),
            old=self._store.vectors(record.old, searched),
            usual=self._catalog.indexes.usual(record.old),
        )
        texts = text_questions(self._catalog, new=record.new, old=record.old, seed=record.seed)
        loss = measure_loss(forward, gallery, queries, texts=texts)
        if progress is not None and loss.recall_at_10.low <= loss.chance:
            progress.message(
                f"through the map, {record.old!r} finds no more of what is near in {record.new!r} "
                "than chance would: backfill before anyone asks"
            )
        state: MigrationState = "serving" if len(self._missing()) else "ready"
        self._book.update(record, lambda there: there.moved(state, loss=loss))

    def backfill(
        self,
        *,
        options: BackfillOptions = _DEFAULTS,
        progress: ProgressListener | None = None,
    ) -> MigrationStatus:
        """Embed every item that has no vector in the new space; killed, call it again.

        It may run in a process of its own while others search. Other writers wait meanwhile.

        Raises
        ------
        MigrationError
            It has not begun to serve, or was cut over or rolled back.
        ModelError
            The model fails on every picture of a batch.
        StoreLockedError
            Another process is writing.
        """
        record = self._require("serving", "ready", to="backfill")
        self._embed(self._missing(), options, progress)
        if record.state == "serving" and not len(self._missing()):
            self._book.update(record, lambda there: there.moved("ready"))
        return self.status()

    def _embed(
        self, ids: IdArray, options: BackfillOptions, progress: ProgressListener | None
    ) -> None:
        with self._store.writer():
            Backfill(
                self._store,
                self._book,
                self._record,
                model=self._catalog.models.get(self._record.new),
                options=options,
                progress=progress or SilentProgress(),
            ).run(ids)

    def cut_over(self, *, allow_missing: bool = False) -> MigrationStatus:
        """Let the new space take the old one's place: its indexes, directions, maps, its name.

        Everything is built before the switch, which is one rename of a file.

        Parameters
        ----------
        allow_missing : bool
            Although some items have no vector in the new space: no answer will hold them.

        Raises
        ------
        MigrationError
            Items have no vector in the new space yet, or it is not the turn of this step.
        IndexerError
            An index of the old kind cannot be built on the new vectors.
        """
        record = self._require("serving", "ready", to="cut over")
        missing = len(self._missing())
        if missing and not allow_missing:
            raise MigrationError(
                f"{missing} items have no vector in space {record.new!r} yet: run --backfill, "
                "or cut over without them by --allow-missing"
            )
        self._catalog.indexes.copy_kinds(record.old, self._store.space(record.new))
        refitted, to_refit = refit_all(self._catalog, record)

        def switch(there: Migration) -> Migration:
            ready = there.moved("ready") if there.state == "serving" else there
            return ready.moved("cut_over", refitted=refitted, to_refit=to_refit)

        self._book.update(record, switch)
        return self.status()

    def roll_back(self) -> MigrationStatus:
        """Back to the old space, at once; nothing is deleted.

        After cut-over the migration is where it was before that; earlier, it is given up, and
        starting it again goes on with the vectors that are there.

        Raises
        ------
        MigrationError
            The old space is gone, or there is nothing to go back from.
        """
        record = self._require("starting", "serving", "ready", "cut_over", to="roll back")
        state: MigrationState = "rolled_back"
        if record.state == "cut_over":
            state = "serving" if len(self._missing()) else "ready"
        self._book.update(record, lambda there: there.moved(state))
        return self.status()

    def finish(self) -> MigrationStatus:
        """Drop the old space with its vectors, indexes, maps and directions. No way leads back.

        Raises
        ------
        MigrationError
            It is not cut over.
        StoreLockedError
            Another process is writing.
        """
        record = self._require("cut_over", "finishing", to="finish")
        with self._store.writer():
            if record.state == "cut_over":
                self._book.update(record, lambda there: there.moved("finishing"))
            drop_space(self._catalog, record.old)
            self._book.update(record, lambda there: there.moved("finished"))
        return self.status()


def next_step(record: Migration) -> str:
    """What comes next, to end a refusal with."""
    option = _NEXT.get(record.state)
    return f"; next comes latentdb migrate-space DB {option}" if option else ""
