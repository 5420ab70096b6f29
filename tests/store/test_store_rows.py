"""Rows in and rows out."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from indexers.errors import DimensionError, DuplicateIdError, IdError, NonFiniteError
from latentdb.errors import (
    SpaceExistsError,
    SpaceMismatchError,
    SpaceSpecError,
    UnknownItemError,
    UnknownSpaceError,
)
from latentdb.store import Store
from latentdb.store.schema import space_schema
from latentdb.types import ItemRow, QuarantineRow, SourceRow, SpaceRows


def test_spaces_come_back_as_they_were_added(empty_store, noise, clip):
    assert Store.open(empty_store.uri).spaces() == {noise.name: noise, clip.name: clip}
    assert list(empty_store.spaces()) == [noise.name, clip.name]
    with pytest.raises(UnknownSpaceError, match="there are: tiny-clip, tiny-noise"):
        empty_store.space("sd15")


def test_space_of_one_name_and_other_settings_is_refused(store, noise):
    store.add_space(noise)
    with pytest.raises(SpaceExistsError, match=r"other settings; .*steps: 3 → 4"):
        store.add_space(replace(noise, settings={"steps": 4}))
    with pytest.raises(SpaceExistsError, match="quality columns"):
        store.add_space(replace(noise, quality=()))
    assert len(store.vector_ids(noise.name)) == 4


def test_space_keeps_the_quality_columns_it_was_made_with(store, batch, noise):
    store.add_space(replace(noise, quality=(*noise.quality, "newer")))
    rows = batch([30])
    made = rows["vectors"][noise.name]
    more = SpaceRows(made.ids, made.vectors, {**made.quality, "newer": np.ones(1, np.float32)})
    store.write_batch(**rows | {"vectors": {noise.name: more}})
    assert store.space(noise.name).quality == noise.quality
    assert 30 in store.vector_ids(noise.name)


@pytest.mark.parametrize(
    "change", [{"name": "A b"}, {"quality": ("norm",)}, {"quality": ("a", "A")}, {"dim": 0}]
)
def test_space_that_cannot_be_stored_is_refused(empty_store, noise, change):
    with pytest.raises(SpaceSpecError, match=r"cannot|at least 1"):
        empty_store.add_space(replace(noise, **{"name": "other"} | change))
    assert len(empty_store.spaces()) == 2


def test_space_table_without_record_is_replaced(empty_store, noise):
    other = replace(noise, name="other")
    empty_store._tables.create("space_other", space_schema(replace(noise, dim=3)), key="id")
    empty_store.add_space(other)
    assert list(empty_store.vector_ids("other")) == []


def test_ids_are_sorted(store, noise):
    assert store.item_ids().tolist() == store.vector_ids(noise.name).tolist() == [3, 5, 8, 12]


def test_items_come_in_the_order_asked(store):
    items = store.items([12, 3, 12])
    assert [item.id for item in items] == [12, 3, 12]
    assert (items[1].source, items[1].width, items[1].height) == ("3.png", 3, 4)
    assert items[0].labels == {"hat": True, "age": 12}
    assert items[0].added_at.endswith("Z")
    assert store.thumbnail(5) == b"png5"


def test_unknown_items_are_named(store, noise):
    with pytest.raises(UnknownItemError, match="2 ids are not items of this database: 4, 99"):
        store.items([3, 99, 4])
    with pytest.raises(UnknownItemError, match="not items with a vector in space 'tiny-noise': 4"):
        store.vectors(noise.name, [4, 3])
    with pytest.raises(UnknownItemError, match="7"):
        store.thumbnail(7)


def test_vectors_come_in_the_order_asked(store, batch, noise, clip):
    wanted = [12, 3, 5, 3]
    expected = batch(wanted)["vectors"]
    assert np.array_equal(store.vectors(noise.name, wanted), expected[noise.name].vectors)
    halves = expected[clip.name].vectors.astype(np.float16)
    assert np.array_equal(store.vectors(clip.name, wanted), halves)
    assert store.vectors(noise.name, []).shape == (0, noise.dim)


def test_all_vectors_are_sorted_and_the_callers_own(store, batch, noise):
    rows, expected = store.all_vectors(noise.name), batch([3, 5, 8, 12])["vectors"][noise.name]
    assert np.array_equal(rows.ids, expected.ids)
    assert np.array_equal(rows.vectors, expected.vectors)
    assert np.array_equal(rows.quality["psnr"], expected.quality["psnr"])
    rows.vectors[:] = 0
    rows.ids[:] = 0
    assert np.array_equal(store.all_vectors(noise.name).vectors, expected.vectors)


def test_iterated_rows_are_all_rows(store, noise):
    parts = list(store.iter_vectors(noise.name, batch_rows=3))
    assert [len(part.ids) for part in parts] == [3, 1]
    together = np.concatenate([part.vectors for part in parts])
    ids = np.concatenate([part.ids for part in parts])
    assert np.array_equal(together, store.vectors(noise.name, ids))


def test_empty_space_gives_empty_arrays(empty_store, noise):
    rows = empty_store.all_vectors(noise.name)
    assert rows.vectors.shape == (0, noise.dim)
    assert list(empty_store.iter_vectors(noise.name)) == []
    assert empty_store.items([]) == []
    assert empty_store.metadata(noise.name).num_rows == 0


def test_same_batch_again_changes_nothing(store, batch, noise):
    before = store.all_vectors(noise.name)
    again = batch([8, 3, 12, 5])
    rows = again["vectors"][noise.name]
    again["vectors"][noise.name] = SpaceRows(rows.ids, rows.vectors + 1, rows.quality)
    store.write_batch(**again)
    assert np.array_equal(store.all_vectors(noise.name).vectors, before.vectors)
    assert len(store.metadata(None)) == 4
    assert store.check() == []


def test_vectors_count_only_once_their_items_are_there(store, batch, noise):
    ahead = batch([20])
    store.write_batch(**ahead | {"items": [], "sources": []})
    assert 20 not in store.vector_ids(noise.name)
    assert 20 not in store.all_vectors(noise.name).ids
    store.write_batch(**ahead)
    assert 20 in store.vector_ids(noise.name)


def test_new_space_is_filled_for_old_items(store, noise):
    store.add_space(replace(noise, name="later", quality=()))
    rows = SpaceRows(np.array([5]), np.ones((1, noise.dim), np.float32))
    version = store.version(noise.name)
    store.write_batch(items=[], sources=[], vectors={"later": rows}, quarantine=[])
    assert store.vector_ids("later").tolist() == [5]
    assert store.version(noise.name) == version


def test_sources_lead_to_items_by_content(store):
    moved = SourceRow("3.png", "hash-new", 5)
    store.write_batch(items=[], sources=[moved], vectors={}, quarantine=[])
    known = store.known_sources()
    assert known == {"hash-new": 5, "hash5": 5, "hash8": 8, "hash12": 12}


def test_file_used_after_all_leaves_quarantine(store):
    bad = [
        QuarantineRow("it's.png", "h1", "empty", "no bytes"),
        QuarantineRow("b", "", "unreadable", "?"),
    ]
    store.write_batch(items=[], sources=[], vectors={}, quarantine=bad)
    store.write_batch(items=[], sources=[], vectors={}, quarantine=bad)
    assert store.quarantined() == sorted(bad, key=lambda row: row.source)
    store.write_batch(items=[], sources=[SourceRow("it's.png", "h2", 3)], vectors={}, quarantine=[])
    assert [row.source for row in store.quarantined()] == ["b"]


def test_delete_removes_items_sources_and_vectors(store, noise, clip):
    assert store.delete([3, 8, 99]) == 2
    assert store.item_ids().tolist() == store.vector_ids(clip.name).tolist() == [5, 12]
    assert store.known_sources() == {"hash5": 5, "hash12": 12}
    assert len(store._tables.pin("space_tiny-noise").scan(["id"])) == 2
    assert store.check() == []


def test_bad_rows_are_refused_before_anything_is_written(store, batch, noise):
    good = batch([30, 31])
    rows = good["vectors"][noise.name]
    nan = rows.vectors * np.nan
    cases = [
        (SpaceRows(rows.ids, rows.vectors[:, :7], rows.quality), DimensionError, "dimension 8"),
        (SpaceRows(rows.ids, nan, rows.quality), NonFiniteError, "such as that of item 30"),
        (SpaceRows(rows.ids, rows.vectors, {}), SpaceMismatchError, "quality columns"),
        (SpaceRows(rows.ids * 0, rows.vectors, rows.quality), DuplicateIdError, "such as 0"),
        (SpaceRows(-rows.ids, rows.vectors, rows.quality), IdError, "not negative, got -31"),
    ]
    for bad, error, text in cases:
        with pytest.raises(error, match=text):
            store.write_batch(**good | {"vectors": {noise.name: bad}})
    assert len(store.item_ids()) == 4 == len(store._tables.pin("space_tiny-noise").scan(["id"]))


def test_vector_too_large_for_float16_is_refused(store, clip):
    rows = SpaceRows(np.array([3]), np.full((1, clip.dim), 1e6, np.float32))
    with pytest.raises(NonFiniteError, match="not finite as float16"):
        store.write_batch(items=[], sources=[], vectors={clip.name: rows}, quarantine=[])


def test_item_twice_in_a_batch_is_refused(store):
    item = ItemRow(40, "a", 1, 1, b"")
    with pytest.raises(DuplicateIdError, match="such as 40"):
        store.write_batch(items=[item, item], sources=[], vectors={}, quarantine=[])


def test_largest_id_survives(store, batch):
    store.write_batch(**batch([2**63 - 1], labels=False))
    assert store.items([2**63 - 1])[0].id == 2**63 - 1
    assert store.delete([2**63 - 1]) == 1


def test_metadata_joins_labels_and_quality_of_a_space(store, noise):
    table = store.metadata(noise.name)
    columns = ["id", "source", "width", "height", "added_at", "hat", "age", "norm", "psnr"]
    assert table.column_names == columns
    assert table["id"].to_pylist() == [3, 5, 8, 12]
    norms = np.linalg.norm(store.all_vectors(noise.name).vectors.astype(np.float64), axis=1)
    assert np.allclose(table["norm"].to_numpy(), norms, rtol=1e-6)
    assert table["psnr"].to_pylist() == [3, 5, 8, 12]
    assert "norm" not in store.metadata(None).column_names
    assert store.metadata(noise.name) is table


def test_other_process_commits_are_seen_at_once(store, batch, noise):
    reader = Store.open(store.uri)
    assert len(reader.metadata(noise.name)) == 4
    store.write_batch(**batch([40]))
    assert 40 in reader.item_ids()
    assert len(reader.metadata(noise.name)) == 5
    store.compact()
    assert reader.vectors(noise.name, [40]).shape == (1, noise.dim)


def test_read_begun_before_compaction_ends_after_it(store, batch, noise):
    rows = Store.open(store.uri).iter_vectors(noise.name, batch_rows=1)
    ids = [int(next(rows).ids[0])]
    store.write_batch(**batch([40]))
    store.delete([3])
    store.compact()
    ids += [int(one) for part in rows for one in part.ids]
    assert sorted(ids) in ([5, 8, 12], [3, 5, 8, 12])


def test_threads_read_while_one_writes(empty_store, batch, noise):
    done = threading.Event()

    def read() -> int:
        reads = 0
        while not done.is_set() or not reads:
            ids = empty_store.vector_ids(noise.name)
            expected = batch(ids)["vectors"][noise.name].vectors if len(ids) else []
            assert np.array_equal(
                empty_store.vectors(noise.name, ids)[:, 0], [v[0] for v in expected]
            )
            reads += 1
        return reads

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        for start in range(0, 100, 10):
            empty_store.write_batch(**batch(range(start, start + 10)))
        empty_store.compact()
        done.set()
        assert all(reader.result() for reader in readers)
    assert len(empty_store.item_ids()) == 100


def test_compaction_leaves_the_live_rows_alone_on_disk(empty_store):
    def disk_bytes() -> int:
        return sum(path.stat().st_size for path in empty_store.path.rglob("*") if path.is_file())

    for number in range(70):
        row = QuarantineRow("one.png", f"{number}", "empty", "x" * 1000)
        empty_store.write_batch(items=[], sources=[], vectors={}, quarantine=[row])
    # Tidied by itself at the 64th commit, so a few pieces are left.
    assert empty_store._tables.table("quarantine").fragments() < 10
    torn = empty_store.path / "quarantine.lance" / "data" / "left-by-a-killed-writer.lance"
    torn.write_bytes(b"x" * 1_000_000)
    empty_store.compact()
    assert not torn.exists()
    assert empty_store.quarantined() == [row]
    assert disk_bytes() < 100_000


def test_items_read_often_come_from_memory_unchanged(store):
    first = store.items([12, 3])
    assert all(store.items([12, 3]) == first for _ in range(20))
    store.set_labels([3], {"age": [77]})
    assert store.items([3])[0].labels["age"] == 77
