"""Tests of many samples at once, against SciPy's of one at a time."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from latentdb.report.gaussianity import moments
from latentdb.report.normality import (
    anderson_darling,
    pass_counts,
    passes_anderson_darling,
    rates,
)


@pytest.fixture
def samples() -> NDArray[np.float64]:
    """Columns of 250: Gaussian, uniform, heavy-tailed, skewed; twelve of each."""
    rng = np.random.default_rng(3)
    shape = (250, 12)
    kinds = (
        rng.normal(5.0, 2.0, shape),
        rng.uniform(size=shape),
        rng.standard_t(4, shape),
        rng.gamma(9.0, size=shape),
    )
    return np.concatenate(kinds, axis=1)


def test_anderson_darling_is_scipys_row_by_row(samples: NDArray[np.float64]) -> None:
    expected = [
        stats.anderson(column, "norm", method="interpolate").statistic for column in samples.T
    ]
    np.testing.assert_allclose(anderson_darling(samples), expected, rtol=1e-9)


def test_passing_is_scipys_verdict_at_five_per_cent(samples: NDArray[np.float64]) -> None:
    expected = [
        stats.anderson(column, "norm", method="interpolate").pvalue >= 0.05 for column in samples.T
    ]
    assert passes_anderson_darling(samples).tolist() == expected
    assert 0 < sum(expected) < len(expected)


def test_counts_are_those_of_single_tests(samples: NDArray[np.float64]) -> None:
    dagostino = sum(stats.normaltest(column).pvalue > 0.05 for column in samples.T)
    shapiro = sum(stats.shapiro(column).pvalue > 0.05 for column in samples.T)
    assert pass_counts(samples)[1:].tolist() == [dagostino, shapiro]


def test_gaussian_samples_pass_ninety_five_times_in_a_hundred() -> None:
    drawn = np.random.default_rng(0).standard_normal((250, 2000))
    found = rates(pass_counts(drawn), n_tests=2000, n_samples=250)
    for rate in (found.anderson_darling, found.dagostino_pearson, found.shapiro_wilk):
        assert rate == pytest.approx(0.95, abs=0.02)


def test_a_constant_sample_passes_nothing() -> None:
    assert pass_counts(np.ones((250, 3))).tolist() == [0, 0, 0]


def test_moments_are_scipys_over_blocks_of_dimensions() -> None:
    rows = np.random.default_rng(2).gamma(3.0, size=(150, 1500)).astype(np.float32)
    exact = rows.astype(np.float64)
    expected = [exact.mean(axis=0), exact.std(axis=0), stats.skew(exact)]
    expected.append(stats.kurtosis(exact, fisher=False))
    np.testing.assert_allclose(moments(rows), expected, rtol=1e-9)


def test_float32_samples_are_tested_as_float64() -> None:
    drawn = np.random.default_rng(1).normal(1000.0, 1.0, (250, 5)).astype(np.float32)
    np.testing.assert_allclose(anderson_darling(drawn), anderson_darling(drawn.astype(np.float64)))
