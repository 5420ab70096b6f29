"""`items.parquet`: the items behind exported vectors, with their labels and small pictures."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from latentdb.arrays import IdArray
from latentdb.errors import PictureError, SourceError
from latentdb.ingest.decode import decode_picture
from latentdb.interchange.items import ROWS_AT_ONCE, AbstractItems, Entry
from latentdb.interchange.parquet_file import open_parquet
from latentdb.store import Store
from latentdb.types import ItemRow

ITEMS_FILE = "items.parquet"
_FIELDS = [
    pa.field("id", pa.int64(), nullable=False),
    pa.field("source", pa.string(), nullable=False),
    pa.field("width", pa.int32(), nullable=False),
    pa.field("height", pa.int32(), nullable=False),
    pa.field("thumbnail", pa.binary(), nullable=False),
]
_OWN = [field.name for field in _FIELDS]


@final
class ItemsFile(AbstractItems):
    """The items of an export; its rows are those of vectors without ids of their own.

    Parameters
    ----------
    path : Path

    Raises
    ------
    SourceError
        The file is not one that `export` wrote.
    """

    def __init__(self, path: Path) -> None:
        self._file = open_parquet(path)
        schema: pa.Schema = self._file.schema_arrow
        if wrong := [field.name for field in _FIELDS if field not in list(schema)]:
            raise SourceError(f"{path} lacks {', '.join(wrong)} as export writes them")
        self.n, self.origin = self._file.metadata.num_rows, str(path)
        self.ids: IdArray = self._file.read(columns=["id"])["id"].to_numpy()
        if len(np.unique(self.ids)) < self.n or int(self.ids.min(initial=0)) < 0:
            raise SourceError(f"{path}: an id is negative, or there twice")
        self.labels = self._file.read(columns=[n for n in schema.names if n not in _OWN])

    def batches(self, known: AbstractSet[int]) -> Iterator[list[Entry]]:
        """The items some hundred at a time."""
        columns = self._file.schema_arrow.names
        for batch in self._file.iter_batches(batch_size=ROWS_AT_ONCE, columns=columns):
            yield [_entry(row, known) for row in batch.to_pylist()]


def write_items(path: Path, store: Store, ids: IdArray) -> None:
    """Write the items `ids` in their order, with labels and small pictures."""
    table = item_labels(store, ids, ["id", "source", "width", "height"])
    labels = [field for field in table.schema if field.name not in _OWN]
    schema = pa.schema([*_FIELDS, *labels])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for start in range(0, len(ids), ROWS_AT_ONCE):
            rows = table.slice(start, ROWS_AT_ONCE)
            small = store.thumbnails(ids[start : start + ROWS_AT_ONCE])
            rows = rows.add_column(4, _FIELDS[4], pa.array(small, pa.binary()))
            writer.write_table(rows.cast(schema), row_group_size=ROWS_AT_ONCE)


def item_labels(store: Store, ids: IdArray, columns: list[str]) -> pa.Table:
    """`columns` of the items `ids`, in their order, and every label."""
    table = store.metadata(None)
    at = np.searchsorted(table["id"].to_numpy(), ids)
    chosen: pa.Table = table.select([*columns, *store.label_columns()]).take(pa.array(at))
    return chosen


def _entry(row: dict[str, Any], known: AbstractSet[int]) -> Entry:
    """One row; a small picture that cannot be decoded is left out.

    What is stored of an item is shown to others, who have not chosen this file.
    """
    labels = {name: value for name, value in row.items() if name not in _OWN}
    item_id, thumbnail = int(row["id"]), bytes(row["thumbnail"])
    if item_id in known:
        return Entry(item_id, labels)
    width, height = int(row["width"]), int(row["height"])
    try:
        if width:
            decode_picture(thumbnail, min_side=1)
    except PictureError:
        width = 0
    if width <= 0 or height <= 0:
        return Entry(item_id, labels, ItemRow(item_id, row["source"], 0, 0, b"", labels))
    return Entry(item_id, labels, ItemRow(item_id, row["source"], width, height, thumbnail, labels))
