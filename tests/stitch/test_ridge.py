"""RidgeStitcher against closed forms and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from indexers.errors import DimensionError, NonFiniteError, ParameterError
from latentdb.errors import NotEnoughDataError
from latentdb.stitch import AbstractStitcher, RidgeStitcher
from latentdb.stitch.moments import PairMoments


def _pairs(n, source_dim, target_dim, *, seed=0, noise=0.1, offset=3.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, source_dim)) + offset
    W = rng.normal(size=(target_dim, source_dim)) / np.sqrt(source_dim)
    return X, X @ W.T + 5.0 + noise * rng.normal(size=(n, target_dim)), W


@settings(deadline=None, max_examples=40)
@given(
    n=st.integers(10, 40),
    source_dim=st.integers(1, 60),
    alpha=st.floats(1e-3, 1e3),
    seed=st.integers(0, 1000),
)
def test_solution_is_that_of_scikit_learn_in_both_forms(n, source_dim, alpha, seed):
    X, Y, _ = _pairs(n, source_dim, 4, seed=seed)
    ours = RidgeStitcher([alpha]).fit(X, Y)
    theirs = Ridge(alpha).fit(X, Y)
    assert ours.is_dual_ == (n < source_dim)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-8)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-8)


@pytest.mark.parametrize("n", [6, 50])
def test_every_point_of_the_path_solves_the_normal_equations(n):
    X, Y, _ = _pairs(n, 8, 3)
    moments = PairMoments(8, 3)
    moments.update(X, Y)
    spectrum = moments.source.spectrum()
    Xc, Yc = X - X.mean(0), Y - Y.mean(0)
    for alpha in (1e-6, 1.0, 1e4):
        solution = spectrum.power(moments.cross_moment, -1.0, shift=alpha)
        np.testing.assert_allclose((Xc.T @ Xc + alpha * np.eye(8)) @ solution, Xc.T @ Yc, atol=1e-7)


def test_primal_and_dual_forms_agree_on_rank_deficient_sources():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 3)) @ rng.normal(size=(3, 40))
    Y = rng.normal(size=(30, 2))
    dual = RidgeStitcher([0.5]).fit(X, Y)
    primal = RidgeStitcher([0.5]).fit(X[:, :20], Y)
    assert dual.is_dual_
    assert not primal.is_dual_
    np.testing.assert_allclose(dual.coef_, Ridge(0.5).fit(X, Y).coef_, atol=1e-8)
    np.testing.assert_allclose(primal.coef_, Ridge(0.5).fit(X[:, :20], Y).coef_, atol=1e-8)


def test_known_map_is_recovered_to_the_error_that_noise_allows():
    X, Y, W = _pairs(4000, 12, 5, noise=0.5)
    fitted = RidgeStitcher().fit(X, Y)
    # Least squares: Var(Ŵ_ij) = noise²/n for white sources.
    error = np.sqrt(((fitted.coef_ - W) ** 2).mean())
    assert error == pytest.approx(0.5 / np.sqrt(4000), rel=0.25)


@pytest.mark.parametrize("selection", ["retrieval", "r2"])
def test_chosen_strength_is_near_the_bayes_optimum(selection):
    # W_ij ~ N(0, τ²) and noise σ make λ* = σ²/τ² the optimum; here τ = 1/√60, σ = 2.
    X, Y, W = _pairs(300, 60, 40, noise=2.0, offset=0.0)
    fitted = RidgeStitcher(selection=selection).fit(X, Y)
    fresh = np.random.default_rng(9).normal(size=(2000, 60))

    def excess(coef):
        return ((fresh @ (coef - W).T) ** 2).mean()

    best = excess(Ridge(240.0).fit(X, Y).coef_)
    assert excess(fitted.coef_) < 1.35 * best
    assert excess(fitted.coef_) < 0.8 * excess(Ridge(1e-9).fit(X, Y).coef_)


def test_r2_selection_takes_the_best_validation_r2():
    X, Y, _ = _pairs(200, 30, 10, noise=2.0)
    fitted = RidgeStitcher([0.01, 1.0, 100.0, 1e4], selection="r2").fit(X, Y)
    assert fitted.regularisation_ == fitted.alphas_[fitted.validation_r2_.argmax()]


def test_retrieval_selection_takes_the_best_r2_among_equal_recalls():
    X, Y, _ = _pairs(200, 30, 10, noise=0.01)
    fitted = RidgeStitcher().fit(X, Y)
    recall, r2 = fitted.validation_recall_, fitted.validation_r2_
    assert recall.max() == 1.0
    assert (recall == 1.0).sum() > 1
    assert fitted.regularisation_ == fitted.alphas_[recall == 1.0][r2[recall == 1.0].argmax()]


def test_retrieval_selection_never_gives_up_more_than_a_standard_error_of_recall():
    X, Y, _ = _pairs(300, 30, 10, noise=1.5)
    fitted = RidgeStitcher().fit(X, Y)
    chosen = fitted.validation_recall_[fitted.alphas_ == fitted.regularisation_][0]
    best = fitted.validation_recall_.max()
    assert chosen >= best - np.sqrt(best * (1 - best) / 60)


def test_default_strengths_follow_the_scale_of_the_sources():
    X, Y, _ = _pairs(100, 10, 4)
    small, large = RidgeStitcher().fit(X, Y), RidgeStitcher().fit(1000 * X, Y)
    np.testing.assert_allclose(large.predict(1000 * X), small.predict(X), atol=1e-6)


def test_refit_is_a_fit_to_other_targets_at_the_same_strength():
    X, Y, _ = _pairs(60, 8, 3)
    fitted = RidgeStitcher().fit(X, Y)
    before = fitted.coef_.copy()
    shuffled = Y[::-1]
    centred = (X - X.mean(0)).T @ (shuffled - shuffled.mean(0))
    other = fitted.with_cross_moment(centred)
    expected = Ridge(fitted.regularisation_).fit(X, shuffled)
    np.testing.assert_allclose(other.coef_, expected.coef_, atol=1e-8)
    np.testing.assert_array_equal(fitted.coef_, before)
    assert isinstance(other, AbstractStitcher)


def test_the_same_seed_gives_the_same_map():
    X, Y, _ = _pairs(100, 10, 4, noise=1.0)
    first, second = (RidgeStitcher(seed=4).fit(X, Y) for _ in range(2))
    np.testing.assert_array_equal(first.coef_, second.coef_)


def test_fit_and_predict_leave_the_callers_arrays_alone():
    X, Y, _ = _pairs(40, 5, 2)
    X.setflags(write=False)
    Y.setflags(write=False)
    RidgeStitcher().fit(X, Y).predict(X)


def test_float32_sources_are_accumulated_in_float64():
    X, Y, _ = _pairs(500, 6, 2, offset=1000.0)
    X, Y = X.astype(np.float32), Y.astype(np.float32)
    ours = RidgeStitcher([1.0]).fit(X, Y)
    exact = Ridge(1.0).fit(X.astype(np.float64), Y.astype(np.float64))
    np.testing.assert_allclose(ours.coef_, exact.coef_, atol=1e-9)


def test_sources_or_targets_without_spread_are_refused():
    X, Y, _ = _pairs(40, 5, 2)
    for alphas in (None, [1.0]):
        with pytest.raises(NotEnoughDataError, match="source vectors are the same"):
            RidgeStitcher(alphas).fit(np.full_like(X, 0.1), Y)
    with pytest.raises(NotEnoughDataError, match="target vectors are the same"):
        RidgeStitcher().fit(X, np.ones_like(Y))


def test_rows_that_do_not_pair_up_are_refused():
    X, Y, _ = _pairs(40, 5, 2)
    with pytest.raises(DimensionError, match="40 rows and Y 39"):
        RidgeStitcher().fit(X, Y[1:])
    with pytest.raises(DimensionError, match=r"expected cross moments of shape \(5, 2\)"):
        RidgeStitcher().fit(X, Y).with_cross_moment(np.ones((4, 2)))
    with pytest.raises(NotEnoughDataError, match="at least 10 pairs, got 9"):
        RidgeStitcher().fit(X[:9], Y[:9])
    with pytest.raises(NonFiniteError, match="1 of 40"):
        RidgeStitcher().fit(np.where(np.arange(40)[:, None] == 3, np.nan, X), Y)


def test_settings_out_of_range_are_refused():
    with pytest.raises(ParameterError, match="positive"):
        RidgeStitcher([0.0, 1.0])
    with pytest.raises(ParameterError, match="retrieval"):
        RidgeStitcher(selection="magic")
