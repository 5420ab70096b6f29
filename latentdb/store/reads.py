"""Everything that is read: pinned versions, cached until the tables move on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar, final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from latentdb.arrays import is_among
from latentdb.errors import LabelsError, StoreIOError
from latentdb.space import Space
from latentdb.store import schema
from latentdb.store.item_columns import ItemColumns, Told
from latentdb.store.labels import label_types
from latentdb.store.metadata import Metadata, Sources
from latentdb.store.names import shown_message, shown_name, shown_names
from latentdb.store.tables import Pinned, Tables
from latentdb.store.views import Ids, KeyedView, require_among, vector_block
from latentdb.types import Item, QuarantineRow, SpaceRows

T = TypeVar("T")

# Reading a few items from disk costs 2 ms and from memory 0.2 ms, but filling that memory is a
# scan (0.1 s for 100,000 items): worth it for a database that is asked, not while it is filled.
HOT_AFTER_READS = 8
# Narrow columns that are asked for whenever a table has grown.
_KEPT = {schema.ITEMS: ("added_at",)}


@final
class _Pin(NamedTuple):
    """A table as it was pinned: in which era (see `Reader._era`), and when."""

    era: int
    pinned: Pinned
    at: float


@final
class Reader:
    """Reads of one database; safe from several threads.

    A vector counts once its item does: rows of a space that a killed or running batch has
    written ahead of its items are not shown.

    Parameters
    ----------
    tables : Tables
    hides_paths : bool
        Whether names of files come without their folders.
    """

    def __init__(self, tables: Tables, *, hides_paths: bool) -> None:
        self.hides_paths = hides_paths
        self._tables = tables
        self._lock = threading.RLock()
        self._pins: dict[str, _Pin] = {}
        self._views: dict[str, tuple[int, KeyedView]] = {}
        self._item_reads = (0, 0)
        self._columns: tuple[Pinned, ItemColumns] | None = None
        self._visible: dict[str, tuple[tuple[int, int], Ids]] = {}
        self._metadata: dict[str | None, Metadata] = {}

    def forget(self, space: str) -> None:
        """Drop what is kept of a space: another of its name would begin at the same versions."""
        table = schema.space_table(space)
        with self._lock:
            self._pins.pop(table, None)
            self._views.pop(table, None)
            self._visible.pop(space, None)
            self._metadata.pop(space, None)

    def _retried(self, read: Callable[[], T]) -> T:
        """`read()`, once more from the latest versions when pruning took one away meanwhile."""
        try:
            return read()
        except StoreIOError:
            self._tables.look.again()
            with self._lock:
                self._pins.clear()
                self._views.clear()
            return read()

    def _pinned(self, table: str) -> Pinned:
        """The latest version of a table; in a block of one look a later one may be read as well."""
        with self._lock:
            kept = self._pins.get(table)
            if kept is not None and kept.at >= self._tables.look.since:
                return kept.pinned
            # Looked at first, so that a table made anew meanwhile is pinned again.
            era, at = self._era(), time.monotonic()
            is_latest = kept is not None and (
                kept.era == era and kept.pinned.version == self._tables.version(table)
            )
            if kept is None or not is_latest:
                kept = self._pins[table] = _Pin(era, self._tables.pin(table), at)
            return kept.pinned

    def _era(self) -> int:
        """Changes when a space is dropped: another of its name begins at the same versions."""
        return self._tables.version(schema.SPACES)

    def view(self, table: str) -> KeyedView:
        """The latest version of a table keyed by id."""
        with self._lock:
            pinned, kept = self._pinned(table), self._views.get(table)
            if kept is not None and kept[1].pinned is pinned:
                return kept[1]
            view = None
            if kept is not None and kept[0] == self._era():
                view = kept[1].grown(pinned)
            if view is None:
                view = KeyedView(pinned, _KEPT.get(table, ()))
            self._views[table] = (self._pins[table].era, view)
            return view

    def item_ids(self) -> Ids:
        """Sorted ids of all items; a copy."""
        return self._retried(lambda: self.view(schema.ITEMS)).ids.copy()

    def item_times(self) -> tuple[Ids, Ids]:
        """Sorted ids of all items, and when each was added, in microseconds."""
        view = self._retried(lambda: self.view(schema.ITEMS))
        return view.ids.copy(), view.columns["added_at"].astype(np.int64)

    def _space_view(self, space: Space) -> tuple[KeyedView, Ids]:
        """View of a space and the ids in it that are items, sorted."""
        with self._lock:
            # Items last: a batch writes them after its vectors, so none of theirs is missed.
            view = self.view(schema.space_table(space.name))
            items = self.view(schema.ITEMS)
            versions = (view.pinned.version, items.pinned.version)
            cached = self._visible.get(space.name)
            if cached is None or cached[0] != versions:
                ids = view.ids
                if not np.array_equal(ids, items.ids):
                    ids = np.intersect1d(ids, items.ids, assume_unique=True)
                cached = self._visible[space.name] = (versions, ids)
            return view, cached[1]

    def vector_ids(self, space: Space) -> Ids:
        """Sorted ids of the items with a vector in `space`; a copy."""
        return self._retried(lambda: self._space_view(space))[1].copy()

    def stored_order(self, space: Space) -> Ids:
        """Ids of the items with a vector in `space`, as their rows lie on disk."""
        view, visible = self._retried(lambda: self._space_view(space))
        return view.in_storage_order(visible)

    def vectors(self, space: Space, ids: Ids) -> NDArray[np.float32]:
        """Vectors (n, dim) of `ids`, in their order."""
        return self._retried(lambda: self._vectors(space, ids))

    def _vectors(self, space: Space, ids: Ids) -> NDArray[np.float32]:
        view, visible = self._space_view(space)
        require_among(ids, visible, f"items with a vector in space {space.name!r}")
        unique, inverse = np.unique(ids, return_inverse=True)
        if len(unique) == len(ids):
            return view.vectors(ids, space.dim)
        return view.vectors(unique, space.dim)[inverse]

    def iter_rows(self, space: Space, batch_rows: int) -> Iterator[SpaceRows]:
        """Rows of a space in storage order, `batch_rows` at a time."""
        view, visible = self._retried(lambda: self._space_view(space))
        ordered = view.in_storage_order(visible)
        for start in range(0, len(ordered), batch_rows):
            wanted = ordered[start : start + batch_rows]
            try:
                yield _stored_rows(view, space, wanted)
            except StoreIOError:
                # Pruned meanwhile: the same ids from the latest version, less those deleted.
                latest, visible = self._space_view(space)
                there = wanted[is_among(wanted, visible)]
                yield _stored_rows(latest, space, there)

    def all_rows(self, space: Space) -> SpaceRows:
        """All rows of a space, sorted by id."""
        return self._retried(lambda: self._all_rows(space))

    def _all_rows(self, space: Space) -> SpaceRows:
        view, visible = self._space_view(space)
        return _rows(view, space, visible.copy(), quality=space.quality)

    def items(self, ids: Ids) -> list[Item]:
        """Items in the order asked for; absent labels are left out."""
        return self._retried(lambda: self._items(ids))

    def told(self, ids: Ids) -> Iterator[Told]:
        """Names and labels of items, in the order asked for."""
        return self._retried(lambda: self._told(ids))

    def _told(self, ids: Ids) -> Iterator[Told]:
        if (columns := self._hot_columns()) is not None:
            return columns.told(ids)
        return iter([(item.source, item.labels) for item in self._rows_of_items(ids)])

    def item_columns(self, ids: Ids, columns: Sequence[str]) -> pa.RecordBatch:
        """Columns of items, in the order asked for; nulls where an id is −1."""
        return self._retried(
            lambda: (self._hot_columns() or self._columns_in_memory()).rows(ids, columns)
        )

    def _items(self, ids: Ids) -> list[Item]:
        if (columns := self._hot_columns()) is not None:
            return columns.items(ids)
        return self._rows_of_items(ids)

    def _rows_of_items(self, ids: Ids) -> list[Item]:
        """Items as they are read from disk."""
        view = self.view(schema.ITEMS)
        require_among(ids, view.ids, "items of this database")
        labels = list(label_types(view.pinned.schema))
        columns = [name for name in schema.ITEM_COLUMNS if name not in ("id", "thumbnail")]
        rows = self._shown(view.take_ordered(ids, [*columns, *labels]))
        return [_item(row, labels) for row in rows.to_pylist()]

    def _hot_columns(self) -> ItemColumns | None:
        """The items of the latest version in memory, where it is read often."""
        pinned = self.view(schema.ITEMS).pinned
        kept = self._columns
        if kept is not None and kept[0] is pinned:
            return kept[1]
        return self._columns_in_memory() if self._are_items_hot(pinned.version) else None

    def _columns_in_memory(self) -> ItemColumns:
        with self._lock:
            # Together, so that both are of one version.
            table, pinned = self._metadata_of(None), self.view(schema.ITEMS).pinned
            kept = self._columns
            if kept is None or kept[0] is not pinned:
                made = ItemColumns(table, list(label_types(pinned.schema)))
                kept = self._columns = (pinned, made)
            return kept[1]

    def _shown(self, rows: pa.Table) -> pa.Table:
        """Rows of items, their names as they may be told."""
        if not self.hides_paths:
            return rows
        at = rows.column_names.index("source")
        return rows.set_column(at, rows.schema.field(at), shown_names(rows["source"]))

    def sources(self, ids: Ids) -> list[str]:
        """Names of items as they are stored, in the order asked for."""
        return self._retried(lambda: self._sources(ids))

    def _sources(self, ids: Ids) -> list[str]:
        view = self.view(schema.ITEMS)
        require_among(ids, view.ids, "items of this database")
        names: list[str] = view.take_ordered(ids, ["source"])["source"].to_pylist()
        return names

    def _are_items_hot(self, version: int) -> bool:
        """Whether one version of the items is read so often that it is kept in memory."""
        with self._lock:
            last, count = self._item_reads
            count = count + 1 if last == version else 1
            self._item_reads = (version, count)
            return count > HOT_AFTER_READS

    def thumbnails(self, ids: Ids) -> list[bytes]:
        """Encoded small pictures of items, in the order asked for."""
        return self._retried(lambda: self._thumbnails(ids))

    def _thumbnails(self, ids: Ids) -> list[bytes]:
        view = self.view(schema.ITEMS)
        require_among(ids, view.ids, "items of this database")
        small: list[bytes] = view.take_ordered(ids, ["thumbnail"])["thumbnail"].to_pylist()
        return small

    def label_columns(self) -> dict[str, type]:
        """Label columns with bool, int, float or str."""
        return label_types(self._retried(lambda: self._pinned(schema.ITEMS)).schema)

    def labels(self, column: str) -> tuple[Ids, NDArray[Any]]:
        """Ids of the items that have a value of a label, sorted, and the values."""
        there = self.label_columns()
        if column not in there:
            names = ", ".join(sorted(there)) or "none yet"
            raise LabelsError(f"no label {column!r} in this database; there are: {names}")
        rows = self.metadata(None).select(["id", column])
        rows = rows.filter(rows[column].is_valid())
        values = rows[column].to_numpy()
        if there[column] is str:
            values = values.astype(object)
        return rows["id"].to_numpy().copy(), values

    def metadata(self, space: Space | None) -> pa.Table:
        """Everything a filter may ask of an item, sorted by id; see `Store.metadata`."""
        return self._retried(lambda: self._metadata_of(space))

    def _metadata_of(self, space: Space | None) -> pa.Table:
        with self._lock:
            view, visible = self._space_view(space) if space else (None, None)
            items = self.view(schema.ITEMS)
            ids = items.ids if visible is None else visible
            sources = Sources(items, space, view, ids)
            name = space.name if space else None
            kept = self._metadata.get(name)
            if kept is None or kept.sources.versions != sources.versions:
                kept = kept.grown(sources, self._shown) if kept else None
                kept = kept or Metadata.read(sources, self._shown)
                self._metadata[name] = kept
            return kept.table

    def known_sources(self) -> dict[str, int]:
        """Item of each content hash, for items that are there."""
        rows = self._retried(lambda: self._tables.pin(schema.SOURCES).scan(["content_hash", "id"]))
        ids = rows["id"].to_numpy()
        there = is_among(ids, self.item_ids())
        hashes = rows["content_hash"].filter(pa.array(there)).to_pylist()
        return dict(zip(hashes, ids[there].tolist(), strict=True))

    def quarantined(self) -> list[QuarantineRow]:
        """Files that could not be used, by source."""
        columns = schema.QUARANTINE_SCHEMA.names
        found = self._retried(lambda: self._pinned(schema.QUARANTINE).scan(columns))
        rows = [QuarantineRow(**row) for row in found.sort_by("source").to_pylist()]
        if not self.hides_paths:
            return rows
        return [
            replace(
                row,
                source=shown_name(row.source),
                message=shown_message(row.message, row.source),
            )
            for row in rows
        ]

    def quarantined_sources(self) -> set[str]:
        """Their names as they are stored."""
        rows = self._retried(lambda: self._pinned(schema.QUARANTINE).scan(["source"]))
        return set(rows["source"].to_pylist())


def _rows(view: KeyedView, space: Space, ids: Ids, *, quality: Sequence[str]) -> SpaceRows:
    """Rows of distinct `ids` of the view, in their order, in arrays of the caller's own."""
    vectors = np.empty((len(ids), space.dim), np.float32)
    columns = {name: np.empty(len(ids), np.float32) for name in quality}
    order = np.argsort(ids)
    for rows in view.take(ids, ["vector", *quality]):
        at = order[np.searchsorted(ids, rows["id"].to_numpy(), sorter=order)]
        vectors[at] = vector_block(rows)
        for name, column in columns.items():
            column[at] = rows[name].to_numpy()
    return SpaceRows(ids, vectors, columns)


def _stored_rows(view: KeyedView, space: Space, ids: Ids) -> SpaceRows:
    """Rows of distinct `ids` of the view, as they lie on disk."""
    columns = ["id", "vector", *space.quality]
    if not len(ids):
        return _rows(view, space, ids, quality=space.quality)
    rows = pa.concat_tables(view.take(ids, columns))
    quality = {name: rows[name].to_numpy() for name in space.quality}
    return SpaceRows(rows["id"].to_numpy(), vector_block(rows), quality)


def _item(row: dict[str, Any], labels: list[str]) -> Item:
    return Item(
        id=row["id"],
        source=row["source"],
        width=row["width"],
        height=row["height"],
        labels={name: row[name] for name in labels if row[name] is not None},
        added_at=row["added_at"].isoformat(timespec="seconds") + "Z",
    )
