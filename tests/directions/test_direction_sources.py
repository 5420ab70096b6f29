"""Directions of ids, of a pair, and of another space, over a store of made vectors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from worlds import unit

import latentdb
from indexers.errors import DuplicateIdError, ZeroVectorError
from latentdb.directions.recipe import Recipe, recipe_of
from latentdb.errors import (
    LabelsError,
    QueryError,
    UnknownDirectionError,
    UnknownItemError,
    UnknownMapError,
)
from latentdb.held_out import split_by_item
from latentdb.space import Space
from latentdb.types import ItemRow, SpaceRows

NARROW, WIDE, COUNT = 10, 24, 1200


@pytest.fixture(scope="module")
def db(tmp_path_factory):
    """`wide` is a noisy linear view of `narrow`, whose first axis is "tall", half of it "late".

    The deviations of `narrow` span a factor of ten, so that movement and reading differ.
    """
    made = latentdb.create(tmp_path_factory.mktemp("sources") / "made.ldb")
    made.store.add_space(Space("narrow", "embedding", NARROW, spec="none"))
    made.store.add_space(Space("wide", "noise", WIDE, spec="none"))
    rng = np.random.default_rng(0)
    ids = np.arange(1, COUNT + 1)
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(NARROW, NARROW)))[0]
    narrow = rng.standard_normal((COUNT, NARROW)) * np.geomspace(0.3, 3.0, NARROW) @ turn.T
    tall = narrow[:, 0] > 0
    late = narrow[:, 0] + rng.standard_normal(COUNT) > 0
    view = np.random.default_rng(2).standard_normal((NARROW, WIDE))
    wide = narrow @ view + 0.05 * rng.standard_normal((COUNT, WIDE)) + 1.0
    labels = zip(ids, tall, late, strict=True)
    items = [
        ItemRow(int(i), f"{i}.png", 8, 8, b"", {"tall": bool(t), "late": bool(q), "n": int(i)})
        for i, t, q in labels
    ]
    vectors = {
        "narrow": SpaceRows(ids, narrow.astype(np.float32)),
        "wide": SpaceRows(ids, wide.astype(np.float32)),
    }
    made.store.write_batch(items=items, sources=[], vectors=vectors, quarantine=[])
    made.stitch("narrow", "wide")
    made.stitch("wide", "narrow")
    return made


def _vectors(db, space, ids):
    return db.store.vectors(space, list(ids)).astype(np.float64)


def _split(db, label, n, value=True):
    ids, values = db.store.binary_label(label)
    return [int(i) for i in ids[values == value][:n]]


def test_liked_and_disliked_items_give_their_mean_difference(db):
    liked, disliked = _split(db, "tall", 30), _split(db, "tall", 30, value=False)
    made = db.fit_direction("mood", space="narrow", like=liked, unlike=disliked)
    towards = _vectors(db, "narrow", liked).mean(0)
    away = _vectors(db, "narrow", disliked).mean(0)
    np.testing.assert_allclose(made.vector, unit(towards - away), atol=1e-9)
    assert made.project(towards[None])[0] == pytest.approx(-made.project(away[None])[0])
    corpus = db.store.all_vectors("narrow").vectors
    assert made.std == pytest.approx((corpus @ made.vector).std(), rel=1e-5)
    assert (made.method, made.boundary, made.scores) == ("ids", "midpoint", None)
    assert made.fitted_on.n_train == 60


def test_without_disliked_items_the_mean_of_all_stands_in(db):
    liked = _split(db, "tall", 2)
    made = db.fit_direction("mood", space="narrow", like=liked)
    corpus = db.store.all_vectors("narrow").vectors.astype(np.float64)
    expected = unit(_vectors(db, "narrow", liked).mean(0) - corpus.mean(0))
    np.testing.assert_allclose(made.vector, expected, atol=1e-9)


def test_a_pair_gives_its_difference_with_the_boundary_at_the_median(db):
    made = db.fit_direction("step", space="wide", pair=(3, 8))
    start, end = _vectors(db, "wide", [3, 8])
    np.testing.assert_allclose(made.vector, unit(end - start), atol=1e-9)
    corpus = db.store.all_vectors("wide").vectors
    assert (made.project(corpus) > 0).mean() == pytest.approx(0.5, abs=1e-3)
    assert (made.method, made.label) == ("pair_difference", "3 → 8")
    assert made.boundary == "median"
    assert made.fitted_on.n_train == 2


def test_a_label_scores_what_it_did_not_shape_on_all_other_items(db):
    made = db.fit_direction("step", space="wide", pair=(3, 8), score_label="tall")
    assert made.scores.n_held_out == COUNT - 2
    assert (made.fitted_on.n_train, made.fitted_on.n_held_out) == (2, COUNT - 2)
    assert (made.score_label, made.column) == ("tall", "tall")
    assert made.scores.n_positive + made.scores.n_negative == COUNT - 2


@pytest.mark.parametrize("method", ["mean_difference", "lda"])
def test_a_carried_direction_is_near_the_one_fitted_there(db, method):
    db.fit_direction("tall", space="narrow", label="tall", method=method)
    carried = db.fit_direction("tall", space="wide", carry_from="narrow")
    own = db.fit_direction("own", space="wide", label="tall", method=method)
    corpus = db.store.all_vectors("wide").vectors
    assert np.corrcoef(carried.project(corpus), own.project(corpus))[0, 1] > 0.98
    assert carried.is_reading == (method == "lda")
    assert carried.scores.auc.value > own.scores.auc.value - 0.02
    assert (carried.boundary, carried.column) == ("share", "tall")
    share = (
        db.direction("tall", "narrow").project(db.store.all_vectors("narrow").vectors) > 0
    ).mean()
    assert (carried.project(corpus) > 0).mean() == pytest.approx(share, abs=0.002)


def test_what_is_carried_as_the_other_kind_is_what_that_kind_is_there(db):
    corpus = db.store.all_vectors("wide").vectors
    for method, other in (("mean_difference", "lda"), ("lda", "mean_difference")):
        db.fit_direction("tall", space="narrow", label="tall", method=method)
        kind = "reading" if other == "lda" else "movement"
        carried = db.fit_direction("tall", space="wide", carry_from="narrow", carry_as=kind)
        own = db.fit_direction("own", space="wide", label="tall", method=other)
        assert carried.method == f"carried_{kind}"
        assert np.corrcoef(carried.project(corpus), own.project(corpus))[0, 1] > 0.98


def test_carried_directions_are_scored_on_items_that_neither_map_nor_direction_has_seen(db):
    db.fit_direction("tall", space="narrow", label="tall")
    carried = db.fit_direction("tall", space="wide", carry_from="narrow")
    ids, values = db.store.binary_label("tall")
    order = np.argsort(ids)
    ids, values = ids[order], values[order]
    by_map = split_by_item(ids, seed=0)
    by_direction = split_by_item(ids, seed=0, strata=values)
    assert carried.scores.n_held_out == int((by_map & by_direction).sum())
    assert carried.scores.n_held_out > 0.15 * COUNT


def test_any_source_is_made_orthogonal_and_says_what_that_took_off(db):
    nuisance = db.fit_direction("late", space="narrow", label="late")
    made = db.fit_direction(
        "mood",
        space="narrow",
        like=_split(db, "tall", 30),
        orthogonal_to=["late"],
        orthogonality="vectors",
    )
    assert made.vector @ nuisance.vector == pytest.approx(0.0, abs=1e-9)
    assert made.cost.auc is None
    assert made.cost.n_items == COUNT
    taken = made.cost.nuisances[0]
    assert taken.label == "late"
    assert abs(taken.correlation.after.value) < abs(taken.correlation.before.value)


def test_a_stored_recipe_makes_the_direction_again(db):
    made = db.fit_direction("step", space="wide", pair=(3, 8), score_label="tall", seed=4)
    stored = db.direction("step", "wide")
    assert stored.recipe == {"pair": [3, 8], "score_label": "tall", "seed": 4}
    again = db.fit_direction("step", space="wide", **stored.recipe)
    assert again.to_json() == made.to_json()


def test_a_recipe_is_said_as_options_of_the_command():
    recipe = Recipe(text=("a hat", "a face"), orthogonal_to=["smile", "late"], seed=3)
    assert recipe.to_options() == (
        "--text 'a hat' 'a face' --orthogonal-to smile --orthogonal-to late --seed 3"
    )
    assert Recipe(like=[4, 5]).to_options() == "--like 4 --like 5"


def test_a_direction_of_an_earlier_version_is_made_again_from_its_label(db):
    db.fit_direction("late", space="narrow", label="late")
    made = db.fit_direction(
        "tall", space="narrow", label="tall", orthogonal_to=["late"], orthogonality="vectors"
    )
    known = recipe_of(replace(made, recipe=None))
    again = db.fit_direction("tall", space="narrow", **known.to_json())
    np.testing.assert_array_equal(again.vector, made.vector)
    assert recipe_of(replace(made, recipe=None, method="ids")) is None


@pytest.mark.parametrize(
    ("parts", "error", "text"),
    [
        ({}, QueryError, "exactly one of label, like, pair, text, carry_from; got none"),
        ({"label": "tall", "pair": (1, 2)}, QueryError, "got label and pair"),
        ({"pair": (1, 2), "unlike": [3]}, QueryError, "unlike goes with like"),
        ({"pair": (1, 2), "method": "lda"}, QueryError, "method goes with label"),
        ({"label": "tall", "carry_as": "reading"}, QueryError, "carry_as goes with carry_from"),
        ({"label": "tall", "orthogonality": "scores"}, QueryError, "goes with orthogonal_to"),
        ({"label": "tall", "score_label": "late"}, QueryError, "directions made without labels"),
        ({"pair": (1, 1)}, QueryError, "two different items"),
        ({"pair": (1, COUNT + 9)}, UnknownItemError, str(COUNT + 9)),
        ({"like": [1], "unlike": [1]}, DuplicateIdError, "given 2 times"),
        ({"pair": (1, 2), "score_label": "n"}, LabelsError, "n"),
        ({"pair": (1, 2), "orthogonal_to": ["nothing"]}, UnknownDirectionError, "nothing"),
        ({"text": ("tall", "short")}, QueryError, "needs a space with a text tower"),
        ({"carry_from": "narrow"}, UnknownDirectionError, "no direction 'new'"),
    ],
)
def test_recipes_that_cannot_be_followed_say_why(db, parts, error, text):
    with pytest.raises(error, match=text):
        db.fit_direction("new", space="wide", **parts)


def test_a_direction_is_carried_from_where_it_was_made(db):
    db.fit_direction("tall", space="narrow", label="tall")
    with pytest.raises(QueryError, match="lives in space 'narrow' already"):
        db.fit_direction("tall", space="narrow", carry_from="narrow")
    db.fit_direction("tall", space="wide", carry_from="narrow")
    with pytest.raises(QueryError, match="make it from its own source with --space narrow"):
        db.fit_direction("tall", space="narrow", carry_from="wide")


def test_without_a_way_back_a_reading_cannot_be_carried(tmp_path):
    made = latentdb.create(tmp_path / "one_way.ldb")
    rng = np.random.default_rng(0)
    ids = np.arange(1, 101)
    X = rng.standard_normal((100, 4)).astype(np.float32)
    for name in ("a", "b"):
        made.store.add_space(Space(name, "embedding", 4, settings={"of": name}, spec="none"))
    items = [
        ItemRow(int(i), f"{i}.png", 8, 8, b"", {"up": bool(x[0] > 0)})
        for i, x in zip(ids, X, strict=True)
    ]
    vectors = {"a": SpaceRows(ids, X), "b": SpaceRows(ids, X[:, ::-1].copy())}
    made.store.write_batch(items=items, sources=[], vectors=vectors, quarantine=[])
    made.stitch("a", "b")
    made.fit_direction("up", space="a", label="up", method="lda")
    with pytest.raises(UnknownMapError, match="--from b --to a"):
        made.fit_direction("up", space="b", carry_from="a")
    assert made.fit_direction("up", space="b", carry_from="a", carry_as="movement").scores


def test_items_with_one_vector_lead_nowhere(tmp_path):
    made = latentdb.create(tmp_path / "same.ldb")
    made.store.add_space(Space("a", "embedding", 3, spec="none"))
    ids = np.arange(1, 4)
    items = [ItemRow(int(i), f"{i}.png", 8, 8, b"", {}) for i in ids]
    rows = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)
    made.store.write_batch(
        items=items, sources=[], vectors={"a": SpaceRows(ids, rows)}, quarantine=[]
    )
    with pytest.raises(ZeroVectorError, match="items 1 and 2 have the same vector"):
        made.fit_direction("step", space="a", pair=(1, 2))
    with pytest.raises(ZeroVectorError, match="same mean"):
        made.fit_direction("step", space="a", like=[1], unlike=[2])


@pytest.mark.parametrize("name", ["../out", "a/b", "a\\b", "a@narrow", ".hidden", "", " ", "a\0b"])
def test_a_name_that_would_lead_elsewhere_is_refused(db, name):
    with pytest.raises(QueryError, match="cannot be called"):
        db.fit_direction(name, space="narrow", label="tall")
