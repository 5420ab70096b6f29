"""Vectors to be like and unlike, blended on the sphere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexers.errors import DimensionError, ParameterError, ZeroVectorError
from latentdb.geometry import slerp
from latentdb.geometry.blend import blend
from latentdb.geometry.errors import CutLocusError
from latentdb.geometry.lines import angle_between

DIM = 40
weights = st.floats(0.05, 20.0)


def _rows(seed: int, n: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, DIM))


def _angle(x: np.ndarray, y: np.ndarray) -> float:
    return angle_between(x / np.linalg.norm(x), y / np.linalg.norm(y))


@given(st.integers(0, 99), weights, weights)
def test_two_liked_meet_on_the_arc_by_their_weights(seed: int, one: float, other: float) -> None:
    rows = _rows(seed, 2)
    point = blend(rows, [one, other]) @ rows
    expected = slerp(rows[0], rows[1], other / (one + other))
    np.testing.assert_allclose(point, expected, atol=1e-6)


@given(st.integers(0, 99), weights, weights)
def test_to_be_unlike_is_to_be_like_the_opposite(seed: int, liked: float, unliked: float) -> None:
    rows = _rows(seed, 2)
    point = blend(rows, [liked, -unliked]) @ rows
    opposite = -rows[1] * np.linalg.norm(rows[0]) / np.linalg.norm(rows[1])
    expected = slerp(rows[0], opposite, unliked / (liked + unliked))
    np.testing.assert_allclose(point, expected, atol=1e-6)


@given(st.integers(0, 99), weights, weights)
def test_what_is_liked_lies_between_the_point_and_what_is_unliked(
    seed: int, liked: float, unliked: float
) -> None:
    rows = _rows(seed, 2)
    point = blend(rows, [liked, -unliked]) @ rows
    through = _angle(point, rows[0]) + _angle(rows[0], rows[1])
    assert _angle(point, rows[1]) == pytest.approx(through, abs=1e-6)


def test_a_point_that_is_opposite_already_stays() -> None:
    rows = np.array([[1.0, 0.0], [-3.0, 0.0]])
    np.testing.assert_allclose(blend(rows, [1.0, -5.0]) @ rows, rows[0])


def test_only_the_ratio_of_weights_matters() -> None:
    rows = _rows(3, 4)
    some = blend(rows, [1.0, 2.0, -0.5, -0.25])
    np.testing.assert_allclose(blend(rows, [4.0, 8.0, -2.0, -1.0]), some, rtol=1e-9)


def test_the_norm_is_the_mean_norm_of_what_is_liked() -> None:
    rows = _rows(4, 3)
    norms = np.linalg.norm(rows, axis=1)
    point = blend(rows, [1.0, 3.0, -1.0]) @ rows
    assert np.linalg.norm(point) == pytest.approx((norms[0] + 3 * norms[1]) / 4)


def test_a_vector_twice_counts_as_one_of_both_weights() -> None:
    rows = _rows(5, 2)
    twice = np.stack([rows[0], rows[0], rows[1]])
    np.testing.assert_allclose(
        blend(twice, [1.0, 2.0, 1.0]) @ twice, blend(rows, [3.0, 1.0]) @ rows, atol=1e-6
    )


def test_the_vectors_are_left_alone() -> None:
    rows = _rows(6, 3)
    before = rows.copy()
    blend(rows, [1.0, 1.0, -1.0])
    np.testing.assert_array_equal(rows, before)


@pytest.mark.parametrize(
    ("rows", "given", "match"),
    [
        ([[1.0, 0.0], [-1.0, 0.0]], [1.0, 1.0], "directions have a middle"),
        ([[1.0, 0.0], [2.0, 0.0]], [1.0, -1.0], "are the same direction"),
        ([[1.0, 0.0], [0.0, 1.0], [0.0, -1.0]], [1.0, -1.0, -1.0], "directions have a middle"),
    ],
)
def test_parts_that_contradict_one_another_are_refused(
    rows: list[list[float]], given: list[float], match: str
) -> None:
    with pytest.raises(CutLocusError, match=match):
        blend(np.array(rows), given)


@pytest.mark.parametrize(
    ("given", "error", "match"),
    [
        ([1.0], DimensionError, "one weight for each"),
        ([1.0, 0.0], ParameterError, "other than 0"),
        ([-1.0, -1.0], ParameterError, "at least one of them positive"),
    ],
)
def test_weights_that_do_not_weigh_are_refused(
    given: list[float], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        blend(_rows(0, 2), given)


def test_a_vector_without_a_direction_is_refused() -> None:
    with pytest.raises(ZeroVectorError, match="zero vector in row 1"):
        blend(np.array([[1.0, 0.0], [0.0, 0.0]]), [1.0, 1.0])
