"""Damage done behind the store's back is found, named and mended."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import lancedb
import numpy as np
import pyarrow as pa
import pytest

from latentdb.errors import StoreIOError
from latentdb.store import Problem, Store
from latentdb.store.rows import item_table, source_table, vector_table
from latentdb.types import SpaceRows


def raw(store: Store, table: str) -> lancedb.table.Table:
    return lancedb.connect(store.uri).open_table(table)


def mended(store: Store) -> list[Problem]:
    """What is left after mending."""
    with store.mending() as mending:
        mending.mend()
    return store.check()


def kinds(problems: list[Problem]) -> set[tuple[str, str, int]]:
    return {(problem.kind, problem.table, problem.count) for problem in problems}


def test_sound_database_has_no_problems(store):
    assert store.check() == []
    assert mended(store) == []


def test_doubled_rows_are_found_and_one_is_kept(store, batch, noise):
    again = batch([3, 5])
    raw(store, "space_tiny-noise").add(vector_table(again["vectors"][noise.name], noise))
    raw(store, "items").add(item_table(again["items"][:1], {}))
    raw(store, "sources").add(source_table(again["sources"]))
    assert kinds(store.check()) == {
        ("doubled_rows", "space_tiny-noise", 2),
        ("doubled_rows", "items", 1),
        ("doubled_rows", "sources", 2),
    }
    assert store.item_ids().tolist() == [3, 5, 8, 12]
    assert mended(store) == []
    assert store.items([3])[0].labels == {"hat": False, "age": 3}
    assert len(store.metadata(noise.name)) == 4


def test_orphans_are_found_and_removed(store, noise):
    raw(store, "items").delete("id = 3")
    assert kinds(store.check()) == {
        ("orphan_sources", "sources", 1),
        ("orphan_vectors", "space_tiny-clip", 1),
        ("orphan_vectors", "space_tiny-noise", 1),
    }
    assert store.known_sources() == {"hash5": 5, "hash8": 8, "hash12": 12}
    assert mended(store) == []
    assert store.vector_ids(noise.name).tolist() == [5, 8, 12]


def test_items_without_vectors_are_a_note(store, batch):
    store.write_batch(**batch([40]) | {"vectors": {}})
    problems = store.check()
    assert kinds(problems) == {
        ("missing_vectors", "space_tiny-clip", 1),
        ("missing_vectors", "space_tiny-noise", 1),
    }
    assert {problem.severity for problem in problems} == {"note"}


def test_wrong_norms_are_computed_anew(store, noise):
    before = store.metadata(noise.name)["norm"].to_pylist()
    raw(store, "space_tiny-noise").update(where="id = 8", values={"norm": 1e3})
    assert kinds(store.check()) == {("wrong_norm", "space_tiny-noise", 1)}
    assert mended(store) == []
    assert store.metadata(noise.name)["norm"].to_pylist() == before


def test_vector_that_is_not_finite_makes_room_for_the_next_ingest(store, clip):
    table = raw(store, "space_tiny-clip")
    good = vector_table(SpaceRows(np.array([8]), np.ones((1, clip.dim), np.float32)), clip)
    endless = pa.array(np.full(clip.dim, np.inf, np.float16))
    table.delete("id = 8")
    column = pa.FixedSizeListArray.from_arrays(endless, clip.dim)
    table.add(good.set_column(1, good.schema.field("vector"), column))
    assert ("not_finite", "space_tiny-clip", 1) in kinds(store.check())
    assert kinds(mended(store)) == {("missing_vectors", "space_tiny-clip", 1)}


def test_lost_data_file_is_named_and_cannot_be_mended(store):
    shutil.rmtree(Path(store.uri) / "space_tiny-clip.lance" / "data")
    (problem,) = Store.open(store.uri).check()
    assert (problem.kind, problem.table, problem.repairable) == (
        "unreadable",
        "space_tiny-clip",
        False,
    )
    with pytest.raises(StoreIOError, match=r"reading table space_tiny-clip failed: .*Not found"):
        Store.open(store.uri).all_vectors("tiny-clip")


def test_missing_and_unrecorded_tables_are_named(store, noise):
    store._tables.create(
        "space_left", pa.schema([pa.field("id", pa.int64(), nullable=False)]), key="id"
    )
    store._tables.drop("space_tiny-clip")
    assert kinds(store.check()) == {
        ("missing_table", "space_tiny-clip", 1),
        ("unrecorded_table", "space_left", 0),
    }
    assert kinds(mended(store)) == {("missing_table", "space_tiny-clip", 1)}


def test_record_that_was_edited_is_named(store, noise):
    edited = json.dumps(noise.to_json() | {"dim": 9})
    raw(store, "spaces").update(where="name = 'tiny-noise'", values={"record": edited})
    (problem,) = store.check()
    assert problem.kind == "unreadable"
    assert "changed by hand" in problem.detail


def test_columns_of_another_space_are_named(store, noise):
    other = json.dumps(replace(noise, dim=9).to_json())
    raw(store, "spaces").update(where="name = 'tiny-noise'", values={"record": other})
    assert kinds(store.check()) == {("wrong_columns", "space_tiny-noise", 1)}
    assert kinds(mended(store)) == {("wrong_columns", "space_tiny-noise", 1)}
