"""What a model upgrade says it costs to answer through the old space."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from migrated import Faces, make_faces, nearest, started

from latentdb.database import LatentDB
from latentdb.held_out import Estimate, split_by_item
from latentdb.migrate import Migration, RecallLoss
from latentdb.profiles import texts_about
from latentdb.stitch.modality import to_pictures
from latentdb.succession.record import TextLoss


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Faces:
    return make_faces(tmp_path_factory.mktemp("loss"))


@pytest.fixture
def db(faces: Faces, tmp_path: Path) -> LatentDB:
    """With `clip` on its way to `clip2`, which is served through the map."""
    made = faces.copy(tmp_path)
    started(made, faces)
    return made


def test_recall_loss_is_what_an_independent_count_gives(db: LatentDB) -> None:
    loss = db.migration().status().migration.loss
    assert loss is not None
    ids = db.store.vector_ids("clip2")
    new = db.store.vectors("clip2", ids).astype(float)
    old = db.store.vectors("clip", ids).astype(float)
    mapped = db.map("clip2", "clip").transform(new, restore_norm=True)
    found = []
    for row in np.flatnonzero(split_by_item(ids, seed=0, fraction=0.2)):
        truth = set(nearest(new, new[row], 11)) - {row}
        others = [at for at in nearest(old, mapped[row], 11) if at != row][:10]
        found.append(len(truth & set(others)) / 10)
    assert loss.n_queries == len(found) == 12
    assert loss.loss.value == pytest.approx(1 - np.mean(found), abs=0.02)
    assert loss.loss.low <= loss.loss.value <= loss.loss.high


def test_text_loss_is_what_an_independent_count_gives(db: LatentDB) -> None:
    loss = db.migration().status().migration.loss
    assert loss is not None
    assert loss.texts is not None
    texts = texts_about(db.store)
    asked = db.model("clip2").encode_text(texts)
    moved = to_pictures(db.profile("clip2", text=True), asked)
    mapped = db.map("clip2", "clip").transform(moved, restore_norm=True)
    by_old = db.model("clip").encode_text(texts)
    ids = db.store.vector_ids("clip2")
    new, old = (db.store.vectors(name, ids).astype(float) for name in ("clip2", "clip"))

    def recall(carried: np.ndarray) -> float:
        pairs = zip(asked, carried, strict=True)
        found = [{*nearest(new, text, 10)} & {*nearest(old, by, 10)} for text, by in pairs]
        return np.mean([len(one) / 10 for one in found])

    ways = {True: recall(mapped), False: recall(by_old)}
    assert loss.texts.n_texts == len(texts) <= 200
    assert loss.texts.recall_at_10.value == pytest.approx(max(ways.values()), abs=0.01)
    assert ways[loss.texts.by_map] == max(ways.values())


@pytest.mark.parametrize(("by_map", "born"), [(True, "clip2"), (False, "clip")])
def test_a_text_takes_the_way_that_found_more(db: LatentDB, by_map: bool, born: str) -> None:
    texts = TextLoss(Estimate(0.4, 0.3, 0.5), 25, by_map)

    def measured(there: Migration) -> Migration:
        assert there.loss is not None
        return replace(there, loss=replace(there.loss, texts=texts))

    db.catalog.migrations.update(db.migration().record(), measured)
    query = db.search(text="a hat", space="clip2").query
    said = query["served_through"]
    assert (query["from"], said["by_map"], said["measured_on"]) == (born, by_map, "texts")
    assert said["recall_loss"] == {"value": 0.6, "low": 0.5, "high": 0.7}


def test_texts_go_through_the_map_where_the_old_model_is_gone(faces: Faces, tmp_path: Path) -> None:
    db = faces.copy(tmp_path)
    db.store.space("clip")
    shutil.move(faces.folder.parent / "clip", tmp_path / "elsewhere")
    try:
        loss = started(db, faces).status().migration.loss
    finally:
        shutil.move(tmp_path / "elsewhere", faces.folder.parent / "clip")
    assert loss is not None
    assert loss.texts is not None
    assert loss.texts.by_map


def test_a_loss_is_told_only_of_what_it_was_measured_on(db: LatentDB) -> None:
    db.stitch("dino", "clip", force=True)
    item = int(db.store.item_ids()[0])
    loss = db.migration().status().migration.loss
    told = [
        db.search(space="clip2", **asked).query["served_through"]
        for asked in (
            {"id": item},
            {"id": item, "from_space": "dino"},
            {"image": db.picture(item), "from_space": "clip"},
            {"image": db.picture(item), "from_space": "clip2"},
        )
    ]
    assert [one["by_map"] for one in told] == [False, True, False, True]
    own, mapped = loss.own_loss.to_json(), loss.loss.to_json()
    assert [one["recall_loss"] for one in told] == [own, None, own, mapped]


def test_a_loss_comes_back_from_its_record_and_older_ones_know_no_texts(db: LatentDB) -> None:
    loss = db.migration().status().migration.loss
    assert RecallLoss.from_json(loss.to_json()) == loss
    older = {name: value for name, value in loss.to_json().items() if name != "texts"}
    assert RecallLoss.from_json(older) == replace(loss, texts=None)
