"""Norms against the chi law's own identities."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from indexers.errors import DimensionError, ParameterError, ZeroVectorError
from latentdb.geometry import chi_mean, chi_mode, chi_std, restore_norm

ROWS = hnp.arrays(
    np.float64, st.tuples(st.integers(1, 5), st.integers(1, 8)), elements=st.floats(0.01, 1e3)
)


@given(st.integers(1, 300_000))
def test_neighbouring_chi_means_multiply_to_the_dimension(dim):
    # Γ(x+1) = xΓ(x) makes E‖·‖_d E‖·‖_{d+1} = d exactly.
    assert chi_mean(dim) * chi_mean(dim + 1) == pytest.approx(dim, rel=1e-10)


def test_chi_law_in_one_and_two_dimensions():
    assert chi_mean(1) == pytest.approx(math.sqrt(2 / math.pi))
    assert chi_mean(2) == pytest.approx(math.sqrt(math.pi / 2))
    assert chi_mode(1) == 0.0


def test_chi_std_tends_to_root_half():
    assert chi_std(262_144) == pytest.approx(math.sqrt(0.5), abs=1e-5)
    assert chi_std(1) == pytest.approx(math.sqrt(1 - 2 / math.pi))


def test_chi_law_is_that_of_gaussian_vectors():
    norms = np.linalg.norm(np.random.default_rng(0).normal(size=(20_000, 64)), axis=1)
    assert norms.mean() == pytest.approx(chi_mean(64), abs=0.02)
    assert norms.std() == pytest.approx(chi_std(64), abs=0.02)


def test_no_dimension_below_one():
    with pytest.raises(ParameterError, match="at least 1"):
        chi_mean(0)


@given(ROWS, st.floats(0.1, 100))
def test_restored_rows_have_the_norm_and_keep_the_direction(rows, norm):
    restored = restore_norm(rows, norm)
    np.testing.assert_allclose(np.linalg.norm(restored, axis=1), norm)
    cosine = (restored * rows).sum(1) / norm / np.linalg.norm(rows, axis=1)
    np.testing.assert_allclose(cosine, 1.0)


def test_each_row_takes_its_own_norm_and_the_dtype_stays():
    rows = np.array([[3.0, 4.0], [0.0, 2.0]], dtype=np.float32)
    restored = restore_norm(rows, [10.0, 1.0])
    np.testing.assert_allclose(restored, [[6.0, 8.0], [0.0, 1.0]])
    assert restored.dtype == np.float32
    assert rows[0, 0] == 3.0


def test_one_vector_may_be_restored():
    np.testing.assert_allclose(restore_norm(np.array([3.0, 4.0]), 1.0), [0.6, 0.8])


def test_what_has_no_direction_is_refused():
    with pytest.raises(ZeroVectorError, match="no direction"):
        restore_norm(np.array([[0.0, 0.0], [1.0, 0.0]]), 1.0)


def test_norms_that_do_not_fit_are_refused():
    with pytest.raises(DimensionError, match="one norm, or one for each"):
        restore_norm(np.ones((2, 3)), [1.0, 1.0, 1.0])
    with pytest.raises(ParameterError, match="not negative"):
        restore_norm(np.ones((2, 3)), -1.0)
