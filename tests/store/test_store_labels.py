"""Label columns: names, types, missing values."""

from __future__ import annotations

import numpy as np
import pytest

from latentdb.errors import LabelsError, UnknownItemError
from latentdb.types import ItemRow


def test_labels_keep_their_types(store):
    store.set_labels([3, 5], {"ratio": [0.5, 2], "name": ["a", "b"]})
    assert store.label_columns() == {"hat": bool, "age": int, "ratio": float, "name": str}
    kinds = {name: store.labels(name)[1].dtype for name in store.label_columns()}
    assert kinds == {"hat": np.bool_, "age": np.int64, "ratio": np.float64, "name": np.object_}
    assert store.labels("ratio")[1].tolist() == [0.5, 2.0]
    assert store.labels("name")[1].tolist() == ["a", "b"]


def test_items_without_a_label_are_left_out(store, batch):
    store.write_batch(**batch([40], labels=False))
    store.set_labels(np.array([5]), {"hat": [None], "age": [np.int64(7)]})
    ids, values = store.labels("hat")
    assert ids.tolist() == [3, 8, 12]
    assert values.tolist() == [False, True, True]
    assert [item.labels for item in store.items([40, 5])] == [{}, {"age": 7}]


def test_setting_labels_leaves_the_rest_of_the_item(store):
    before = store.items([5, 8])
    store.set_labels([8], {"name": ["x"]})
    after = store.items([5, 8])
    assert after[0] == before[0]
    assert after[1].labels == before[1].labels | {"name": "x"}
    assert store.thumbnail(8) == b"png8"


def test_new_labels_come_with_new_items(store):
    item = ItemRow(40, "40.png", 1, 1, b"", {"fur": "long", "none": None})
    store.write_batch(items=[item], sources=[], vectors={}, quarantine=[])
    assert store.label_columns() == {"hat": bool, "age": int, "fur": str}
    assert store.items([40, 3])[0].labels == {"fur": "long"}


@pytest.mark.parametrize("name", ["id", "Norm", "distance", "a b", "1st", "_x", "psnr", "HAT", "é"])
def test_label_that_cannot_be_a_column_is_named(store, name):
    with pytest.raises(LabelsError, match=rf"cannot be named '{name}' .*rename"):
        store.set_labels([3], {name: [True]})


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("age", 0.5, "column of int, got 0.5 of type float"),
        ("age", True, "column of int, got True of type bool"),
        ("hat", 1, "column of bool, got 1 of type int"),
        ("age", 2**63, "too large for int64"),
        ("age", "old", "got 'old' of type str"),
        ("new", float("nan"), "NaN; use None"),
        ("new", [1], "value of type list"),
    ],
)
def test_value_that_does_not_fit_is_refused(store, column, value, text):
    with pytest.raises(LabelsError, match=text):
        store.set_labels([3], {column: [value]})
    assert store.labels("age")[1].tolist() == [3, 5, 8, 12]
    assert "new" not in store.label_columns()


def test_mixed_types_in_a_new_column_are_refused(store):
    with pytest.raises(LabelsError, match="'x' mixes bool, str"):
        store.set_labels([3, 5], {"x": [True, "yes"]})


def test_labels_must_match_their_ids(store):
    with pytest.raises(LabelsError, match="1 values for 2 ids"):
        store.set_labels([3, 5], {"x": [1]})
    with pytest.raises(LabelsError, match="given twice"):
        store.set_labels([3, 3], {"x": [1, 2]})
    with pytest.raises(UnknownItemError, match="not items of this database: 4"):
        store.set_labels([3, 4], {"x": [1, 2]})


def test_unknown_label_lists_those_there_are(store):
    with pytest.raises(LabelsError, match=r"no label 'hats' .* there are: age, hat"):
        store.labels("hats")


def test_label_of_two_numbers_reads_as_yes_and_no(store):
    store.set_labels([3, 5, 8], {"celeb": [-1, 1, -1], "text": ["a", "b", "a"]})
    ids, values = store.binary_label("celeb")
    assert (ids.tolist(), values.tolist()) == ([3, 5, 8], [False, True, False])
    assert store.binary_label("hat")[1].tolist() == [False, False, True, True]
    with pytest.raises(LabelsError, match="'text' is of text"):
        store.binary_label("text")
    with pytest.raises(LabelsError, match="'age' is of 4 different values"):
        store.binary_label("age")
