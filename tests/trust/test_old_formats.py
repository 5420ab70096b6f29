"""Databases that earlier versions wrote, one of every pair of formats there was, still answer.

formats/format-F-index-I.zip: 59 items of ids 1 to 60 but 7, spaces "one" (8 values of float32) and
"two" (6 of float16), three indexes, a map and a direction; written by the last commit with that
format of the store and of indexes.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

import indexers.persistence
import latentdb
from latentdb.database import LatentDB
from latentdb.errors import LatentDBError
from latentdb.store.format import CURRENT_FORMAT

FORMATS = sorted(Path(__file__).with_name("formats").glob("*.zip"))
IDS = [one for one in range(1, 61) if one != 7]


def vectors_of(dim: int) -> np.ndarray:
    """Vectors as they were written, by the script that wrote them."""
    mixing = np.random.default_rng(dim).standard_normal((4, dim))
    rows = [np.random.default_rng(one).standard_normal(4) @ mixing for one in IDS]
    return np.stack(rows).astype(np.float32)


@pytest.fixture(params=FORMATS, ids=lambda path: path.stem)
def old(request, tmp_path) -> LatentDB:
    with zipfile.ZipFile(request.param) as archive:
        archive.extractall(tmp_path / "old.ldb")
    # An archive holds no empty folders.
    return latentdb.open(tmp_path / "old.ldb")


def test_there_is_one_of_every_format():
    names = {path.stem for path in FORMATS}
    for number in range(1, CURRENT_FORMAT + 1):
        assert any(name.startswith(f"format-{number}-") for name in names)
    for number in range(1, indexers.persistence.FORMAT_VERSION + 1):
        assert any(name.endswith(f"index-{number}") for name in names)


def test_items_labels_and_vectors_are_those_that_were_written(old):
    assert old.store.item_ids().tolist() == IDS
    assert [item.labels for item in old.items([8, 9])] == [
        {"hat": False, "town": "t2"},
        {"hat": True, "town": "t0"},
    ]
    assert np.array_equal(old.store.vectors("one", IDS), vectors_of(8))
    halved = vectors_of(6).astype(np.float16).astype(np.float32)
    assert np.array_equal(old.store.vectors("two", IDS), halved)
    assert [row.source for row in old.quarantine()] == ["bad.png"]


def test_maps_and_directions_are_read(old):
    assert old.map("one", "two").weight.shape == (6, 8)
    assert old.direction("hat").vector.shape == (8,)


def test_indexes_answer_or_say_that_they_must_be_built_anew(old, record_property):
    rows = vectors_of(8)
    distances = np.linalg.norm(rows - rows[3], axis=1)
    nearest = [IDS[at] for at in np.argsort(distances)[:5]]
    asked = {"vector": rows[3], "space": "one", "metric": "euclidean", "k": 5}
    if {one.kind for one in old.check()} == {"torn_index"}:
        with pytest.raises(LatentDBError, match="build the index again"):
            old.search(**asked)
    else:
        assert [hit.id for hit in old.search(**asked).hits] == nearest
    assert old.check(repair=True) == []
    assert [hit.id for hit in old.search(**asked).hits] == nearest
    record_property("fault|database of an older format|opened and mended", 1)


def test_first_write_seals_what_was_there(old):
    old.store.set_labels([8], {"town": ["t9"]})
    assert (old.store.path / "space_one.lance" / "seal.json").is_file()
    assert [one for one in old.check() if one.kind != "torn_index"] == []
