"""Noise codes as planes: correlation of places, and singular values of channels."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from latentdb.report.autocorrelation import SpaceAutocorrelation, autocorrelation
from latentdb.report.singular_values import SpaceSingularValues, channel_values


@pytest.fixture
def codes() -> NDArray[np.float32]:
    """Forty codes of two channels of 7 × 5, each place the mean of itself and its right one."""
    white = np.random.default_rng(0).standard_normal((40, 2, 7, 6), dtype=np.float32)
    return (white[..., 1:] + white[..., :-1]) / 2


def test_correlations_are_those_of_a_plain_loop(codes: NDArray[np.float32]) -> None:
    values, deviation = autocorrelation(codes)
    most = len(values) // 2
    variance = np.mean(codes.astype(np.float64) ** 2)
    for down, across in ((0, 0), (0, 1), (2, 0), (1, -3), (-1, 3), (4, 4)):
        products = [
            code[y, x] * code[y + down, x + across]
            for code in codes.reshape(-1, 7, 5).astype(np.float64)
            for y in range(7)
            for x in range(5)
            if 0 <= y + down < 7 and 0 <= x + across < 5
        ]
        at = (most + down, most + across)
        assert values[at] == pytest.approx(np.mean(products) / variance)
        assert deviation[at] == pytest.approx(1 / np.sqrt(len(products)))


def test_a_moving_mean_of_two_correlates_by_half(codes: NDArray[np.float32]) -> None:
    values, _ = autocorrelation(codes)
    assert values[4, 5] == pytest.approx(0.5, abs=0.06)
    assert values[5, 4] == pytest.approx(0.0, abs=0.08)


def test_white_noise_stays_in_its_band() -> None:
    white = np.random.default_rng(1).standard_normal((500, 4, 8, 8), dtype=np.float32)
    one = SpaceAutocorrelation(*autocorrelation(white), (4, 8, 8), 0.0, 500)
    assert one.outside() < 0.16
    assert abs(one.nearest) < one.by_lag()[1][0]


def test_singular_values_are_of_codes_scaled_to_one() -> None:
    codes = np.random.default_rng(2).normal(0, 7.0, (6, 3, 5, 4)).astype(np.float32)
    scaled = codes[2] / np.sqrt((codes[2].astype(np.float64) ** 2).mean())
    expected = [np.linalg.svd(channel)[1] for channel in scaled]
    np.testing.assert_allclose(channel_values(codes)[2], expected, rtol=1e-5)
    np.testing.assert_allclose(channel_values(codes * 3), channel_values(codes), rtol=1e-5)


def test_a_pattern_in_one_channel_is_excess() -> None:
    rng = np.random.default_rng(3)
    white = rng.standard_normal((400, 4, 16, 16), dtype=np.float32)
    marked = rng.standard_normal((400, 4, 16, 16), dtype=np.float32)
    marked[:, 2] += 1.0
    edge = 8.0
    plain = SpaceSingularValues(channel_values(white[:200]), channel_values(white[200:]), edge)
    assert plain.above < 0.05
    found = SpaceSingularValues(channel_values(marked), channel_values(white), edge)
    assert found.above > 0.95
    assert found.excess(found.values).mean() > 0.5
