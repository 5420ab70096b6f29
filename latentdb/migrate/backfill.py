"""Vectors of the new space for items that lack them, a commit at a time."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from indexers.errors import ParameterError
from latentdb.errors import MigrationError, ModelError
from latentdb.ingest.batch_size import USUAL_BATCH
from latentdb.ingest.embedding import Embedder
from latentdb.ingest.progress import ProgressListener
from latentdb.migrate.pictures import Picture, PictureReader
from latentdb.model import AbstractSpaceModel
from latentdb.store import Store
from latentdb.succession.book import MigrationBook
from latentdb.succession.record import Migration, PictureCounts
from latentdb.types import SpaceRows


@final
@dataclass(frozen=True)
class BackfillOptions:
    """Settings of a backfill; none of them moves a vector.

    Parameters
    ----------
    batch_size : int, optional
        Pictures that the model gets at once, halved when memory runs out; as many as memory holds
        where not given, see `latentdb.ingest.batch_size`.
    workers : int, optional
        Decoding processes; 0 decodes in this process. Chosen by the machine where not given.
    use_thumbnails : bool
        Items whose file is gone are embedded from their thumbnails, approximately; False leaves
        them out.
    commit_rows : int
        Vectors written at once, at most.
    commit_seconds : float
        Time, in seconds, after which finished vectors are written even if they are fewer.
    """

    batch_size: int | None = None
    workers: int | None = None
    use_thumbnails: bool = True
    commit_rows: int = 512
    commit_seconds: float = 10.0

    def __post_init__(self) -> None:
        batch_size = 1 if self.batch_size is None else self.batch_size
        if min(batch_size, self.commit_rows) < 1 or (self.workers or 0) < 0:
            raise ParameterError(
                "batch_size and commit_rows are at least 1 and workers at least 0, got "
                f"{self.batch_size}, {self.commit_rows} and {self.workers}"
            )
        if self.commit_seconds <= 0:
            raise ParameterError(f"commit_seconds must be above 0, got {self.commit_seconds}")


@final
class Backfill:
    """One run over items; killed at any moment, the next run does what is left.

    Parameters
    ----------
    store : Store
        Its writer's lock is held by the caller.
    book : MigrationBook
    migration : Migration
    model : AbstractSpaceModel
        Of the new space.
    options : BackfillOptions
    progress : ProgressListener
    """

    def __init__(
        self,
        store: Store,
        book: MigrationBook,
        migration: Migration,
        *,
        model: AbstractSpaceModel,
        options: BackfillOptions,
        progress: ProgressListener,
    ) -> None:
        self._store = store
        self._book = book
        self._migration = migration
        self._progress = progress
        self._options = options
        self._embedder = Embedder(model, batch_size=options.batch_size, tell=progress.message)
        self._reader = PictureReader(
            store,
            model.transform,
            workers=options.workers,
            ahead=2 * (options.batch_size or USUAL_BATCH),
            use_thumbnails=options.use_thumbnails,
        )
        self._counts = PictureCounts()
        self._failed = 0
        self._done: list[SpaceRows] = []
        self._last_commit = time.monotonic()

    def run(self, ids: NDArray[np.int64]) -> None:
        """Embed the pictures of `ids`, which have no vector in the new space yet.

        Raises
        ------
        ModelError
            The model fails on every picture of a batch.
        MigrationError
            The migration was rolled back meanwhile; what was embedded until then is kept.
        """
        self._progress.total(len(ids))
        batch: list[Picture] = []
        try:
            with closing(self._reader.read(ids)) as pictures:
                for picture in pictures:
                    if picture.pixels is None:
                        self._fail(picture.id, picture.why)
                        continue
                    batch.append(picture)
                    if len(batch) >= self._embedder.batch_size:
                        self._embed(batch)
                        batch = []
            self._embed(batch)
        except (KeyboardInterrupt, ModelError):
            # The vectors that are there are not thrown away.
            self._commit()
            raise
        self._commit()

    def _embed(self, batch: list[Picture]) -> None:
        if not batch:
            return
        done = self._embedder.embed([p.pixels for p in batch if p.pixels is not None])
        for place, why in done.failures.items():
            self._fail(batch[place].id, why)
        good = [batch[place] for place in done.rows.tolist()]
        ids = np.array([picture.id for picture in good], dtype=np.int64)
        self._done.append(SpaceRows(ids, done.embedded.vectors, done.embedded.quality))
        origins = [picture.origin for picture in good]
        self._counts = self._counts.plus(
            PictureCounts(
                origins.count("source"),
                origins.count("whole_thumbnail"),
                origins.count("thumbnail"),
            )
        )
        self._progress.advance(files=len(good))
        waiting = sum(len(rows.ids) for rows in self._done)
        is_late = time.monotonic() - self._last_commit >= self._options.commit_seconds
        if waiting >= self._options.commit_rows or is_late:
            self._commit()

    def _fail(self, item_id: int, why: str) -> None:
        self._failed += 1
        self._progress.advance(quarantined=1)
        self._progress.message(f"item {item_id} has no vector: {why}")

    def _commit(self) -> None:
        """Count first, then write: a kill in between hides no thumbnail."""
        counts = replace(self._counts, failed=self._failed)

        def add(there: Migration) -> Migration:
            if not there.is_open:
                raise MigrationError(
                    f"the migration {there.old} → {there.new} is {there.state!r} now, so the "
                    "backfill stops; what it wrote is kept"
                )
            return replace(there, pictures=there.pictures.plus(counts))

        self._migration = self._book.update(self._migration, add)
        self._counts, self._last_commit = PictureCounts(), time.monotonic()
        rows, self._done = [part for part in self._done if len(part.ids)], []
        if rows:
            joined = SpaceRows(
                np.concatenate([part.ids for part in rows]),
                np.concatenate([part.vectors for part in rows]),
                {
                    name: np.concatenate([part.quality[name] for part in rows])
                    for name in rows[0].quality
                },
            )
            self._store.write_batch(
                items=[], sources=[], vectors={self._migration.new: joined}, quarantine=[]
            )
