"""Which questions the labels answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_spaces import make_db

from latentdb.report.attributes import Attribute, read_attributes

N = 120
Read = Callable[[Mapping[str, Sequence[Any]]], tuple[list[Attribute], list[str]]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def of(
        labels: Mapping[str, Sequence[Any]], limit: int = 40
    ) -> tuple[list[Attribute], list[str]]:
        db = make_db(tmp_path / "a.ldb", {"s": ("embedding", np.eye(N)[:, :4])}, labels)
        return read_attributes(db.store, db.store.item_ids(), limit=limit)

    return of


def test_booleans_and_numbers_of_two_values_are_attributes(read: Read) -> None:
    found, notes = read({"hat": [i < 50 for i in range(N)], "side": [i % 2 + 5 for i in range(N)]})
    assert [one.name for one in found] == ["hat", "side"]
    assert found[0].values.sum() == 50
    assert found[1].values.tolist() == [i % 2 == 1 for i in range(N)]
    assert notes == []


def test_a_class_is_an_attribute_against_the_rest(read: Read) -> None:
    found, _ = read({"kind": ["cat", "dog", "owl"] * 40})
    assert [one.name for one in found] == ["kind: cat", "kind: dog", "kind: owl"]
    assert found[1].values.tolist() == [False, True, False] * 40


def test_of_two_classes_one_is_an_attribute(read: Read) -> None:
    assert [one.name for one in read({"kind": ["cat", "dog"] * 60})[0]] == ["kind: dog"]


def test_numbers_that_say_what_text_says_are_left_out(read: Read) -> None:
    found, _ = read({"label": [0, 1, 2] * 40, "label_name": ["cat", "dog", "owl"] * 40})
    assert [one.name for one in found] == [f"label_name: {name}" for name in ("cat", "dog", "owl")]


def test_captions_measures_and_the_rare_are_left_out_and_said(read: Read) -> None:
    found, notes = read(
        {
            "caption": [f"picture {i}" for i in range(N)],
            "weight": [i / 7 for i in range(N)],
            "seldom": [i < 24 for i in range(N)],
        }
    )
    assert found == []
    assert "on one side: seldom." in notes[0]
    assert "of more than 20 values: caption, weight." in notes[1]


def test_more_attributes_than_the_limit_are_named(tmp_path: Path) -> None:
    labels = {f"a{k}": [i % (k + 2) == 0 for i in range(N)] for k in range(3)}
    db = make_db(tmp_path / "b.ldb", {"s": ("embedding", np.eye(N)[:, :4])}, labels)
    found, notes = read_attributes(db.store, db.store.item_ids(), limit=2)
    assert [one.name for one in found] == ["a0", "a1"]
    assert notes == ["Not probed, beyond the first 2: a2."]


def test_items_without_the_label_are_not_known(read: Read) -> None:
    (one,), _ = read({"hat": [None if i < 30 else i % 2 == 0 for i in range(N)]})
    values, is_known = one.of(np.array([1, 30, 31, 32]))
    assert is_known.tolist() == [False, False, True, True]
    assert values.tolist() == [False, False, True, False]
    assert not one.of(np.array([9999]))[1].any()
