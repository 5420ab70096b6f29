"""Directions of two texts, by a tiny open_clip model with random weights."""

from __future__ import annotations

import numpy as np
import pytest
from worlds import unit

import latentdb
from latentdb.errors import NotEnoughDataError, QueryError
from latentdb.ingest import IngestOptions
from latentdb.zoo.faces import write_folder


@pytest.fixture(scope="module")
def db(tmp_path_factory, tiny_model):
    """Sixty faces in a space with text and in one without, with a map between them."""
    folder = tmp_path_factory.mktemp("texts")
    write_folder(folder / "faces", 60, seed=5)
    specs = [f"clip=open_clip:{tiny_model('open_clip')}", f"dino=timm:{tiny_model('timm')}"]
    made = latentdb.create(folder / "faces.ldb", spaces=specs, device="cpu")
    labels = folder / "faces" / "labels.csv"
    made.ingest(folder / "faces", options=IngestOptions(labels=labels, workers=0))
    made.stitch("clip", "dino", force=True)
    return made


TEXTS = ("a smiling face", "a face")


def _movement(db):
    first, second = db.model("clip").encode_text(list(TEXTS)).astype(np.float64)
    return db.profile("clip").times_covariance((first - second)[None])[0]


def test_two_texts_are_the_pictures_covariance_times_their_difference(db):
    made = db.fit_direction("smile", space="clip", text=TEXTS)
    np.testing.assert_allclose(made.vector, unit(_movement(db)), atol=1e-6)
    assert (made.method, made.boundary, made.scores) == ("text", "median", None)
    assert made.label == "'a smiling face' − 'a face'"
    assert made.fitted_on.n_train == 0


def test_a_map_carries_them_to_a_space_without_text(db):
    made = db.fit_direction("smile", space="dino", text=TEXTS, score_label="smiling")
    weight = db.map("clip", "dino").weight.astype(np.float64)
    np.testing.assert_allclose(made.vector, unit(weight @ _movement(db)), atol=1e-6)
    # Only what the map held out may score it.
    assert made.scores.n_held_out == db.map("clip", "dino").fitted_on.n_held_out


def test_turning_the_texts_around_turns_the_direction(db):
    there = db.fit_direction("smile", space="clip", text=TEXTS)
    back = db.fit_direction("smile", space="clip", text=TEXTS[::-1])
    np.testing.assert_allclose(there.vector, -back.vector, atol=1e-9)


@pytest.mark.parametrize("texts", [("a face", " "), ("a face", "a face")])
def test_texts_that_say_nothing_are_refused(db, texts):
    with pytest.raises(QueryError, match=r"two texts|the same to space 'clip'"):
        db.fit_direction("smile", space="clip", text=texts)


def test_a_text_direction_is_made_anew_in_another_space(db):
    db.fit_direction("smile", space="clip", text=TEXTS)
    with pytest.raises(QueryError, match="from its own source with --space dino"):
        db.fit_direction("smile", space="dino", carry_from="clip")


def test_without_pictures_it_is_not_known_what_texts_stand_for(tmp_path, tiny_model):
    made = latentdb.create(
        tmp_path / "empty.ldb", spaces=[f"clip=open_clip:{tiny_model('open_clip')}"], device="cpu"
    )
    with pytest.raises(NotEnoughDataError, match="known from 20 pictures on"):
        made.fit_direction("smile", space="clip", text=TEXTS)
