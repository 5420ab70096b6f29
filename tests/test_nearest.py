"""Vectors that are asked as arrays find what questions find, without what describes the hits."""

from __future__ import annotations

import numpy as np
import pytest

import latentdb
from indexers.errors import DimensionError, NonFiniteError, ZeroVectorError
from indexers.hnsw import HnswConfig
from latentdb.database import LatentDB
from latentdb.errors import FilterError, LabelsError, UnknownSpaceError
from latentdb.space import Space
from latentdb.types import ItemRow, SpaceRows

SPACE, DIM, COUNT = "noise", 16, 400


@pytest.fixture(scope="module")
def db(tmp_path_factory) -> LatentDB:
    made = latentdb.create(tmp_path_factory.mktemp("nearest") / "n.ldb")
    made.store.add_space(Space(SPACE, "noise", DIM, spec="none", settings={}))
    ids = np.random.default_rng(1).permutation(COUNT).astype(np.int64)
    items = [ItemRow(int(i), f"{i}.png", 1, 1, b"", {"even": bool(i % 2 == 0)}) for i in ids]
    vectors = np.random.default_rng(2).standard_normal((COUNT, DIM)).astype(np.float32)
    rows = SpaceRows(ids, vectors)
    made.store.write_batch(items=items, sources=[], vectors={SPACE: rows}, quarantine=[])
    return made


@pytest.fixture
def asked() -> np.ndarray:
    return np.random.default_rng(3).standard_normal((7, DIM)).astype(np.float32)


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "nao"])
@pytest.mark.parametrize("where", [None, "even"])
@pytest.mark.parametrize("limit", [None, 1.0])
def test_rows_are_those_of_questions(db, asked, metric, where, limit) -> None:
    how = {"k": 5, "metric": metric, "where": where, "max_distance": limit}
    found = db.nearest(asked, space=SPACE, **how)
    assert (found.space, found.metric, found.exact, found.recall_at_10) == (SPACE, metric, True, 1)
    assert found.ids.shape == found.distances.shape == (7, 5)
    for row, vector in enumerate(asked):
        hits = db.search(vector=vector, space=SPACE, **how).hits
        count = len(hits)
        assert found.ids[row, :count].tolist() == [hit.id for hit in hits]
        assert (found.ids[row, count:] == -1).all()
        assert np.isinf(found.distances[row, count:]).all()
        np.testing.assert_allclose(
            found.distances[row, :count], [hit.distance for hit in hits], atol=1e-6
        )
        if metric == "nao":
            np.testing.assert_allclose(
                found.angular[row, :count] + found.radial[row, :count],
                found.distances[row, :count],
            )


def test_what_is_found_is_told_by_items(db, asked) -> None:
    found = db.nearest(asked, space=SPACE, k=3)
    assert [item.id for item in db.items(found.ids[0])] == found.ids[0].tolist()


def test_an_approximate_index_says_its_recall(db, asked) -> None:
    built = db.build_index(SPACE, metric="euclidean", kind=HnswConfig())
    found = db.nearest(asked, space=SPACE, metric="euclidean")
    assert not found.exact or found.recall_at_10 == 1.0
    assert found.exact or found.recall_at_10 == built.recall_at_10


def test_vectors_of_double_precision_and_none_at_all_are_taken(db, asked) -> None:
    single = db.nearest(asked, space=SPACE)
    double = db.nearest(asked.astype(np.float64), space=SPACE)
    np.testing.assert_array_equal(single.ids, double.ids)
    assert db.nearest(asked[:0], space=SPACE, k=4).ids.shape == (0, 4)


@pytest.mark.parametrize(
    ("vectors", "how", "error", "said"),
    [
        (np.ones((2, DIM + 1)), {}, DimensionError, r"shape \(n, 16\), got .*\(2, 17\)"),
        (np.ones(DIM), {}, DimensionError, r"passed as vector\[None, :\]"),
        (np.full((1, DIM), np.nan), {}, NonFiniteError, "NaN or infinity in row 0"),
        (np.zeros((1, DIM)), {"metric": "cosine"}, ZeroVectorError, "zero"),
        (np.ones((1, DIM)), {"where": "odd"}, FilterError, "odd"),
        (np.ones((1, DIM)), {"space": "clip"}, UnknownSpaceError, "clip"),
    ],
)
def test_what_cannot_be_asked_is_refused(db, vectors, how, error, said) -> None:
    with pytest.raises(error, match=said):
        db.nearest(vectors, **{"space": SPACE, **how})


def test_columns_tell_of_each_row_what_items_do(db, asked) -> None:
    found = db.nearest(asked, space=SPACE, k=4, columns=("even", "source", "width"))
    items = db.items(found.ids.ravel().tolist())
    assert found.items is not None
    assert found.items.to_pydict() == {
        "even": [item.labels["even"] for item in items],
        "source": [item.source for item in items],
        "width": [item.width for item in items],
    }
    told = found.to_json()["rows"][6]["items"]
    assert told["source"] == [item.source for item in items[24:]]


def test_columns_are_null_where_rows_are_padded(db, asked) -> None:
    where = "source in ('3.png', '8.png')"
    found = db.nearest(asked[:2], space=SPACE, k=3, where=where, columns=["source", "even"])
    assert found.ids[:, 2].tolist() == [-1, -1]
    assert found.items.column("source").to_pylist()[2::3] == [None, None]
    assert found.items.column("even").null_count == 2
    first = found.to_json()["rows"][0]["items"]
    assert sorted(first["source"]) == ["3.png", "8.png"]
    assert len(first["even"]) == 2


def test_a_column_that_is_not_there_is_refused_with_those_there_are(db, asked) -> None:
    with pytest.raises(LabelsError, match="no column 'hat'; they have added_at, even, height, so"):
        db.nearest(asked, space=SPACE, columns=["hat"])


def test_columns_of_labels_that_some_items_lack(tmp_path, asked) -> None:
    made = latentdb.create(tmp_path / "some.ldb")
    made.store.add_space(Space(SPACE, "noise", DIM, spec="none", settings={}))
    assert made.nearest(asked[:1], space=SPACE, columns=["source"]).items.num_rows == 10
    items = [ItemRow(i, f"{i}.png", 1, 1, b"", {"age": i} if i % 2 else {}) for i in range(7)]
    rows = SpaceRows(np.arange(7), asked)
    made.store.write_batch(items=items, sources=[], vectors={SPACE: rows}, quarantine=[])
    found = made.nearest(asked, space=SPACE, k=1, columns=["age"])
    assert found.ids.ravel().tolist() == list(range(7))
    assert found.items.column("age").to_pylist() == [None, 1, None, 3, None, 5, None]
    made.store.set_labels([0, 1], {"age": [40, 41], "name": ["Zoë", None]})
    found = made.nearest(asked, space=SPACE, k=1, columns=["age", "name"])
    assert found.items.column("age").to_pylist() == [40, 41, None, 3, None, 5, None]
    assert found.items.column("name").to_pylist() == ["Zoë", *[None] * 6]
