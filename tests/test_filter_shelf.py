"""Filters that are asked again are not evaluated again, and never answer for other items."""

from __future__ import annotations

import numpy as np
import pytest

import latentdb
from latentdb import filter_shelf
from latentdb.errors import FilterError
from latentdb.space import Space
from latentdb.types import ItemRow, SpaceRows

SPACE = "vectors"


@pytest.fixture
def db(tmp_path):
    made = latentdb.create(tmp_path / "f.ldb")
    made.store.add_space(Space(SPACE, "embedding", 4, spec="none", settings={}))
    write(made, range(40))
    return made


def write(db, ids) -> None:
    items = [ItemRow(i, f"{i}.png", 1, 1, b"", {"even": i % 2 == 0}) for i in ids]
    vectors = np.random.default_rng(0).standard_normal((len(items), 4)).astype(np.float32)
    rows = SpaceRows(np.array(ids, np.int64), vectors)
    db.store.write_batch(items=items, sources=[], vectors={SPACE: rows}, quarantine=[])


def test_a_filter_is_kept_until_an_item_comes_or_changes(db):
    filters = db.catalog.filters
    kept = filters.get("even", SPACE)
    assert filters.get("even", SPACE) is kept
    write(db, range(40, 44))
    assert filters.get("even", SPACE).ids.tolist() == list(range(0, 44, 2))
    db.store.set_labels([1], {"even": [True]})
    assert 1 in filters.get("even", SPACE).ids


def test_a_search_sees_labels_of_another_process_at_once(db):
    asked = {"vector": np.ones(4, np.float32), "space": SPACE, "where": "even", "k": 40}
    assert len(db.search(**asked).hits) == 20
    latentdb.open(db.uri).store.set_labels([3, 5], {"even": [True, True]})
    assert len(db.search(**asked).hits) == 22


def test_energies_are_asked_for_each_time(db):
    db.energy(SPACE)
    one, other = (db.catalog.filters.get("energy_z < 9", SPACE) for _ in range(2))
    assert one is not other
    assert one.ids.tolist() == other.ids.tolist()


def test_a_refused_filter_is_refused_again(db):
    for _ in range(2):
        with pytest.raises(FilterError, match="no column 'odd'"):
            db.catalog.filters.get("odd", SPACE)


def test_the_filter_that_was_not_asked_the_longest_goes_first(db, monkeypatch):
    monkeypatch.setattr(filter_shelf, "_MOST", 2)
    filters = db.catalog.filters
    first, second = filters.get("id < 1", SPACE), filters.get("id < 2", SPACE)
    assert filters.get("id < 1", SPACE) is first
    filters.get("id < 3", SPACE)
    assert filters.get("id < 1", SPACE) is first
    assert filters.get("id < 2", SPACE) is not second
