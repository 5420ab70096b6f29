"""The facade over a store of made vectors: everything that needs no model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import latentdb
from indexers.errors import DimensionError, MetricError, NonFiniteError
from latentdb.database import LatentDB
from latentdb.errors import (
    FilterError,
    NotEnoughDataError,
    QueryError,
    SpaceMismatchError,
    UnknownDirectionError,
    UnknownItemError,
    UnknownMapError,
    UnknownSpaceError,
)
from latentdb.space import Space
from latentdb.types import ItemRow, SpaceRows

DIM, WIDE, COUNT = 12, 20, 300


def _add(db: LatentDB, ids: np.ndarray, seed: int) -> None:
    """Items whose `wide` vector is a linear view of their `narrow` one, plus a little noise."""
    rng = np.random.default_rng(seed)
    narrow = rng.standard_normal((len(ids), DIM)).astype(np.float32)
    view = np.random.default_rng(99).standard_normal((DIM, WIDE)).astype(np.float32)
    wide = narrow @ view + 0.01 * rng.standard_normal((len(ids), WIDE)).astype(np.float32)
    items = [
        ItemRow(int(i), f"{i}.png", 8, 8, b"", {"tall": bool(row[0] > 0), "n": int(i)})
        for i, row in zip(ids, narrow, strict=True)
    ]
    vectors = {"narrow": SpaceRows(ids, narrow), "wide": SpaceRows(ids, wide)}
    db.store.write_batch(items=items, sources=[], vectors=vectors, quarantine=[])


@pytest.fixture
def db(tmp_path: Path) -> LatentDB:
    made = latentdb.create(tmp_path / "made.ldb")
    made.store.add_space(Space("narrow", "embedding", DIM, spec="none"))
    made.store.add_space(Space("wide", "noise", WIDE, spec="none"))
    _add(made, np.arange(1, COUNT + 1, dtype=np.int64), seed=0)
    return made


def _nearest(db: LatentDB, space: str, query: np.ndarray, ids: np.ndarray, k: int) -> list[int]:
    """Ids by cosine distance, computed without an index."""
    rows = db.store.vectors(space, ids).astype(np.float64)
    cosine = rows @ query / np.linalg.norm(rows, axis=1)
    return [int(i) for i in ids[np.argsort(-cosine)[:k]]]


def test_a_stored_item_finds_its_neighbours_and_not_itself(db: LatentDB) -> None:
    answer = db.search(id=7, space="narrow", k=5)
    query = db.store.vectors("narrow", [7])[0]
    others = np.setdiff1d(db.store.item_ids(), [7])
    assert [hit.id for hit in answer.hits] == _nearest(db, "narrow", query, others, 5)
    assert answer.exact


@pytest.mark.parametrize("kind", ["flat", "hnsw"])
def test_rows_newer_than_an_index_are_found(db: LatentDB, kind: str) -> None:
    db.build_index("narrow", metric="cosine", kind=kind)
    _add(db, np.arange(1001, 1051, dtype=np.int64), seed=1)
    query = db.store.vectors("narrow", [1020])[0]
    answer = db.search(vector=query, space="narrow", k=3)
    assert answer.hits[0].id == 1020
    assert [info.newer_rows for info in db.indexes()] == [50]


def test_an_approximate_index_says_what_it_was_measured_to_find(db: LatentDB) -> None:
    space = next(iter(db.spaces()))
    built = db.build_index(space, kind="hnsw")
    answer = db.search(id=int(db.store.item_ids()[0]), space=space, metric="cosine", k=3)
    assert 0.0 < built.recall_at_10 <= 1.0
    assert built.tuning is not None
    assert answer.exact or answer.recall_at_10 == built.tuning.recall["id"]
    assert answer.to_json()["recall_at_10"] == answer.recall_at_10


def test_deleted_rows_are_not_found_in_an_older_index(db: LatentDB) -> None:
    db.build_index("narrow", metric="cosine")
    query = db.store.vectors("narrow", [5])[0]
    db.store.delete([5])
    answer = db.search(vector=query, space="narrow", k=COUNT)
    assert 5 not in [hit.id for hit in answer.hits]
    assert len(answer.hits) == COUNT - 1


def test_an_index_is_found_again_by_another_opening(db: LatentDB) -> None:
    db.build_index("wide", metric="nao", prior="fitted")
    again = latentdb.open(db.uri)
    answer = again.search(id=3, space="wide")
    assert answer.metric == "nao"
    assert answer.query["prior"] == "fitted"


def test_an_index_of_other_settings_is_refused(db: LatentDB, tmp_path: Path) -> None:
    db.build_index("narrow", metric="cosine")
    other = latentdb.create(tmp_path / "other.ldb")
    other.store.add_space(Space("narrow", "embedding", DIM, spec="none", settings={"crop": 1}))
    (tmp_path / "made.ldb" / "indexes").rename(tmp_path / "moved")
    (tmp_path / "other.ldb" / "indexes").rmdir()
    (tmp_path / "moved").rename(tmp_path / "other.ldb" / "indexes")
    with pytest.raises(SpaceMismatchError, match="build it again"):
        other.search(vector=np.ones(DIM), space="narrow")


def test_a_filter_is_applied_inside_the_search(db: LatentDB) -> None:
    query = db.store.vectors("narrow", [7])[0]
    answer = db.search(vector=query, space="narrow", where="n > 290 and not tall", k=COUNT)
    assert answer.hits
    assert all(hit.labels["n"] > 290 and not hit.labels["tall"] for hit in answer.hits)


def test_a_maximal_distance_leaves_out_what_is_farther(db: LatentDB) -> None:
    everything = db.search(id=7, space="narrow", k=20)
    limit = everything.hits[4].distance
    near = db.search(id=7, space="narrow", k=20, max_distance=limit)
    assert [hit.id for hit in near.hits] == [hit.id for hit in everything.hits[:5]]


def test_nao_distances_are_the_sum_of_their_parts(db: LatentDB) -> None:
    hits = db.search(id=7, space="wide", metric="nao", prior="fitted").hits
    for hit in hits:
        assert hit.angular is not None
        assert hit.radial is not None
        assert hit.distance == pytest.approx(hit.angular + hit.radial)


def test_a_query_is_carried_over_by_a_map(db: LatentDB) -> None:
    stitched = db.stitch("narrow", "wide")
    assert stitched.scores.r2.value > 0.99
    query = db.store.vectors("narrow", [11])[0]
    answer = db.search(vector=query, from_space="narrow", space="wide", k=1)
    assert answer.hits[0].id == 11
    assert answer.query["map"]["recall_at_10"] > 0.9


def test_a_query_without_a_map_says_how_to_fit_one(db: LatentDB) -> None:
    with pytest.raises(UnknownMapError, match="latentdb stitch DB --from wide --to narrow"):
        db.search(id=3, from_space="wide", space="narrow")


def test_a_direction_moves_the_answer_to_where_its_label_holds(db: LatentDB) -> None:
    db.fit_direction("tall", space="narrow", label="tall", method="mean_difference")
    plain = db.search(id=7, space="narrow", k=20)
    moved = db.search(id=7, space="narrow", k=20, directions={"tall": 3.0})
    assert sum(hit.labels["tall"] for hit in moved.hits) >= 18
    assert sum(hit.labels["tall"] for hit in moved.hits) > sum(h.labels["tall"] for h in plain.hits)


def test_ranking_along_a_direction_sorts_by_signed_distance(db: LatentDB) -> None:
    direction = db.fit_direction("tall", space="narrow", label="tall")
    ids = db.store.item_ids()
    scores = direction.project(db.store.vectors("narrow", ids))
    answer = db.rank("tall", k=10)
    assert [hit.id for hit in answer.hits] == [int(i) for i in ids[np.argsort(-scores)[:10]]]
    least = db.rank("tall", k=10, descending=False)
    assert [hit.id for hit in least.hits] == [int(i) for i in ids[np.argsort(scores)[:10]]]


def test_ranking_keeps_to_its_filter(db: LatentDB) -> None:
    db.fit_direction("tall", space="narrow", label="tall")
    answer = db.rank("tall", where="n <= 20", k=50)
    assert sorted(hit.id for hit in answer.hits) == list(range(1, 21))


def test_ranking_passes_over_vectors_left_without_an_item(db: LatentDB) -> None:
    direction = db.fit_direction("tall", space="narrow", label="tall")
    stray = (100 * direction.vector).astype(np.float32)[None]
    rows = {"narrow": SpaceRows(np.array([5000], dtype=np.int64), stray)}
    db.store.write_batch(items=[], sources=[], vectors=rows, quarantine=[])
    assert 5000 not in [hit.id for hit in db.rank("tall", k=COUNT + 5).hits]


def test_ranking_of_no_hits_is_refused(db: LatentDB) -> None:
    db.fit_direction("tall", space="narrow", label="tall")
    with pytest.raises(QueryError, match="at least 1; got 0"):
        db.rank("tall", k=0)


def test_a_direction_in_several_spaces_must_be_named_with_its_space(db: LatentDB) -> None:
    for space in ("narrow", "wide"):
        db.fit_direction("tall", space=space, label="tall")
    assert {direction.space for direction in db.directions()} == {"narrow", "wide"}
    with pytest.raises(QueryError, match="name one with --space"):
        db.rank("tall")


def test_an_orthogonalised_direction_is_orthogonal(db: LatentDB) -> None:
    late = [bool(value > COUNT / 2) for value in db.store.item_ids()]
    db.store.set_labels(db.store.item_ids(), {"late": late})
    other = db.fit_direction("late", space="narrow", label="late")
    fitted = db.fit_direction(
        "tall", space="narrow", label="tall", orthogonal_to=["late"], orthogonality="vectors"
    )
    assert fitted.vector @ other.vector == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("parts", "error", "match"),
    [
        ({}, QueryError, "needs something that hits are to be like"),
        ({"id": 1, "k": 0}, QueryError, "at least 1"),
        ({"text": "a hat"}, QueryError, "needs a space with a text tower"),
        ({"id": 10**9, "space": "narrow"}, UnknownItemError, "1000000000"),
        ({"id": 1, "space": "nowhere"}, UnknownSpaceError, "nowhere"),
        ({"vector": np.ones(5), "space": "narrow"}, DimensionError, "dimension 12"),
        ({"vector": np.full(DIM, np.nan), "space": "narrow"}, NonFiniteError, "NaN"),
        ({"id": 1, "space": "narrow", "where": "nope > 1"}, FilterError, "nope"),
        ({"id": 1, "space": "narrow", "prior": "chi"}, MetricError, "nao"),
        ({"id": 1, "directions": {"x": 1.0}, "space": "narrow"}, UnknownDirectionError, "x"),
    ],
)
def test_a_wrong_query_is_refused(db: LatentDB, parts: dict, error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        db.search(**parts)


def test_an_empty_space_cannot_be_indexed(tmp_path: Path) -> None:
    empty = latentdb.create(tmp_path / "empty.ldb")
    empty.store.add_space(Space("narrow", "embedding", DIM, spec="none"))
    with pytest.raises(NotEnoughDataError, match="ingest"):
        empty.build_index("narrow")


def test_check_finds_and_mends_a_torn_index(db: LatentDB) -> None:
    db.build_index("narrow", metric="cosine", kind="hnsw")
    rows = next((Path(db.uri) / "indexes").glob("*/v-*/rows.faiss"))
    data = bytearray(rows.read_bytes())
    data[len(data) // 2] ^= 1
    rows.write_bytes(bytes(data))
    assert [problem.kind for problem in db.check()] == ["torn_index"]
    assert db.check(repair=True) == []
    assert db.indexes()[0].kind == "hnsw"


def test_vectors_left_without_an_item_are_not_found(db: LatentDB) -> None:
    stray = np.full((1, DIM), 9.0, dtype=np.float32)
    rows = {"narrow": SpaceRows(np.array([5000], dtype=np.int64), stray)}
    db.store.write_batch(items=[], sources=[], vectors=rows, quarantine=[])
    answer = db.search(vector=stray[0], space="narrow", k=COUNT + 5)
    assert len(answer.hits) == COUNT
