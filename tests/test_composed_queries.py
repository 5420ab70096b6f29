"""Questions of several parts, over a store of made vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import latentdb
from latentdb.database import LatentDB
from latentdb.errors import QueryError, UnknownDirectionError, UnknownItemError
from latentdb.geometry import chi_mode
from latentdb.query import Query
from latentdb.resolve import resolve
from latentdb.space import Space
from latentdb.types import ItemRow, SpaceRows

DIM, WIDE, COUNT = 12, 20, 300
MEAN = 3.0


@pytest.fixture
def db(tmp_path: Path) -> LatentDB:
    """An encoder's space about a mean far from the origin, and noise that is a view of it."""
    made = latentdb.create(tmp_path / "made.ldb")
    made.store.add_space(Space("narrow", "embedding", DIM, spec="none"))
    made.store.add_space(Space("wide", "noise", WIDE, spec="none"))
    rng = np.random.default_rng(0)
    ids = np.arange(1, COUNT + 1, dtype=np.int64)
    latent = rng.standard_normal((COUNT, DIM))
    wide = latent @ rng.standard_normal((DIM, WIDE)) / np.sqrt(DIM)
    wide += 0.1 * rng.standard_normal((COUNT, WIDE))
    items = [
        ItemRow(int(i), f"{i}.png", 8, 8, b"", {"tall": bool(row[0] > 0), "n": int(i)})
        for i, row in zip(ids, latent, strict=True)
    ]
    vectors = {
        "narrow": SpaceRows(ids, (latent + MEAN).astype(np.float32)),
        "wide": SpaceRows(ids, wide.astype(np.float32)),
    }
    made.store.write_batch(items=items, sources=[], vectors=vectors, quarantine=[])
    return made


def _vector(db: LatentDB, **parts: object) -> np.ndarray:
    found = resolve(db.catalog, Query(**parts)).vector  # type: ignore[arg-type]
    return found.astype(np.float64)


def _stored(db: LatentDB, space: str, *ids: int) -> np.ndarray:
    return db.store.vectors(space, ids).astype(np.float64)


def _angle(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.arccos(x @ y / np.linalg.norm(x) / np.linalg.norm(y)))


def test_one_liked_item_is_asked_as_by_its_id(db: LatentDB) -> None:
    assert db.search(like=[7], k=5).hits == db.search(id=7, k=5).hits
    np.testing.assert_array_equal(_vector(db, like=[7]), _stored(db, "narrow", 7)[0])


def test_items_asked_with_are_left_out_and_k_come_all_the_same(db: LatentDB) -> None:
    answer = db.search(id=7, like=[8], unlike=[9], k=COUNT)
    assert {hit.id for hit in answer.hits} == set(range(1, COUNT + 1)) - {7, 8, 9}
    assert len(db.search(id=7, like=[8], unlike=[9], k=5).hits) == 5


def test_parts_meet_about_the_mean_of_an_encoders_space(db: LatentDB) -> None:
    profile = db.profile("narrow")
    assert profile is not None
    mean = profile.mean
    assert np.linalg.norm(mean) > 0.9 * MEAN * np.sqrt(DIM)
    rows = _stored(db, "narrow", 7, 8) - mean
    both = _vector(db, id=7, like=[8]) - mean
    assert _angle(both, rows[0]) == pytest.approx(_angle(both, rows[1]), abs=1e-5)
    assert _angle(both, rows[0]) == pytest.approx(_angle(*rows) / 2, abs=1e-5)
    assert np.linalg.norm(both) == pytest.approx(np.linalg.norm(rows, axis=1).mean(), rel=1e-5)


def test_a_weight_moves_the_question_along_the_arc(db: LatentDB) -> None:
    rows = _stored(db, "wide", 7, 8)
    vector = _vector(db, id=7, like={8: 0.5}, space="wide")
    assert _angle(vector, rows[0]) == pytest.approx(_angle(*rows) / 3, abs=1e-5)


def test_what_is_unliked_lies_further_off(db: LatentDB) -> None:
    rows = _stored(db, "wide", 7, 8)
    vector = _vector(db, id=7, unlike={8: 0.25}, space="wide")
    step = (np.pi - _angle(*rows)) / 5
    assert _angle(vector, rows[0]) == pytest.approx(step, abs=1e-5)
    assert _angle(vector, rows[1]) == pytest.approx(_angle(*rows) + step, abs=1e-5)


def test_a_weight_below_0_makes_a_part_unliked(db: LatentDB) -> None:
    apart = _vector(db, like=[8], id=7, weights={"id": -0.5}, space="wide")
    np.testing.assert_array_equal(apart, _vector(db, like=[8], unlike={7: 0.5}, space="wide"))


def test_under_nao_the_question_is_on_the_shell(db: LatentDB) -> None:
    asked = {"id": 7, "like": [8], "unlike": [9], "space": "wide", "metric": "nao"}
    norm = np.linalg.norm(_vector(db, **asked, prior="chi"))
    assert norm == pytest.approx(chi_mode(WIDE), rel=1e-5)
    stored = np.linalg.norm(_stored(db, "wide", *range(1, COUNT + 1)), axis=1)
    fitted = np.linalg.norm(_vector(db, **asked, prior="fitted"))
    assert fitted == pytest.approx(stored.mean(), rel=1e-5)


def test_parts_born_in_several_spaces_meet_in_the_one_that_answers(db: LatentDB) -> None:
    db.stitch("narrow", "wide")
    vector = _stored(db, "narrow", 11)[0]
    answer = db.search(vector=vector, like=[12], from_space="narrow", space="wide", k=4)
    assert [part["map"]["chain"] for part in answer.query["parts"]] == [["narrow", "wide"]] * 2
    assert 11 in [hit.id for hit in answer.hits]


def test_the_answer_says_what_each_part_was(db: LatentDB) -> None:
    asked = db.search(id=7, like={8: 0.5}, unlike=[9], space="narrow").query
    assert (asked["kind"], asked["value"]) == ("composed", "id 7 + 0.5·id 8 − id 9")
    assert [part["weight"] for part in asked["parts"]] == [1.0, 0.5, -1.0]
    assert {part["from"] for part in asked["parts"]} == {"narrow"}


@pytest.mark.parametrize("metric", ["cosine", "euclidean", "nao"])
@pytest.mark.parametrize("parts", [{}, {"like": {8: 0.5}, "unlike": [9]}])
def test_contributions_add_up_to_the_similarity(
    db: LatentDB, metric: str, parts: dict[str, object]
) -> None:
    db.fit_direction("tall", space="wide", label="tall")
    asked = {"id": 7, "space": "wide", "metric": metric, "directions": {"tall": 2.0}, **parts}
    vector = _vector(db, **asked)
    answer = db.search(**asked, explain=True)
    for hit in answer.hits:
        told = hit.explanation
        assert told is not None
        item = _stored(db, "wide", hit.id)[0]
        assert told.similarity == pytest.approx(np.cos(_angle(vector, item)), abs=1e-6)
        total = told.base + sum(term.contribution for term in told.terms)
        assert total == pytest.approx(told.similarity, abs=1e-6)
        assert hit.to_json()["explain"]["similarity"] == told.similarity


def test_what_pictures_share_is_told_apart_from_the_parts(db: LatentDB) -> None:
    hit = db.search(id=7, like=[8], space="narrow", explain=True).hits[0]
    assert hit.explanation is not None
    assert hit.explanation.base > 0.5
    total = hit.explanation.base + sum(term.contribution for term in hit.explanation.terms)
    assert total == pytest.approx(hit.explanation.similarity, abs=1e-6)


def test_the_change_is_that_of_the_question_without_the_part(db: LatentDB) -> None:
    db.fit_direction("tall", space="wide", label="tall")
    asked = {"like": [8], "unlike": [9], "directions": {"tall": 2.0}, "space": "wide"}
    full, less = _vector(db, **asked), _vector(db, **{**asked, "unlike": ()})
    still = _vector(db, **{**asked, "directions": {}})
    for hit in db.search(**asked, explain=True).hits:
        assert hit.explanation is not None
        item = _stored(db, "wide", hit.id)[0]
        liked, unliked, moved = hit.explanation.terms
        assert liked.change is None
        apart = np.cos(_angle(full, item))
        assert unliked.change == pytest.approx(apart - np.cos(_angle(less, item)), abs=1e-6)
        assert moved.change == pytest.approx(apart - np.cos(_angle(still, item)), abs=1e-6)
        position = db.direction("tall", "wide").project(item[None])[0]
        assert moved.position == pytest.approx(position, abs=1e-5)
        assert unliked.similarity == pytest.approx(
            np.cos(_angle(_stored(db, "wide", 9)[0], item)), abs=1e-6
        )


def test_a_direction_of_where_parts_are_born_moves_them_before_the_map(db: LatentDB) -> None:
    db.stitch("narrow", "wide")
    direction = db.fit_direction("tall", space="narrow", label="tall")
    asked = {"from_space": "narrow", "space": "wide"}
    moved = direction.move(db.store.vectors("narrow", [7]), 2.0)
    expected = _vector(db, vector=moved[0], **asked)
    np.testing.assert_allclose(
        _vector(db, id=7, directions={"tall": 2.0}, **asked), expected, atol=1e-5
    )
    hit = db.search(
        id=7, like=[8], unlike=[9], directions={"tall": 2.0}, explain=True, **asked
    ).hits[0]
    assert hit.explanation is not None
    assert hit.explanation.terms[-1].position is None
    total = hit.explanation.base + sum(term.contribution for term in hit.explanation.terms)
    assert total == pytest.approx(hit.explanation.similarity, abs=1e-6)


def test_without_an_explanation_hits_say_nothing_of_one(db: LatentDB) -> None:
    assert "explain" not in db.search(id=7).hits[0].to_json()


@pytest.mark.parametrize(
    ("parts", "error", "match"),
    [
        ({"unlike": [3]}, QueryError, "hits are to be like.*got − id 3"),
        ({"directions": {"tall": 1.0}}, QueryError, "rank orders all items"),
        ({"id": 3, "like": [3]}, QueryError, "item 3 is asked with more than once"),
        ({"like": [3], "unlike": {3: 0.5}}, QueryError, "item 3 is asked with more than once"),
        ({"like": {3: 0.5}}, QueryError, "the only part, so its weight 0.5 changes nothing"),
        ({"id": 3, "like": {4: -1.0}}, QueryError, "belongs in unlike"),
        ({"id": 3, "unlike": {4: float("nan")}}, QueryError, "a weight is above 0"),
        ({"id": 3, "like": [4], "weights": {"id": 0.0}}, QueryError, "leave it out, or weigh"),
        ({"id": 3, "weights": {"text": 1.0}}, QueryError, "parts that take one are: id;"),
        ({"id": 3, "weights": {"like": 1.0}}, QueryError, "'like', which is no part"),
        ({"id": 3, "diverse": 1.5}, QueryError, "diverse is λ"),
        ({"id": 3, "like": [10**9]}, UnknownItemError, "1000000000"),
        ({"id": 3, "like": [4], "directions": {"x": 1.0}}, UnknownDirectionError, "x"),
    ],
)
def test_parts_that_do_not_go_together_are_refused(
    db: LatentDB, parts: dict, error: type, match: str
) -> None:
    with pytest.raises(error, match=match):
        db.search(**parts, space="narrow")


def test_contradictory_parts_are_named(db: LatentDB) -> None:
    vector = db.store.vectors("wide", [7])[0]
    with pytest.raises(QueryError, match=r"id 7 \+ vector of 20 cannot be put together.*middle"):
        db.search(id=7, vector=-vector, weights={"vector": 1.0, "id": 1.0}, space="wide")
    with pytest.raises(QueryError, match=r"id 7 − vector of 20 cannot be put .*the same direction"):
        db.search(like=[7], vector=vector, weights={"vector": -1.0}, space="wide")
