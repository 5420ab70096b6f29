"""Straight lines and arcs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexers.errors import DimensionError, ParameterError, ZeroVectorError
from latentdb.geometry import interpolate, lerp, slerp
from latentdb.geometry.errors import CutLocusError

SEED = st.integers(0, 2**32 - 1)
FRACTION = st.floats(0, 1)


def _pair(seed: int, dim: int = 16):
    rng = np.random.default_rng(seed)
    return rng.normal(size=dim) * rng.uniform(0.5, 3), rng.normal(size=dim) * rng.uniform(0.5, 3)


def _angle(u, v) -> float:
    return float(np.arccos(np.clip(u @ v / np.linalg.norm(u) / np.linalg.norm(v), -1, 1)))


@given(SEED, FRACTION)
def test_slerp_divides_the_angle_and_the_norm_in_proportion(seed, t):
    start, end = _pair(seed)
    point = slerp(start, end, t)
    total = _angle(start, end)
    assert _angle(start, point) == pytest.approx(t * total, abs=1e-6)
    assert _angle(point, end) == pytest.approx((1 - t) * total, abs=1e-6)
    norm = (1 - t) * np.linalg.norm(start) + t * np.linalg.norm(end)
    assert np.linalg.norm(point) == pytest.approx(norm)


@given(SEED, FRACTION)
def test_slerp_read_backwards_is_the_same_curve(seed, t):
    start, end = _pair(seed)
    np.testing.assert_allclose(slerp(start, end, t), slerp(end, start, 1 - t), atol=1e-9)


@given(SEED)
def test_slerp_commutes_with_rotation(seed):
    start, end = _pair(seed)
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(16, 16)))
    np.testing.assert_allclose(
        turn @ slerp(start, end, 0.3), slerp(turn @ start, turn @ end, 0.3), atol=1e-9
    )


def test_slerp_of_a_tiny_angle_keeps_its_digits():
    start, end = np.array([1.0, 0.0]), np.array([1.0, 1e-9])
    assert slerp(start, end, 0.5)[1] == pytest.approx(5e-10, rel=1e-6)


def test_slerp_from_a_vector_to_its_multiple_stays_on_its_ray():
    start = np.array([1.0, 2.0, 2.0])
    np.testing.assert_allclose(slerp(start, 3 * start, 0.5), 2 * start)


@given(SEED, FRACTION)
def test_lerp_is_linear_and_meets_both_ends(seed, t):
    start, end = _pair(seed)
    np.testing.assert_allclose(lerp(start, end, t) - start, t * (end - start), atol=1e-12)
    np.testing.assert_array_equal(lerp(start, end, 1.0), end)


def test_lerp_leaves_the_shell_where_slerp_stays():
    start, end = np.eye(2, dtype=np.float32)
    assert np.linalg.norm(lerp(start, end, 0.5)) == pytest.approx(np.sqrt(0.5))
    assert np.linalg.norm(slerp(start, end, 0.5)) == pytest.approx(1.0)
    assert slerp(start, end, 0.5).dtype == np.float32


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_antipodal_points_have_no_one_arc(dtype):
    start = np.random.default_rng(0).normal(size=64).astype(dtype)
    with pytest.raises(CutLocusError, match="antipodal"):
        slerp(start, -2 * start, 0.5)


def test_bad_ends_and_fractions_are_refused():
    ones = np.ones(3)
    with pytest.raises(ZeroVectorError, match="norm zero"):
        slerp(ones, np.zeros(3), 0.5)
    with pytest.raises(DimensionError, match="one length"):
        lerp(ones, np.ones(4), 0.5)
    with pytest.raises(ParameterError, match=r"in \[0, 1\]"):
        lerp(ones, ones, 1.5)


@pytest.mark.parametrize("method", ["slerp", "lerp"])
def test_interpolation_runs_from_end_to_end_at_equal_fractions(method):
    start, end = _pair(3)
    points = interpolate(start, end, steps=5, method=method)
    assert points.shape == (5, 16)
    np.testing.assert_allclose(points[[0, -1]], [start, end], atol=1e-12)
    curve = {"slerp": slerp, "lerp": lerp}[method]
    np.testing.assert_allclose(points[2], curve(start, end, 0.5))


def test_interpolation_refuses_what_it_does_not_know():
    with pytest.raises(ParameterError, match=r"one of .*slerp, lerp"):
        interpolate(*_pair(0), steps=3, method="spline")
    with pytest.raises(ParameterError, match="steps of at least 2"):
        interpolate(*_pair(0), steps=1)
