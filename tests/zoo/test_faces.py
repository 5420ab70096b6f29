"""The generator of faces: what it promises about one face, and about many."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from latentdb.zoo.faces import (
    ATTRIBUTES,
    CORRELATIONS,
    DEMO_SEED,
    EVALUATION_SEED,
    RARE,
    SIZE,
    TRAINING_SEED,
    Face,
    draw_face,
    faces,
    write_folder,
)
from latentdb.zoo.faces_draw import draw, draw_style
from latentdb.zoo.training_data import face_arrays

ANY_SEED = 77


@pytest.fixture(scope="module")
def many() -> list[Face]:
    return list(faces(800, seed=ANY_SEED))


@pytest.fixture(scope="module")
def table(many: list[Face]) -> dict[str, np.ndarray]:
    return {name: np.array([face.attributes[name] for face in many]) for name in ATTRIBUTES}


def test_a_face_is_a_function_of_seed_and_index() -> None:
    first, second = draw_face(3, 17), draw_face(3, 17)
    assert first.attributes == second.attributes
    assert first.image.tobytes() == second.image.tobytes()


def test_a_face_does_not_depend_on_those_before_it() -> None:
    in_a_row = list(faces(4, seed=5, start=10))[3]
    assert in_a_row.index == 13
    assert in_a_row.image.tobytes() == draw_face(5, 13).image.tobytes()


def test_faces_differ_between_indices_and_seeds() -> None:
    pictures = {draw_face(seed, index).image.tobytes() for seed in range(3) for index in range(20)}
    assert len(pictures) == 60


def test_training_evaluation_and_demo_use_different_seeds() -> None:
    assert len({TRAINING_SEED, EVALUATION_SEED, DEMO_SEED}) == 3


def test_a_face_is_a_small_rgb_picture_with_every_attribute() -> None:
    face = draw_face(ANY_SEED, 0)
    assert face.image.size == (SIZE, SIZE)
    assert face.image.mode == "RGB"
    assert tuple(face.attributes) == ATTRIBUTES


@pytest.mark.parametrize(("seed", "index"), [(-1, 0), (0, -1)])
def test_a_negative_seed_or_index_is_refused(seed: int, index: int) -> None:
    with pytest.raises(ValueError, match="start at 0"):
        draw_face(seed, index)


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_every_attribute_is_visible(name: str) -> None:
    style = draw_style(np.random.default_rng(1))
    off = np.asarray(draw(dict.fromkeys(ATTRIBUTES, False), style), float)
    on = np.asarray(draw({a: a == name for a in ATTRIBUTES}, style), float)
    changed = np.abs(on - off).max(axis=2) > 40
    assert changed.sum() >= 20


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_every_attribute_is_held_by_some_and_not_by_all(
    table: dict[str, np.ndarray], name: str
) -> None:
    assert 0.2 < table[name].mean() < 0.8


@pytest.mark.parametrize(("pair", "sign"), CORRELATIONS.items())
def test_correlations_have_their_documented_sign(
    table: dict[str, np.ndarray], pair: tuple[str, str], sign: int
) -> None:
    assert sign * np.corrcoef(table[pair[0]], table[pair[1]])[0, 1] > 0.1


@pytest.mark.parametrize("combination", RARE)
def test_rare_combinations_are_rare_and_exist(
    table: dict[str, np.ndarray], combination: tuple[str, ...]
) -> None:
    held = np.logical_and.reduce([table[name] for name in combination])
    assert 0 < held.mean() < 1 / 12


def test_the_folder_holds_pictures_and_labels_that_agree(tmp_path: Path) -> None:
    labels = write_folder(tmp_path / "faces", 5, seed=9, start=2)
    with labels.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == [f"face_{i:05d}.png" for i in range(2, 7)]
    for row, face in zip(rows, faces(5, seed=9, start=2), strict=True):
        with Image.open(labels.parent / row["path"]) as stored:
            assert stored.tobytes() == face.image.tobytes()
        assert {name: row[name] == "true" for name in ATTRIBUTES} == face.attributes
        assert row["caption"] == face.caption


def test_the_command_writes_a_folder(tmp_path: Path) -> None:
    import typer

    from latentdb.zoo import faces as module

    app = typer.Typer()
    app.command()(module._main)
    result = CliRunner().invoke(app, [str(tmp_path), "--n", "3", "--seed", "4"])
    assert result.exit_code == 0
    assert len(list(tmp_path.glob("*.png"))) == 3


def test_arrays_hold_the_faces_and_are_read_back_from_the_cache(tmp_path: Path) -> None:
    drawn = face_arrays(3, seed=8, cache=tmp_path, workers=1)
    again = face_arrays(3, seed=8, cache=tmp_path, workers=1)
    assert np.array_equal(drawn.pixels[2], np.asarray(draw_face(8, 2).image))
    assert drawn.attributes[1].tolist() == list(draw_face(8, 1).attributes.values())
    assert np.array_equal(drawn.pixels, again.pixels)
