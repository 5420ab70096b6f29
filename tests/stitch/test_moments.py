"""PairMoments, Gram and Spectrum against the formulas on all rows at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexers.errors import DimensionError, NonFiniteError, ParameterError
from latentdb.stitch.gram import GramLimits
from latentdb.stitch.moments import PairMoments


def _rows(n, dims=(5, 3), seed=0, offset=0.0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, dim)) * (1 + np.arange(dim)) + offset for dim in dims]


def _assert_moments_of(moments, X, Y, rtol=1e-9):
    Xc, Yc = X - X.mean(0), Y - Y.mean(0)
    scale = np.sqrt((Xc**2).sum() * (Yc**2).sum())
    np.testing.assert_allclose(moments.source.mean, X.mean(0), rtol=rtol)
    np.testing.assert_allclose(moments.cross_moment, Xc.T @ Yc, atol=rtol * scale)
    np.testing.assert_allclose(moments.source.gram.dense(), Xc.T @ Xc, atol=rtol * (Xc**2).sum())
    np.testing.assert_allclose(moments.target.gram.dense(), Yc.T @ Yc, atol=rtol * (Yc**2).sum())
    assert moments.target.square_sum == pytest.approx((Yc**2).sum())
    assert moments.target.norm_sum == pytest.approx(np.linalg.norm(Y, axis=1).sum())


@settings(deadline=None, max_examples=30)
@given(cuts=st.lists(st.integers(1, 59), max_size=5), seed=st.integers(0, 100))
def test_batches_of_any_size_give_the_moments_of_all_rows(cuts, seed):
    X, Y = _rows(60, seed=seed, offset=7.0)
    moments = PairMoments(5, 3)
    for part in np.split(np.arange(60), sorted(set(cuts))):
        moments.update(X[part], Y[part])
    _assert_moments_of(moments, X, Y)


@pytest.mark.parametrize("cut", [2, 4, 30, 58])
def test_moments_merge_in_every_form(cut):
    X, Y = _rows(60)
    left, right = PairMoments(5, 3), PairMoments(5, 3)
    left.update(X[:cut], Y[:cut])
    right.update(X[cut:], Y[cut:])
    left.merge(right)
    _assert_moments_of(left, X, Y)
    assert right.n == 60 - cut


def test_rows_far_from_the_origin_keep_their_digits():
    X, Y = _rows(4000, offset=1e6)
    moments = PairMoments(5, 3)
    for start in range(0, 4000, 100):
        moments.update(X[start : start + 100], Y[start : start + 100])
    _assert_moments_of(moments, X, Y, rtol=1e-8)


def test_memory_does_not_grow_with_the_rows():
    X, Y = _rows(100)
    moments = PairMoments(5, 3)
    sizes = []
    for _ in range(20):
        moments.update(X, Y)
        sizes.append(sum(array.nbytes for array in moments.to_arrays().values()))
    assert len(set(sizes)) == 1


def test_arrays_restore_the_moments():
    X, Y = _rows(60)
    moments, twin = PairMoments(5, 3), PairMoments(5, 3)
    moments.update(X[:30], Y[:30])
    twin.restore(moments.to_arrays())
    twin.update(X[30:], Y[30:])
    _assert_moments_of(twin, X, Y)


def test_a_joined_copy_leaves_the_moments_alone():
    X, Y = _rows(60)
    moments = PairMoments(5, 3)
    moments.update(X[:3], Y[:3])
    _assert_moments_of(moments.joined(X[3:], Y[3:]), X, Y)
    _assert_moments_of(moments, X[:3], Y[:3])


def test_a_sketch_as_wide_as_the_rows_is_exact():
    X, Y = _rows(200, dims=(20, 3))
    limits = GramLimits(max_dense_dim=10, max_rows=50, sketch_dim=20)
    moments = PairMoments(20, 3, with_target_gram=False, limits=limits)
    for start in range(0, 200, 40):
        moments.update(X[start : start + 40], Y[start : start + 40])
    spectrum = moments.source.spectrum()
    Xc = X - X.mean(0)
    assert spectrum.form == "sketch"
    found = spectrum.power(moments.cross_moment, -1.0, shift=3.0)
    exact = np.linalg.solve(Xc.T @ Xc + 3.0 * np.eye(20), moments.cross_moment)
    np.testing.assert_allclose(found, exact, rtol=1e-5, atol=1e-7)


def test_a_sketch_finds_a_map_from_a_few_strong_directions():
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(2000, 8))
    X = Z @ (3 * rng.normal(size=(8, 120))) + 0.3 * rng.normal(size=(2000, 120))
    Y = Z @ rng.normal(size=(8, 4))
    limits = GramLimits(max_dense_dim=64, max_rows=100, sketch_dim=40)
    sketched = PairMoments(120, 4, with_target_gram=False, limits=limits)
    sketched.update(X, Y)
    exact = PairMoments(120, 4, with_target_gram=False)
    exact.update(X, Y)
    ours, theirs = (
        m.source.spectrum().power(m.cross_moment, -1.0, shift=10.0) for m in (sketched, exact)
    )
    Xc, Yc = X - X.mean(0), Y - Y.mean(0)

    def error(solution):
        return ((Yc - Xc @ solution) ** 2).sum() / (Yc**2).sum()

    assert error(ours) < error(theirs) + 0.002
    assert sketched.source.spectrum().scale == pytest.approx((Xc**2).sum() / 120)


def test_drawn_sources_have_the_covariance_of_the_rows():
    X, Y = _rows(60)
    moments = PairMoments(5, 3)
    moments.update(X, Y)
    drawn = moments.source.spectrum().gaussian(40_000, rng=np.random.default_rng(0))
    Xc = X - X.mean(0)
    np.testing.assert_allclose(drawn.T @ drawn / 40_000, Xc.T @ Xc, atol=0.03 * (Xc**2).sum())


def test_rows_that_do_not_fit_are_refused():
    X, Y = _rows(60)
    moments = PairMoments(5, 3)
    with pytest.raises(DimensionError, match="60 rows and Y 59"):
        moments.update(X, Y[1:])
    with pytest.raises(DimensionError, match=r"expected an array of shape \(n, 5\)"):
        moments.update(Y, X)
    with pytest.raises(NonFiniteError, match="60 of 60"):
        moments.update(X * np.nan, Y)
    with pytest.raises(ParameterError, match="do not join"):
        moments.merge(PairMoments(3, 5))
    with pytest.raises(ParameterError, match="without it do not join"):
        moments.merge(PairMoments(5, 3, with_target_gram=False))
