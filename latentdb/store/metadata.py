"""What a filter may ask of items, in memory, and grown by the rows that come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
import pyarrow as pa

from latentdb.arrays import is_among
from latentdb.space import Space
from latentdb.store.views import Ids, KeyedView

Shown = Callable[[pa.Table], pa.Table]


@final
@dataclass(frozen=True, eq=False)
class Sources:
    """Where the facts of items come from.

    Parameters
    ----------
    items : KeyedView
    space : Space or None
    rows : KeyedView or None
        Those of the space.
    ids : (n,) int64
        Items that are told of, sorted.
    """

    items: KeyedView
    space: Space | None
    rows: KeyedView | None
    ids: Ids

    @property
    def versions(self) -> tuple[int, int]:
        """Of the two tables."""
        return self.items.pinned.version, 0 if self.rows is None else self.rows.pinned.version

    @property
    def item_columns(self) -> list[str]:
        """Columns of the items, without the small pictures."""
        return [name for name in self.items.pinned.schema.names if name != "thumbnail"]

    @property
    def row_columns(self) -> list[str]:
        """Columns of the space that are asked for."""
        return [] if self.space is None else ["norm", *self.space.quality]

    def has_grown_from(self, before: Sources) -> bool:
        """Whether every row of `before` is there as it was."""
        same_rows = self.rows is None or (
            before.rows is not None and self.rows.origin is before.rows.origin
        )
        return (
            same_rows
            and self.items.origin is before.items.origin
            and self.item_columns == before.item_columns
        )


@final
@dataclass(frozen=True, eq=False)
class Metadata:
    """Everything that a filter may ask of items, as of one version of the tables."""

    sources: Sources
    table: pa.Table

    @classmethod
    def read(cls, sources: Sources, shown: Shown) -> Metadata:
        """By a scan of narrow columns: one to two seconds for a million items."""
        table = shown(_scanned(sources.items, sources.item_columns, sources.ids))
        if sources.rows is not None:
            own = _scanned(sources.rows, ["id", *sources.row_columns], sources.ids)
            table = _beside(table, own, sources.row_columns)
        return cls(sources, table.combine_chunks())

    def grown(self, sources: Sources, shown: Shown) -> Metadata | None:
        """The same of later versions, by reading the rows that came; None where others changed."""
        if not sources.has_grown_from(self.sources):
            return None
        there: Ids = self.table["id"].to_numpy()
        new = sources.ids[~is_among(sources.ids, there)]
        if len(sources.ids) != len(there) + len(new) or len(new) > len(there):
            return None
        table = shown(sources.items.take_ordered(new, sources.item_columns))
        if sources.rows is not None:
            own = sources.rows.take_ordered(new, sources.row_columns)
            table = _beside(table, own, sources.row_columns)
        table = table.select(self.table.column_names).cast(self.table.schema)
        at = np.searchsorted(there, new)
        order = np.insert(np.arange(len(there)), at, len(there) + np.arange(len(new)))
        both = pa.concat_tables([self.table, table]).combine_chunks()
        return Metadata(sources, both.take(pa.array(order)).combine_chunks())


def _scanned(view: KeyedView, columns: list[str], ids: Ids) -> pa.Table:
    """Rows of `ids` (sorted, in the view) by one scan of narrow columns."""
    rows = view.pinned.scan(columns)
    unique, first = np.unique(rows["id"].to_numpy(), return_index=True)
    return rows.take(pa.array(first[np.searchsorted(unique, ids)])).select(columns)


def _beside(table: pa.Table, own: pa.Table, columns: list[str]) -> pa.Table:
    for name in columns:
        table = table.append_column(name, own[name])
    return table
