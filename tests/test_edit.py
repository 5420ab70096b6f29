"""Edits along directions: where the noise goes, which norm it has, what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from edit_faces import DIM, make_database
from PIL import Image

from indexers.errors import ParameterError, ZeroVectorError
from latentdb.database import LatentDB
from latentdb.directions.pair_svd import require_trajectory, svd_pair_shift
from latentdb.edit import NormRule, Pair
from latentdb.edit.sheet import edited_sheet
from latentdb.errors import (
    QueryError,
    SpaceMismatchError,
    UnknownDirectionError,
    UnknownItemError,
)
from latentdb.geometry import chi_mode


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory, tiny_model: Callable[[str], Path]) -> LatentDB:
    return make_database(tmp_path_factory.mktemp("edited"), tiny_model)


@pytest.fixture(scope="module")
def ids(db: LatentDB) -> list[int]:
    return [int(one) for one in db.store.item_ids()[:3]]


def noise_of(db: LatentDB, item: int) -> np.ndarray:
    return db.store.vectors("noise", [item])[0].astype(np.float64)


def test_without_a_norm_the_step_is_as_many_deviations_as_asked(
    db: LatentDB, ids: list[int]
) -> None:
    found = db.edit(ids[0], {"hat": 2.0}, norm="none")
    hat = db.direction("hat")
    expected = noise_of(db, ids[0]) + 2.0 * hat.std * hat.vector
    np.testing.assert_allclose(found.vectors[0], expected, atol=1e-5)
    lies = found.projections["hat"]
    assert lies.after[0] - lies.before == pytest.approx(2.0, abs=1e-4)


def test_several_directions_are_added_together(db: LatentDB, ids: list[int]) -> None:
    both = db.edit(ids[0], {"hat": 1.0, "smiling": -2.0}, norm="none").vectors[0]
    hat = db.edit(ids[0], {"hat": 1.0}, norm="none").vectors[0]
    sad = db.edit(ids[0], {"smiling": -2.0}, norm="none").vectors[0]
    np.testing.assert_allclose(both, hat + sad - noise_of(db, ids[0]), atol=1e-4)


@pytest.mark.parametrize("rule", ["own", "chi", "fitted"])
def test_the_norm_is_what_the_rule_says(db: LatentDB, ids: list[int], rule: NormRule) -> None:
    stored = db.store.all_vectors("noise").vectors.astype(np.float64)
    wanted = {
        "own": float(np.linalg.norm(noise_of(db, ids[1]))),
        "chi": chi_mode(DIM),
        "fitted": float(np.linalg.norm(stored, axis=1).mean()),
    }[rule]
    found = db.edit(ids[1], {"hat": 3.0}, norm=rule)
    assert found.norms[1] == pytest.approx(wanted, rel=1e-5)
    bare = db.edit(ids[1], {"hat": 3.0}, norm="none").vectors[0]
    cosine = bare @ found.vectors[0] / np.linalg.norm(bare) / np.linalg.norm(found.vectors[0])
    assert cosine == pytest.approx(1.0, abs=1e-6)


def test_a_strip_has_a_picture_for_each_strength(db: LatentDB, ids: list[int]) -> None:
    found = db.edit(ids[0], {"hat": 2.0, "smiling": 1.0}, strengths=[-1, 0, 0.5])
    assert [found.strengths(at)["hat"] for at in range(3)] == [-2.0, 0.0, 1.0]
    assert len(found.pictures) == 3
    assert found.pictures[1].tobytes() == found.round_trip.tobytes()
    alone = db.edit(ids[0], {"hat": 1.0, "smiling": 0.5})
    np.testing.assert_allclose(alone.vectors[0], found.vectors[2], atol=1e-5)


def test_the_round_trip_is_what_the_noise_decodes_to(db: LatentDB, ids: list[int]) -> None:
    found = db.edit(ids[0], {"hat": 1.0})
    assert found.round_trip.tobytes() == db.decode(found.start[None])[0].tobytes()
    seen, made = (np.asarray(one, np.float64) for one in (found.original, found.round_trip))
    expected = 10 * np.log10(255.0**2 / np.square(seen - made).mean())
    assert found.round_trip_psnr == pytest.approx(expected)


def test_projections_are_told_of_directions_not_asked_for(db: LatentDB, ids: list[int]) -> None:
    found = db.edit(ids[0], {"hat": 2.0})
    assert sorted(found.projections) == ["hat", "smiling"]
    smiling = db.direction("smiling")
    assert found.projections["smiling"].before == pytest.approx(
        smiling.project(noise_of(db, ids[0])[None])[0]
    )


def test_what_is_kept_has_no_part_in_the_step(db: LatentDB, ids: list[int]) -> None:
    free = db.edit(ids[0], {"hat": 2.0}, norm="none")
    kept = db.edit(ids[0], {"hat": 2.0}, norm="none", keep=["smiling"])
    lies = kept.projections["smiling"]
    assert lies.after[0] == pytest.approx(lies.before, abs=1e-4)
    assert abs(free.projections["smiling"].after[0] - lies.before) > 0.05
    lengths = [np.linalg.norm(one.vectors[0] - one.start) for one in (free, kept)]
    assert lengths[0] == pytest.approx(lengths[1], rel=1e-5)


def test_what_keeping_leaves_of_a_step_is_told(db: LatentDB, ids: list[int]) -> None:
    hat, smiling = (db.direction(name).vector for name in ("hat", "smiling"))
    assert db.edit(ids[0], {"hat": 2.0}).step.remaining == 1.0
    kept = db.edit(ids[0], {"hat": 2.0}, keep=["smiling"]).step
    # The part at right angles is as long as the sine of the angle between the two.
    assert kept.remaining == pytest.approx(np.sqrt(1 - (hat @ smiling) ** 2))


def test_a_picture_is_inverted_and_then_edited_alike(db: LatentDB, ids: list[int]) -> None:
    stored = db.edit(ids[0], {"hat": 1.5})
    shown = db.edit(image=db.picture(ids[0]), directions={"hat": 1.5})
    np.testing.assert_allclose(shown.vectors, stored.vectors, atol=1e-2)
    assert shown.to_json()["id"] is None
    assert len(db) == 60


def test_a_pairs_difference_is_added_by_its_strength(db: LatentDB, ids: list[int]) -> None:
    pair = Pair(ids[1], ids[2], method="difference", strength=0.5)
    found = db.edit(ids[0], pair=pair, norm="none", strengths=[1, 2])
    difference = noise_of(db, ids[2]) - noise_of(db, ids[1])
    for at, share in enumerate((0.5, 1.0)):
        expected = noise_of(db, ids[0]) + share * difference
        np.testing.assert_allclose(found.vectors[at], expected, atol=1e-4)


def test_a_pairs_svd_is_added_midway(db: LatentDB, ids: list[int]) -> None:
    found = db.edit(ids[0], pair=Pair(ids[1], ids[2], strength=0.5), norm="none")
    model = require_trajectory(db.model("noise"))
    shift = svd_pair_shift(model, *db.store.vectors("noise", ids[1:]))
    half = shift.apply(model, found.start[None], np.array([0.5]))
    np.testing.assert_allclose(found.vectors, half, atol=1e-4)
    assert np.abs(half - found.start).max() > 1e-2


def test_what_is_kept_is_kept_of_a_pair_too(db: LatentDB, ids: list[int]) -> None:
    for method in ("svd", "difference"):
        pair = Pair(ids[1], ids[2], method=method)
        found = db.edit(ids[0], pair=pair, norm="none", keep=["hat"])
        lies = found.projections["hat"]
        assert lies.after[0] == pytest.approx(lies.before, abs=1e-4)


def test_stored_noise_is_not_modified(db: LatentDB, ids: list[int]) -> None:
    before = noise_of(db, ids[0])
    found = db.edit(ids[0], {"hat": 5.0}, pair=Pair(ids[1], ids[2]))
    np.testing.assert_array_equal(found.start, before)
    np.testing.assert_array_equal(noise_of(db, ids[0]), before)


def test_json_says_what_was_done_and_what_came_of_it(db: LatentDB, ids: list[int]) -> None:
    found = db.edit(ids[0], {"hat": 2.0}, strengths=[1, 2], keep=["smiling"]).to_json()
    assert found["id"] == ids[0]
    asked = {"space": "noise", "directions": {"hat": 2.0}, "keep": ["smiling"], "norm": "own"}
    assert asked.items() <= found["edit"].items()
    assert [one["directions"]["hat"] for one in found["pictures"]] == [2.0, 4.0]
    assert sorted(found["pictures"][0]["projections"]) == ["hat", "smiling"]


@pytest.mark.parametrize("options", [{}, {"keep": ["smiling"], "norm": "none"}])
def test_a_sheet_shows_original_round_trip_and_edits(
    db: LatentDB, ids: list[int], options: dict[str, Any]
) -> None:
    one = edited_sheet(db.edit(ids[0], {"hat": 2.0}, **options))
    four = edited_sheet(db.edit(ids[0], {"hat": 2.0}, strengths=[1, 2, 3, 4], **options))
    assert four.width - one.width == 3 * (144 + 22)
    many = edited_sheet(db.edit(ids[0], {"hat": 1.0}, strengths=range(12), **options))
    assert many.height > four.height


def test_a_sheet_of_a_pair_and_of_a_picture_is_drawn(db: LatentDB, ids: list[int]) -> None:
    found = db.edit(image=Image.new("RGB", (40, 32)), pair=Pair(ids[0], ids[1]), strengths=[0, 1])
    assert edited_sheet(found).mode == "RGB"


def test_a_direction_of_another_space_says_how_to_carry_it(db: LatentDB, ids: list[int]) -> None:
    carry = "latentdb direction DB glasses --space noise --carry-from dino"
    with pytest.raises(SpaceMismatchError, match=carry):
        db.edit(ids[0], {"glasses": 1.0})
    with pytest.raises(SpaceMismatchError, match=carry):
        db.edit(ids[0], {"hat": 1.0}, keep=["glasses"])


@pytest.mark.parametrize(
    ("directions", "options", "error", "match"),
    [
        ({}, {}, QueryError, "nothing is to change"),
        ({"hat": 1.0}, {"space": "dino"}, QueryError, "no decoder"),
        ({"beard": 1.0}, {}, UnknownDirectionError, "no direction 'beard'"),
        ({"hat": float("nan")}, {}, ParameterError, "strength of hat"),
        ({"hat": 1.0}, {"strengths": []}, ParameterError, "one a picture"),
        ({"hat": 1.0}, {"strengths": [float("inf")]}, ParameterError, "finite"),
        ({"hat": 1.0}, {"keep": ["hat"]}, ZeroVectorError, "lies in their span"),
        ({"hat": 1.0}, {"image": Image.new("RGB", (32, 32))}, QueryError, "got both"),
    ],
)
def test_what_cannot_be_done_is_refused(
    db: LatentDB,
    ids: list[int],
    directions: dict[str, float],
    options: dict[str, Any],
    error: type[Exception],
    match: str,
) -> None:
    with pytest.raises(error, match=match):
        db.edit(ids[0], directions, **options)


def test_what_is_not_there_is_refused(db: LatentDB, ids: list[int]) -> None:
    with pytest.raises(QueryError, match="got neither"):
        db.edit(directions={"hat": 1.0})
    with pytest.raises(UnknownItemError, match="12345"):
        db.edit(12345, {"hat": 1.0})
    with pytest.raises(UnknownItemError, match="12345"):
        db.edit(ids[0], pair=Pair(ids[1], 12345))
    with pytest.raises(ZeroVectorError, match="same vector"):
        db.edit(ids[0], pair=Pair(ids[1], ids[1]))
    with pytest.raises(ParameterError, match="strength of the pair"):
        db.edit(ids[0], pair=Pair(ids[1], ids[2], strength=float("nan")))
