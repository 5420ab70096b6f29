"""What a long-lived reader keeps of a table follows every change that others make to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from store_batches import BatchMaker, vectors_of

from latentdb.space import Space
from latentdb.store import Store
from latentdb.store.metadata import Metadata
from latentdb.store.tables import Pinned
from latentdb.types import SpaceRows

Change = Callable[[Store], object]


def seen(store: Store, space: str) -> tuple[object, ...]:
    ids = store.vector_ids(space)
    items, times = store.item_times()
    assert items.tolist() == store.item_ids().tolist()
    tables = [store.metadata(one).to_pylist() for one in (None, space)]
    return ids.tolist(), times.tolist(), store.vectors(space, ids[::-1]), *tables


def assert_same(one: Store, other: Store, space: str) -> None:
    for left, right in zip(seen(one, space), seen(other, space), strict=True):
        assert np.array_equal(left, right)


def made_anew(store: Store, clip: Space) -> None:
    """The space is dropped, and another of its name has as many rows of other ids."""
    ids = store.vector_ids(clip.name)[::-1]
    store.drop_space(clip.name)
    store.add_space(replace(clip, settings={"model": "y"}))
    rows = SpaceRows(ids, vectors_of((ids + 1).tolist(), clip.dim))
    store.write_batch(items=[], sources=[], vectors={clip.name: rows}, quarantine=[])


@pytest.mark.parametrize("space", ["tiny-clip", "tiny-noise"])
def test_a_reader_sees_every_change_of_another(
    store: Store, batch: BatchMaker, clip: Space, space: str
) -> None:
    reader = Store.open(store.uri)
    changes: list[Change] = [
        lambda one: one.write_batch(**batch([20, 1])),
        lambda one: one.write_batch(**batch([20, 4])),
        lambda one: one.delete([8]),
        lambda one: one.write_batch(**batch([8])),
        lambda one: one.set_labels([1], {"age": [7]}),
        lambda one: one.set_labels([1], {"new": [7]}),
        lambda one: one.write_batch(**batch([2])),
        lambda one: one.compact(),
        lambda one: (one.delete([2]), one.write_batch(**batch([40]))),
        lambda one: made_anew(one, clip),
        lambda one: one.write_batch(**batch([41])),
    ]
    for change in changes:
        seen(reader, space)
        change(store)
        assert_same(reader, Store.open(store.uri), space)


def test_of_appended_rows_nothing_else_is_read(
    store: Store, batch: BatchMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.item_times()
    rows: list[int] = []
    scan = Pinned.scan

    def counted(self: Pinned, *args: object, **options: object) -> object:
        found = scan(self, *args, **options)
        rows.append(len(found))
        return found

    store.write_batch(**batch([30, 31]) | {"sources": [], "vectors": {}})
    monkeypatch.setattr(Pinned, "scan", counted)
    assert store.item_times()[0].tolist() == [3, 5, 8, 12, 30, 31]
    # The last of the old ones tells that no commit was taken back.
    assert rows == [2 + 1]


def test_what_a_filter_asks_is_read_of_new_items_alone(
    store: Store, batch: BatchMaker, clip: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.metadata(clip.name)
    monkeypatch.setattr(Metadata, "read", None)
    store.write_batch(**batch([30, 2]))
    assert store.metadata(clip.name)["id"].to_pylist() == [2, 3, 5, 8, 12, 30]
    assert store.metadata(clip.name)["age"].to_pylist() == [2, 3, 5, 8, 12, 30]


def test_vectors_come_in_the_order_asked(store: Store, clip: Space) -> None:
    ids = [12, 3, 12, 8]
    assert np.array_equal(
        store.vectors(clip.name, ids), vectors_of(ids, clip.dim).astype(np.float16)
    )
