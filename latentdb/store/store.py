"""Store: the database on disk, as the rest of the library sees it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentdb.space import Space
from latentdb.store import schema
from latentdb.store.appending import Appender
from latentdb.store.format import FormatRecord, current_record, make_empty
from latentdb.store.item_columns import Told
from latentdb.store.labels import as_booleans
from latentdb.store.locate import locate
from latentdb.store.location import AbstractLocation
from latentdb.store.look import Look
from latentdb.store.names import located
from latentdb.store.problems import Problem
from latentdb.store.read_only import guarded
from latentdb.store.reads import Reader
from latentdb.store.registry import SpaceRegistry
from latentdb.store.rows import id_array
from latentdb.store.seals import Seals
from latentdb.store.tables import Tables
from latentdb.store.upkeep import Upkeep
from latentdb.store.writes import Writer
from latentdb.types import Item, ItemRow, LabelValue, QuarantineRow, SourceRow, SpaceRows

if TYPE_CHECKING:
    from latentdb.store.repair import Mending

ArtefactKind = Literal["indexes", "maps", "directions", "priors", "shared"]
Ids = NDArray[np.int64]


@final
class Store:
    """One database: `latentdb.json`, LanceDB tables and folders of artefacts, at one location.

    Made by `Store.create` or `Store.open`. Reads are safe from several threads and see the
    latest commit of any process. One process at a time writes. Not to be used across a fork:
    start processes with `spawn`. In a `look.block()` each look for commits is made once.
    """

    def __init__(self, location: AbstractLocation, record: FormatRecord) -> None:
        self.path = location.folder
        self.location = location
        self._record = record
        self._serial = threading.RLock()
        self._seals = Seals(location.folder)
        self.look = Look()
        self._begin(hides_paths=False)

    def _begin(self, *, hides_paths: bool) -> None:
        """Keep nothing in memory of what the tables held before."""
        self.look.again()
        self._tables = tables = Tables(self.location, self.look)
        self._registry = registry = SpaceRegistry(tables)
        self._reader = reader = Reader(tables, hides_paths=hides_paths)
        self._upkeep = upkeep = Upkeep(tables, self._seals)
        self._writer = Writer(tables, registry=registry, reader=reader, upkeep=upkeep)

    def __repr__(self) -> str:
        return f"Store({self.uri!r})"

    @property
    def uri(self) -> str:
        """Address of the database; of a folder, its absolute path."""
        return self.location.uri

    @classmethod
    def create(cls, uri: str) -> Store:
        """Make an empty database; it appears complete or not at all.

        Parameters
        ----------
        uri : str
            A path or `file:///...` of a folder that is missing or empty, or `s3://bucket/name`.

        Raises
        ------
        StoreExistsError
            There is something at `uri`.
        StoreError
            `uri` is of a kind that is not supported.
        """
        locate(uri).create(make_empty)
        return cls.open(uri)

    @classmethod
    def open(cls, uri: str) -> Store:
        """Open a database; one of an older format is migrated first.

        Raises
        ------
        StoreNotFoundError
            There is no database at `uri`.
        StoreFormatError
            A newer latentdb wrote it, or its version file cannot be understood.
        StoreLockedError
            It must be migrated and another process is writing.
        """
        place = locate(uri)
        return cls(guarded(place), current_record(place))

    def hide_paths(self) -> None:
        """From now on tell names of files without their folders; see `store.names`."""
        self._begin(hides_paths=True)

    # Spaces

    def spaces(self) -> dict[str, Space]:
        """Spaces by name, in the order they were added."""
        return self._registry.all()

    def space(self, name: str) -> Space:
        """One space; UnknownSpaceError names the ones there are."""
        return self._registry.get(name)

    def add_space(self, space: Space) -> None:
        """Add a space; nothing happens when it is there with the same fingerprint.

        Raises
        ------
        SpaceExistsError
            The name is taken by a space of other settings.
        SpaceSpecError
            The name or a quality column cannot be stored.
        """
        with self.exclusively():
            self._registry.add(space)

    def drop_space(self, name: str) -> None:
        """Remove a space with all its vectors; repeated after a kill, it ends what was begun."""
        with self.exclusively():
            self._registry.remove(name)
            self._reader.forget(name)

    # Ids and versions

    def item_ids(self) -> Ids:
        """Ids of all items, (n,) int64, sorted."""
        return self._reader.item_ids()

    def vector_ids(self, space: str, *, as_stored: bool = False) -> Ids:
        """Ids of the items with a vector in `space`, (n,) int64, sorted or as they lie on disk."""
        read = self._reader.stored_order if as_stored else self._reader.vector_ids
        return read(self.space(space))

    def version(self, space: str) -> int:
        """Version of a space's table: equal versions hold equal rows, not the other way round."""
        return self._registry.version(space)

    def items_version(self) -> int:
        """Version of the items table; new, changed and deleted items raise it."""
        return self._tables.version(schema.ITEMS)

    def item_times(self) -> tuple[Ids, Ids]:
        """Ids of all items, sorted, and when each was added, in microseconds UTC: (n,) each."""
        return self._reader.item_times()

    def known_sources(self) -> dict[str, int]:
        """Item id of each content hash whose file has been used and whose item is there."""
        return self._reader.known_sources()

    def quarantined(self) -> list[QuarantineRow]:
        """Files that could not be used, by source."""
        return self._reader.quarantined()

    # Writes

    @contextmanager
    def writer(self) -> Iterator[None]:
        """Be the one process that writes, for the length of the block; may be nested.

        Each write takes the lock by itself; hold it around a run to keep others out for all
        of it.

        Raises
        ------
        StoreLockedError
            Another process, or another `Store` of this one, is writing; with its pid.
        StoreFormatError
            The database is of a format that this latentdb only reads.
        """
        self._record.require_writable(self.location)
        with self.location.lock.held(), self._seals.renewed_after():
            yield

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """The same, and other threads of this `Store` are kept out too."""
        with self.writer(), self._serial:
            yield

    def write_batch(
        self,
        *,
        items: Sequence[ItemRow],
        sources: Sequence[SourceRow],
        vectors: Mapping[str, SpaceRows],
        quarantine: Sequence[QuarantineRow],
    ) -> None:
        """Write a batch; the same batch again changes nothing, and a kill loses nothing whole.

        Vectors and items that are there stay as they are (`set_labels` changes labels); a
        source or a quarantined file that is there is replaced. Order: see `store.writes`.

        Raises
        ------
        UnknownSpaceError, DimensionError, NonFiniteError, SpaceMismatchError
            Rows of `vectors` do not fit their space; nothing was written.
        LabelsError
            A label cannot be stored; nothing was written.
        DuplicateIdError
            An id is twice among the items, or among the rows of one space.
        """
        with self.exclusively():
            self._writer.batch(items, sources=sources, vectors=vectors, quarantine=quarantine)

    @contextmanager
    def appending(self, space: str) -> Iterator[Appender]:
        """Append vectors of stored items to one space; one that has a vector there is an error.

        The writer's lock is held, and no other write to the space may be made, until the end.
        """
        with self.exclusively():
            yield Appender(self._tables, self.space(space), self._upkeep)

    def set_labels(
        self, ids: Sequence[int] | Ids, labels: Mapping[str, Sequence[LabelValue]]
    ) -> None:
        """Set labels of items, one value per id; columns are added as needed, None clears.

        Raises
        ------
        LabelsError
            A name or a value cannot be stored, or the lengths differ.
        UnknownItemError
            An id is not an item.
        """
        with self.exclusively():
            self._writer.set_labels(id_array(ids), labels)

    def delete(self, ids: Sequence[int] | Ids) -> int:
        """Delete items with their vectors and sources; the number of items deleted.

        Ids that are not items are passed over, so that an interrupted deletion can be repeated.
        The next ingest of the same files brings them back.
        """
        with self.exclusively():
            return self._writer.delete(id_array(ids))

    # Reads

    def items(self, ids: Sequence[int] | Ids) -> list[Item]:
        """Items in the order asked for; UnknownItemError names ids that are not items."""
        return self._reader.items(id_array(ids))

    def told(self, ids: Ids) -> Iterator[Told]:
        """Names and labels of items, in the order asked for: what a hit tells of them."""
        return self._reader.told(ids)

    def item_columns(self, ids: Ids, columns: Sequence[str]) -> pa.RecordBatch:
        """Columns of items (n,), labels too; nulls where an id is −1."""
        return self._reader.item_columns(ids, columns)

    def original(self, item_id: int) -> str:
        """Path of the file that an item was first read from, where it still lies or once lay."""
        return located(self.path, self._reader.sources(id_array([item_id]))[0])

    def thumbnail(self, item_id: int) -> bytes:
        """Encoded small picture of an item, as it was stored; empty where there is none."""
        return self._reader.thumbnails(id_array([item_id]))[0]

    def thumbnails(self, ids: Sequence[int] | Ids) -> list[bytes]:
        """Those of several, in the order asked for."""
        return self._reader.thumbnails(id_array(ids))

    def label_columns(self) -> dict[str, type]:
        """Label columns, each with bool, int, float or str."""
        return self._reader.label_columns()

    def labels(self, column: str) -> tuple[Ids, NDArray[Any]]:
        """Values of a label, for the items that have one.

        Returns
        -------
        ids : (m,) int64
            Sorted; items without a value are left out.
        values : (m,)
            bool, int64, float64, or object holding str.

        Raises
        ------
        LabelsError
            No such label; the text names those there are.
        """
        return self._reader.labels(column)

    def binary_label(self, column: str) -> tuple[Ids, NDArray[np.bool_]]:
        """Values of a label of two values, as booleans; of two numbers the larger is true.

        LabelsError where there is none, or it is of text or of another number of values.
        """
        ids, values = self.labels(column)
        return ids, as_booleans(column, values)

    def vectors(self, space: str, ids: Sequence[int] | Ids) -> NDArray[np.float32]:
        """Vectors (n, dim) float32 of items, in the order asked for; the caller's own.

        Raises
        ------
        UnknownItemError
            An id is not an item, or has no vector in `space`.
        """
        return self._reader.vectors(self.space(space), id_array(ids))

    def iter_vectors(self, space: str, batch_rows: int = 8192) -> Iterator[SpaceRows]:
        """All rows of a space in storage order, at most `batch_rows` at a time."""
        return self._reader.iter_rows(self.space(space), batch_rows)

    def all_vectors(self, space: str) -> SpaceRows:
        """All rows of a space, sorted by id; 4 bytes per coordinate of memory."""
        return self._reader.all_rows(self.space(space))

    def metadata(self, space: str | None) -> pa.Table:
        """What a filter may ask of an item; kept until the tables change.

        Returns
        -------
        pyarrow.Table
            Sorted by id: id, source, width, height, added_at (UTC), the labels; with a space,
            norm and its quality columns too, and only the items that have a vector in it.
        """
        return self._reader.metadata(None if space is None else self.space(space))

    # Upkeep

    def compact(self, *, keep: timedelta = timedelta(0)) -> None:
        """Merge small pieces, drop versions older than `keep`, and what killed writers left.

        Readers of other processes that are in the middle of a read begin it again.
        """
        with self.exclusively():
            for name in sorted(self._tables.names()):
                self._upkeep.tidy(name, keep=keep, sweep=True)
            self.location.mirror.sweep()

    def check(self) -> list[Problem]:
        """What is wrong with tables, uploads and published artefacts; reads all of them once."""
        from latentdb.store.check import find_problems

        found = find_problems(self._tables, self._registry, seals=self._seals, folder=self.path)
        return [*self.location.mirror.problems(repair=False), *found]

    @contextmanager
    def mending(self) -> Iterator[Mending]:
        """Be the one process that writes, to mend the tables; see `store.repair.Mending`."""
        from latentdb.store.repair import Mending

        with self.exclusively():
            self.location.mirror.problems(repair=True)
            try:
                yield Mending(self.path, self._tables, seals=self._seals)
            finally:
                self._begin(hides_paths=self._reader.hides_paths)

    # Artefacts

    def artefact_dir(self, kind: ArtefactKind, below: str = "") -> Path:
        """Local folder of artefacts of a kind, or one below it; made when missing.

        Who looks into it later asks `catch_up` first; who writes there does it in `changing`.
        """
        self.catch_up()
        folder = self.path / kind / below
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def catch_up(self) -> None:
        """Bring local copies of artefacts up to date; of a local database there are none."""
        self.location.mirror.catch_up()

    @contextmanager
    def changing(self, what: ArtefactKind | Literal["migrations.json"]) -> Iterator[None]:
        """Change artefacts of a kind in a block; once it ends, every machine sees the change."""
        try:
            with self.location.mirror.changing(what):
                yield
        finally:
            self.look.again()
