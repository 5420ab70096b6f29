"""The contract of every stitcher, and each against an independent solution."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from sklearn.cross_decomposition import CCA
from sklearn.linear_model import Ridge

from indexers.errors import DimensionError
from latentdb.errors import NotEnoughDataError
from latentdb.stitch import (
    CcaStitcher,
    PairMoments,
    ProcrustesStitcher,
    ReducedRankStitcher,
    RidgeStitcher,
)

STITCHERS = [RidgeStitcher, ReducedRankStitcher, ProcrustesStitcher, CcaStitcher]


def _views(n, dims=(10, 7), latent=4, noise=0.3, seed=0):
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(n, latent))
    return [
        Z @ rng.normal(size=(latent, dim)) + noise * rng.normal(size=(n, dim)) + 3.0 for dim in dims
    ]


@pytest.mark.parametrize("stitcher", STITCHERS)
class TestContract:
    def test_it_predicts_unseen_partners(self, stitcher):
        X, Y = _views(800)
        fitted = stitcher().fit(X[:600], Y[:600])
        error = ((Y[600:] - fitted.predict(X[600:])) ** 2).sum()
        assert error < 0.5 * ((Y[600:] - Y[:600].mean(0)) ** 2).sum()

    def test_parts_give_the_map_of_all_rows(self, stitcher):
        X, Y = _views(300)
        parts = stitcher().partial_fit(X[:100], Y[:100]).partial_fit(X[100:], Y[100:])
        np.testing.assert_allclose(parts.coef_, stitcher().fit(X, Y).coef_, atol=1e-8)

    def test_fit_begins_anew(self, stitcher):
        X, Y = _views(300)
        again = stitcher().fit(X[:100], Y[:100]).fit(X, Y)
        np.testing.assert_array_equal(again.coef_, stitcher().fit(X, Y).coef_)

    def test_a_shift_of_both_sides_changes_the_means_alone(self, stitcher):
        X, Y = _views(200)
        plain, moved = stitcher(selection="r2").fit(X, Y), stitcher(selection="r2")
        moved.fit(X + 5.0, Y - 2.0)
        np.testing.assert_allclose(moved.coef_, plain.coef_, atol=1e-8)

    def test_its_own_cross_moment_gives_its_own_map(self, stitcher):
        X, Y = _views(200)
        fitted = stitcher().fit(X, Y)
        same = fitted.with_cross_moment((X - X.mean(0)).T @ (Y - Y.mean(0)))
        np.testing.assert_allclose(same.coef_, fitted.coef_, atol=1e-8)

    def test_more_dimensions_than_rows_are_solved(self, stitcher):
        X, Y = _views(60, dims=(90, 70), noise=0.05)
        fitted = stitcher().fit(X[:50], Y[:50])
        error = ((Y[50:] - fitted.predict(X[50:])) ** 2).sum()
        assert error < 0.5 * ((Y[50:] - Y[:50].mean(0)) ** 2).sum()

    def test_rows_that_cannot_be_fitted_are_refused(self, stitcher):
        X, Y = _views(40)
        with pytest.raises(DimensionError, match="pair them"):
            stitcher().fit(X, Y[1:])
        with pytest.raises(NotEnoughDataError, match="source vectors are the same"):
            stitcher().fit(np.ones_like(X), Y)
        with pytest.raises(NotEnoughDataError, match="target vectors are the same"):
            stitcher().fit(X, np.ones_like(Y))


def test_procrustes_of_equal_widths_is_the_classical_rotation():
    X, Y = _views(300, dims=(6, 6))
    Xc, Yc = X - X.mean(0), Y - Y.mean(0)
    R, total = orthogonal_procrustes(Xc, Yc)
    expected = total / (Xc**2).sum() * R.T
    np.testing.assert_allclose(ProcrustesStitcher().fit(X, Y).coef_, expected, atol=1e-10)


@pytest.mark.parametrize("dims", [(9, 5), (5, 9)])
def test_procrustes_of_unequal_widths_is_a_scaled_partial_isometry(dims):
    X, Y = _views(300, dims=dims)
    fitted = ProcrustesStitcher().fit(X, Y)
    s = np.linalg.svd(fitted.coef_, compute_uv=False)
    np.testing.assert_allclose(s, np.full(5, fitted.scale_), rtol=1e-9)
    assert fitted.rank_ == 5


def test_reduced_rank_of_full_rank_is_ridge_and_its_rank_is_that_of_the_views():
    X, Y = _views(2000, noise=0.05)
    fitted = ReducedRankStitcher(selection="r2").fit(X, Y)
    assert np.linalg.matrix_rank(fitted.coef_, tol=1e-8) == fitted.rank_ == 4
    fitted.rank_ = 7
    full = fitted.with_cross_moment((X - X.mean(0)).T @ (Y - Y.mean(0)))
    expected = Ridge(fitted.regularisation_).fit(X, Y).coef_
    np.testing.assert_allclose(full.coef_, expected, atol=1e-8)


def test_reduced_rank_is_the_best_map_of_its_rank():
    X, Y = _views(400, noise=0.5)
    fitted = ReducedRankStitcher().fit(X, Y)
    Xc, Yc = X - X.mean(0), Y - Y.mean(0)
    fitted.rank_, fitted.regularisation_ = 2, 1e-9
    best = fitted.with_cross_moment(Xc.T @ Yc).coef_
    # Least squares: the fitted values' own best rank-2 approximation.
    values = Xc @ np.linalg.lstsq(Xc, Yc, rcond=None)[0]
    U, s, Vt = np.linalg.svd(values, full_matrices=False)
    np.testing.assert_allclose(Xc @ best.T, (U[:, :2] * s[:2]) @ Vt[:2], atol=1e-6)


def test_canonical_correlations_are_those_of_scikit_learn():
    X, Y = _views(500)
    moments = PairMoments(10, 7)
    moments.update(X, Y)
    fitted = CcaStitcher()
    fitted.regularisation_, fitted.rank_ = 1e-9, 3
    fitted._decompose(moments)
    fitted._solve(moments.cross_moment)
    A, B = CCA(3, max_iter=5000, tol=1e-10).fit(X, Y).transform(X, Y)
    expected = [np.corrcoef(A[:, i], B[:, i])[0, 1] for i in range(3)]
    np.testing.assert_allclose(fitted.correlations_, expected, atol=1e-4)


def test_cca_with_all_variables_is_ridge():
    X, Y = _views(300)
    fitted = CcaStitcher().fit(X, Y)
    fitted.rank_ = 7
    full = fitted.with_cross_moment((X - X.mean(0)).T @ (Y - Y.mean(0))).coef_
    np.testing.assert_allclose(full, Ridge(fitted.regularisation_).fit(X, Y).coef_, atol=1e-8)
