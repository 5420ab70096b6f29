"""Items as columns in memory, from which a few are made in microseconds.

Arrow makes a row by way of a table, which costs as much as a search of a graph. Here numbers are
NumPy arrays and a text is cut out of the buffer that holds them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias, final

import numpy as np
import pyarrow as pa

from latentdb.errors import LabelsError
from latentdb.store.views import Ids, places_among
from latentdb.types import Item, LabelValue

# Name of an item, and its labels, the caller's own.
Told: TypeAlias = tuple[str, dict[str, LabelValue]]
_Read: TypeAlias = Callable[[Ids], list[Any]]
_FACTS: Final = ("source", "width", "height", "added_at")


@final
class ItemColumns:
    """What is told of items, by id.

    Parameters
    ----------
    table : pyarrow.Table
        Sorted by id: id, source, width, height, added_at and the labels.
    labels : list of str
        Names of its label columns.
    """

    def __init__(self, table: pa.Table, labels: list[str]) -> None:
        self._ids: Ids = table["id"].to_numpy()
        # In one piece each however long all texts together are.
        self._whole = {name: _whole(table[name]) for name in (*_FACTS, *labels)}
        self._source = _texts(self._whole["source"])
        self._sizes = [table[name].to_numpy() for name in ("width", "height")]
        self._added_at = table["added_at"].to_numpy()
        self._labels = {name: _values(self._whole[name]) for name in labels}

    def items(self, ids: Ids) -> list[Item]:
        """Items in the order asked for; UnknownItemError names ids that are none."""
        at = self._places(ids)
        if not len(at):
            return []
        widths, heights = (sizes[at].tolist() for sizes in self._sizes)
        added_at = np.datetime_as_string(self._added_at[at], unit="s").tolist()
        facts = zip(
            ids.tolist(),
            self._source(at),
            widths,
            heights,
            self._labels_of(at),
            added_at,
            strict=True,
        )
        return [
            Item(item_id, source, width, height, labels, f"{time}Z")
            for item_id, source, width, height, labels, time in facts
        ]

    def told(self, ids: Ids) -> Iterator[Told]:
        """Names and labels alone, in the order asked for; errors as of `items`."""
        at = self._places(ids)
        return zip(self._source(at), self._labels_of(at), strict=True)

    def rows(self, ids: Ids, columns: Sequence[str]) -> pa.RecordBatch:
        """Columns of items, in the order asked for; nulls where an id is −1.

        Raises
        ------
        LabelsError
            There is no such column; the text names those there are.
        UnknownItemError
        """
        for name in columns:
            if name not in self._whole:
                raise LabelsError(
                    f"items have no column {name!r}; they have {', '.join(sorted(self._whole))}"
                )
        batch = pa.RecordBatch.from_arrays([self._whole[name] for name in columns], list(columns))
        is_padding = ids < 0
        if not is_padding.any():
            return batch.take(pa.array(self._places(ids)))
        at = np.zeros(len(ids), np.int64)
        at[~is_padding] = self._places(ids[~is_padding])
        return batch.take(pa.array(at, mask=is_padding))

    def _places(self, ids: Ids) -> Ids:
        return places_among(ids, self._ids, "items of this database")

    def _labels_of(self, at: Ids) -> list[dict[str, LabelValue]]:
        """Labels of each, those without a value left out."""
        found: list[dict[str, LabelValue]] = [{} for _ in range(len(at))]
        for name, read in self._labels.items():
            for labels, value in zip(found, read(at), strict=True):
                if value is not None:
                    labels[name] = value
        return found


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece; of texts with offsets that reach over all of them."""
    if pa.types.is_string(column.type):
        column = column.cast(pa.large_string())
    return column.combine_chunks()


def _values(column: pa.Array) -> _Read:
    """Reads values of a column by their places; None where there is none."""
    if not len(column) or column.null_count == len(column):
        return lambda at: [None] * len(at)
    if pa.types.is_large_string(column.type):
        return _texts(column)
    values = column.fill_null(False if pa.types.is_boolean(column.type) else 0)
    values = values.to_numpy(zero_copy_only=False)
    if not column.null_count:
        return lambda at: values[at].tolist()
    is_there = column.is_valid().to_numpy(zero_copy_only=False)
    return lambda at: [
        value if there else None
        for value, there in zip(values[at].tolist(), is_there[at].tolist(), strict=True)
    ]


def _texts(column: pa.Array) -> _Read:
    """Reads texts of a column by their places; None where there is none."""
    _, offsets, data = column.buffers()
    starts = np.frombuffer(offsets, np.int64)[column.offset :]
    is_there = column.is_valid().to_numpy(zero_copy_only=False) if column.null_count else None
    written = memoryview(b"" if data is None else data)

    def read(at: Ids) -> list[Any]:
        ends = zip(starts[at].tolist(), starts[at + 1].tolist(), strict=True)
        texts: list[Any] = [str(written[start:end], "utf-8") for start, end in ends]
        if is_there is None:
            return texts
        there = is_there[at].tolist()
        return [text if one else None for text, one in zip(texts, there, strict=True)]

    return read
