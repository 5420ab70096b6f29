"""Items made from columns are those that Arrow would make."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentdb.errors import UnknownItemError
from latentdb.store.item_columns import ItemColumns
from latentdb.types import Item

LABELS = {"hat": pa.bool_(), "count": pa.int64(), "score": pa.float64(), "name": pa.string()}


def table_of(labels: list[tuple]) -> pa.Table:
    n = len(labels)
    values = list(zip(*labels, strict=True)) if n else [()] * len(LABELS)
    return pa.table(
        {
            "id": pa.array(range(1, 3 * n, 3), pa.int64()),
            "source": pa.array([f"ä{i}.png" for i in range(n)], pa.string()),
            "width": pa.array([i + 1 for i in range(n)], pa.int32()),
            "height": pa.array([2 * i for i in range(n)], pa.int32()),
            "added_at": pa.array([61_000_007 * i for i in range(n)], pa.int64()).cast(
                pa.timestamp("us")
            ),
            **{name: pa.array(v, t) for v, (name, t) in zip(values, LABELS.items(), strict=True)},
        }
    )


def expected(row: dict) -> Item:
    labels = {name: row[name] for name in LABELS if row[name] is not None}
    added_at = row["added_at"].isoformat(timespec="seconds") + "Z"
    return Item(row["id"], row["source"], row["width"], row["height"], labels, added_at)


values = st.tuples(
    st.none() | st.booleans(),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.floats(allow_nan=False),
    st.none() | st.text(max_size=5),
)


@settings(deadline=None)
@given(st.lists(values, max_size=9), st.data())
def test_items_are_those_of_the_rows_in_the_order_asked(labels, data):
    table = table_of(labels)
    rows = {row["id"]: row for row in table.to_pylist()}
    ids = data.draw(st.lists(st.sampled_from(list(rows)), max_size=6)) if rows else []
    found = ItemColumns(table, list(LABELS)).items(np.array(ids, np.int64))
    assert found == [expected(rows[one]) for one in ids]
    for item in found:
        for name, value in item.labels.items():
            assert type(value) is type(rows[item.id][name])


def test_columns_in_several_pieces_are_read_as_one():
    pieces = [table_of([(True, 1, 0.5, "a")]), table_of([(None, 2, None, "ö")] * 3).slice(1)]
    table = pa.concat_tables(pieces)
    assert [
        item.labels.get("name")
        for item in ItemColumns(table, list(LABELS)).items(table["id"].to_numpy())
    ] == ["a", "ö", "ö"]


@pytest.mark.parametrize("count", [0, 2])
def test_ids_that_are_no_items_are_named(count):
    columns = ItemColumns(table_of([(True, 1, 0.5, "a")] * count), [])
    with pytest.raises(UnknownItemError, match="2 ids are not items of this database: 5, 9"):
        columns.items(np.array([9, 1, 5] if count else [9, 5]))


def test_names_and_labels_are_those_of_the_items():
    columns = ItemColumns(table_of([(True, 1, None, "a"), (None, 2, 0.5, None)]), list(LABELS))
    ids = np.array([4, 1, 4])
    told = [(item.source, item.labels) for item in columns.items(ids)]
    assert list(columns.told(ids)) == told
