"""Everything that is written, in an order that a kill at any moment cannot turn into loss.

A batch: the vectors of every space, then the items (the commit point: only now do the vectors
count), then the sources (only now does the next run pass the files over), then quarantine.
Every commit keeps rows that are there, so the same batch again changes nothing.

A deletion goes the other way: sources, items (the pictures are gone), vectors. A kill in
between leaves files that the next run looks at again, or vectors that no item shows, which
`repair` removes; never a source that vouches for a picture that is not there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

import numpy as np
import pyarrow as pa

from latentdb.arrays import is_among
from latentdb.errors import LabelsError
from latentdb.store import schema
from latentdb.store.doubled import remove_doubled
from latentdb.store.known_keys import KnownIds, KnownNames
from latentdb.store.labels import label_arrays
from latentdb.store.reads import Reader
from latentdb.store.registry import SpaceRegistry
from latentdb.store.rows import (
    item_table,
    quarantine_table,
    source_table,
    vector_table,
)
from latentdb.store.tables import Tables
from latentdb.store.upkeep import Upkeep
from latentdb.store.views import Ids, require_among
from latentdb.types import ItemRow, LabelValue, QuarantineRow, SourceRow, SpaceRows


@final
class Writer:
    """Writes to one database; the caller holds the writer's lock."""

    def __init__(
        self, tables: Tables, *, registry: SpaceRegistry, reader: Reader, upkeep: Upkeep
    ) -> None:
        self._tables = tables
        self._registry = registry
        self._reader = reader
        self._upkeep = upkeep
        self._ids = KnownIds(tables)
        self._names = KnownNames(tables, schema.SOURCES, "source")

    def batch(
        self,
        items: Sequence[ItemRow],
        *,
        sources: Sequence[SourceRow],
        vectors: Mapping[str, SpaceRows],
        quarantine: Sequence[QuarantineRow],
    ) -> None:
        """Write a batch; everything is checked before anything is written."""
        spaces = {name: self._registry.get(name) for name in vectors}
        blocks = {name: vector_table(rows, spaces[name]) for name, rows in vectors.items()}
        item_rows = self._item_rows(items)
        source_rows, refused = source_table(sources), quarantine_table(quarantine)
        for name, block in blocks.items():
            self._insert(schema.space_table(name), block)
        self._insert(schema.ITEMS, item_rows)
        if len(source_rows):
            self._note_sources(source_rows)
            self._release([row.source for row in sources])
        if len(refused):
            self._upsert(schema.QUARANTINE, refused, ("content_hash", "reason", "message"))

    def _item_rows(self, items: Sequence[ItemRow]) -> pa.Table:
        """Arrow table of items; label columns that are new are added to the database."""
        names = list(dict.fromkeys(name for item in items for name in item.labels))
        labels = self._typed({name: [item.labels.get(name) for item in items] for name in names})
        table = item_table(items, labels)
        self._add_label_columns(labels)
        return table

    def _typed(self, columns: Mapping[str, Sequence[LabelValue]]) -> dict[str, pa.Array]:
        if not columns:
            return {}
        return label_arrays(
            columns,
            existing=self._reader.label_columns(),
            taken=self._registry.quality_columns(),
        )

    def _add_label_columns(self, labels: Mapping[str, pa.Array]) -> None:
        there = self._reader.label_columns() if labels else {}
        new = [pa.field(name, a.type) for name, a in labels.items() if name not in there]
        if new:
            self._tables.table(schema.ITEMS).add_columns(new)

    def _insert(self, table: str, rows: pa.Table) -> None:
        """Append the rows whose id is not there yet."""
        if not len(rows):
            return
        there = self._ids.now(table)
        new = rows.filter(pa.array(~is_among(rows["id"].to_numpy(), there.ids)))
        self._append(table, new, since=there.pinned.version)

    def _note_sources(self, rows: pa.Table) -> None:
        """Append sources of names that are new; replace those that are there and differ."""
        is_there, version = self._names.among(rows["source"].to_pylist())
        new, there = rows.filter(pa.array(~is_there)), rows.filter(pa.array(is_there))
        self._append(schema.SOURCES, new, since=version)
        self._names.appended(new["source"].to_pylist())
        if len(there):
            self._upsert(schema.SOURCES, there, ("content_hash", "id"))

    def _append(self, table: str, rows: pa.Table, *, since: int) -> None:
        """Append rows whose keys were not there in version `since`.

        Should another process have written meanwhile, without the lock, the later of the two takes
        back what both wrote.
        """
        if not len(rows):
            return
        if self._tables.table(table).append(rows) != since + 1:
            remove_doubled(self._tables, table, schema.KEYS.get(table, "id"))
        self._upkeep.committed(table, len(rows))

    def _upsert(self, table: str, rows: pa.Table, unless_equal: Sequence[str]) -> None:
        writable = self._tables.table(table)
        writable.upsert(rows, key=schema.KEYS[table], unless_equal=unless_equal)
        self._upkeep.committed(table, len(rows))

    def _release(self, sources: Sequence[str]) -> None:
        """Take files out of quarantine that have been used after all."""
        refused = self._reader.quarantined_sources()
        used = sorted(refused.intersection(sources))
        self._tables.table(schema.QUARANTINE).delete_among("source", used)

    def set_labels(self, ids: Ids, labels: Mapping[str, Sequence[LabelValue]]) -> None:
        """Set labels of items; None makes a value missing."""
        for name, values in labels.items():
            if len(values) != len(ids):
                raise LabelsError(f"label {name!r} has {len(values)} values for {len(ids)} ids")
        if len(np.unique(ids)) != len(ids):
            raise LabelsError("an id is given twice; give each item's labels once")
        require_among(ids, self._reader.item_ids(), "items of this database")
        arrays = self._typed(labels)
        if not len(ids) or not arrays:
            return
        self._add_label_columns(arrays)
        key = schema.ITEMS_SCHEMA.field("id")
        fields = [key, *(pa.field(name, values.type) for name, values in arrays.items())]
        rows = pa.table([pa.array(ids), *arrays.values()], schema=pa.schema(fields))
        self._tables.table(schema.ITEMS).update(rows, key="id")
        self._upkeep.committed(schema.ITEMS, len(rows))

    def delete(self, ids: Ids) -> int:
        """Delete items with their sources and vectors; the number of items deleted."""
        spaces = [schema.space_table(name) for name in self._registry.all()]
        deleted = 0
        for table in (schema.SOURCES, schema.ITEMS, *spaces):
            gone = self._tables.table(table).delete_among("id", np.unique(ids))
            deleted += gone if table == schema.ITEMS else 0
        return deleted
