"""Questions that an index is measured by: which can be asked of a database, and how they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import latentdb
from latentdb.database import LatentDB
from latentdb.index.asking import Asker
from latentdb.index.questions import QUESTION_KINDS
from latentdb.index.texts import search_texts
from latentdb.space import Space
from latentdb.types import ItemRow, SpaceRows


def asker_of(db: LatentDB) -> Asker:
    made = db.catalog
    return Asker(
        made.store, made.models, maps=made.maps, directions=made.directions, profiles=made.profiles
    )


def questions_of(db: LatentDB, space: str, count: int = 50):
    among = db.store.vector_ids(space)
    return asker_of(db).questions(db.store.space(space), count=count, seed=0, among=among)


def test_every_kind_is_asked_that_the_database_can_be_asked(asked_db: LatentDB) -> None:
    made = questions_of(asked_db, "clip")
    assert list(made.asked) == [kind for kind in QUESTION_KINDS if kind != "image"]
    assert "no new pictures" in made.not_asked["image"]
    assert all(1 <= len(one) <= 50 for one in made.asked.values())


def test_why_a_kind_is_not_asked_is_said(asked_db: LatentDB) -> None:
    made = questions_of(asked_db, "far")
    assert list(made.asked) == ["id"]
    assert made.not_asked["text"] == "the space has no text tower"
    assert made.not_asked["mapped"] == "no map leads to the space"
    assert made.not_asked["shifted"] == "no direction was fitted in the space"


def test_a_model_that_is_gone_is_named(asked_db: LatentDB) -> None:
    lost = Space("lost", "embedding", 8, spec="lost=open_clip:/nowhere", has_text=True)
    asked_db.store.add_space(lost)
    rows = SpaceRows(np.array([1, 2], np.int64), np.eye(2, 8, dtype=np.float32))
    asked_db.store.write_batch(items=[], sources=[], vectors={"lost": rows}, quarantine=[])
    assert "its model cannot be loaded here" in questions_of(asked_db, "lost").not_asked["text"]


def test_the_same_seed_asks_the_same(asked_db: LatentDB) -> None:
    one, other = questions_of(asked_db, "clip"), questions_of(asked_db, "clip")
    for kind, asked in one.asked.items():
        np.testing.assert_array_equal(asked.vectors, other.asked[kind].vectors)


def test_shifted_questions_are_rows_moved_along_the_direction(asked_db: LatentDB) -> None:
    asked = questions_of(asked_db, "clip").asked
    rows, moved = asked["id"], asked["shifted"]
    direction = asked_db.direction("tall", "clip")
    steps = direction.project(moved.vectors) - direction.project(rows.vectors)
    np.testing.assert_array_equal(rows.own, moved.own)
    np.testing.assert_allclose(
        np.linalg.norm(moved.vectors, axis=1), np.linalg.norm(rows.vectors, axis=1), rtol=1e-4
    )
    assert steps.min() < -1.0
    assert steps.max() > 1.0


def test_mapped_questions_are_what_the_map_makes_of_rows(asked_db: LatentDB) -> None:
    mapped = questions_of(asked_db, "clip").asked["mapped"]
    rows = asked_db.store.vectors("far", mapped.own)
    expected = asked_db.map("far", "clip").transform(rows, restore_norm=True)
    np.testing.assert_allclose(mapped.vectors, expected, rtol=1e-5)


def test_held_out_rows_are_at_most_one_in_ten_and_none_of_few(asked_db: LatentDB) -> None:
    space, asker = asked_db.store.space("clip"), asker_of(asked_db)
    held = asker.held_out(space, count=400, seed=0)
    assert len(np.unique(held)) == 120
    assert len(asker.held_out(space, count=7, seed=0)) == 7
    asked_db.delete(range(30, 1300))
    assert len(asker.held_out(space, count=400, seed=0)) == 0


def labelled(path: Path, labels: list[dict[str, object]]) -> LatentDB:
    db = latentdb.create(path)
    items = [ItemRow(i, f"{i}.png", 1, 1, b"", one) for i, one in enumerate(labels)]
    db.store.write_batch(items=items, sources=[], vectors={}, quarantine=[])
    return db


def test_texts_are_of_the_words_that_items_are_labelled_with(tmp_path: Path) -> None:
    labels = [{"long_hair": True, "place": "beach", "caption": "a dog, in the snow"}]
    texts = search_texts(labelled(tmp_path / "l.ldb", labels).store, count=300, seed=0)
    assert {"long hair", "beach", "a dog", "in the snow", "a dog, in the snow"} <= set(texts)
    assert len(texts) == len(set(texts)) <= 300


def test_texts_without_labels_are_of_words_about_anything(tmp_path: Path) -> None:
    texts = search_texts(labelled(tmp_path / "l.ldb", [{}]).store, count=40, seed=0)
    assert len(texts) == 40


def test_a_label_that_names_every_item_gives_no_words(tmp_path: Path) -> None:
    labels = [{"name": f"IMG_{i}"} for i in range(300)]
    texts = search_texts(labelled(tmp_path / "l.ldb", labels).store, count=40, seed=0)
    assert not any("IMG" in one for one in texts)


@pytest.mark.parametrize(("query", "kinds"), [
    ({"id": 5}, {"id"}),
    ({"text": "a cap"}, {"text"}),
    ({"id": 5, "directions": {"tall": 1.0}}, {"id", "shifted"}),
    ({"id": 5, "from_space": "far"}, {"mapped"}),
    ({"like": [5, 6]}, {"image"}),
    ({"id": 5, "text": "a cap"}, {"image"}),
    ({"vector": np.ones(16, np.float32)}, set()),
])  # fmt: skip
def test_a_question_is_of_the_kinds_that_an_index_is_measured_for(
    asked_db: LatentDB, query: dict[str, object], kinds: set[str]
) -> None:
    from latentdb.query import Query
    from latentdb.resolve import resolve

    assert resolve(asked_db.catalog, Query(space="clip", **query)).question_kinds == kinds
