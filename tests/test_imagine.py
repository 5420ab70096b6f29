"""The law of a map's residuals: what it finds, what it leaves alone, what it draws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from indexers.errors import DimensionError, ParameterError
from latentdb.errors import ArtefactError, NotEnoughDataError
from latentdb.held_out import split_by_item
from latentdb.imagine import LawOptions, ResidualLaw, fit_residual_law
from latentdb.space import Space
from latentdb.stitch import LinearMap, MapOptions, fit_map
from latentdb.stitch.chain import MapChain

CLIP = Space("clip", "embedding", 6, "clip", {"model": "tiny"})
SEEN = Space("seen", "embedding", 6, "seen", {"model": "other"})
NOISE = Space("noise", "noise", 24, "noise", {"steps": 3})
COUNT, RANK = 3000, 3
OPTIONS = LawOptions(max_rank=12)
FEW = MapOptions(n_permutations=0, n_resamples=20)


class Pairs:
    """Stored pairs that are read in batches of some size."""

    def __init__(self, ids: np.ndarray, X: np.ndarray, Y: np.ndarray) -> None:
        self.ids, self.X, self.Y = ids, X, Y

    def batches(self, rows: int = 500):
        def read() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
            for start in range(0, len(self.ids), rows):
                part = slice(start, start + rows)
                yield self.ids[part], self.X[part], self.Y[part]

        return read


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    """Covariance of the residuals: three strong axes and unequal coordinates."""
    rng = np.random.default_rng(1)
    axes = np.linalg.qr(rng.standard_normal((24, RANK)))[0]
    return (axes * [9.0, 6.0, 4.0]) @ axes.T + np.diag(rng.uniform(0.3, 0.9, 24))


@pytest.fixture(scope="module")
def pairs(truth: np.ndarray) -> Pairs:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((COUNT, 6))
    noise = rng.multivariate_normal(np.zeros(24), truth, size=COUNT)
    Y = X @ rng.standard_normal((6, 24)) + noise + 2.0
    ids = rng.choice(2**62, size=COUNT, replace=False)
    return Pairs(ids, X.astype(np.float32), Y.astype(np.float32))


def mapped(pairs: Pairs) -> LinearMap:
    return fit_map(pairs.X, pairs.Y, spaces=(CLIP, NOISE), ids=pairs.ids, options=FEW)


@pytest.fixture(scope="module")
def linear_map(pairs: Pairs) -> LinearMap:
    return mapped(pairs)


@pytest.fixture(scope="module")
def law(pairs: Pairs, linear_map: LinearMap) -> ResidualLaw:
    return fit_residual_law(pairs.batches(), alone(linear_map), options=OPTIONS)


def alone(linear_map: LinearMap) -> MapChain:
    return MapChain((linear_map,))


def covariance(law: ResidualLaw) -> np.ndarray:
    return (law.axes.T.astype(float) * law.variances) @ law.axes + np.diag(law.diagonal)


def test_covariance_is_that_of_the_residuals(law: ResidualLaw, truth: np.ndarray) -> None:
    error = np.linalg.norm(covariance(law) - truth) / np.linalg.norm(truth)
    assert law.rank == RANK
    assert error < 0.1


def test_its_size_is_that_of_residuals_held_out(
    law: ResidualLaw, pairs: Pairs, linear_map: LinearMap, truth: np.ndarray
) -> None:
    residuals = (pairs.Y - linear_map.transform(pairs.X))[split_by_item(pairs.ids, seed=0)]
    assert law.total_variance == pytest.approx((residuals**2).sum(axis=1).mean(), rel=1e-5)
    # Three standard errors of the mean squared norm of 600 draws.
    error = 3.0 * np.sqrt(2.0 * np.square(truth).sum() / 600)
    assert law.total_variance == pytest.approx(np.trace(truth), abs=error)


def test_axes_are_the_leading_eigenvectors(
    law: ResidualLaw, pairs: Pairs, linear_map: LinearMap
) -> None:
    is_test = split_by_item(pairs.ids, seed=0)
    residuals = (pairs.Y - linear_map.transform(pairs.X))[~is_test].astype(float)
    _, vectors = np.linalg.eigh(residuals.T @ residuals)
    cosines = np.linalg.svd(law.axes @ vectors[:, -RANK:])[1]
    assert cosines == pytest.approx(np.ones(RANK), abs=1e-4)


def test_size_of_batches_does_not_matter(
    law: ResidualLaw, pairs: Pairs, linear_map: LinearMap
) -> None:
    other = fit_residual_law(pairs.batches(rows=77), alone(linear_map), options=OPTIONS)
    np.testing.assert_allclose(covariance(other), covariance(law), atol=1e-5)


def test_held_out_pairs_give_the_size_alone(pairs: Pairs, linear_map: LinearMap) -> None:
    is_test = split_by_item(pairs.ids, seed=0)
    predicted = linear_map.transform(pairs.X)
    wider = np.where(is_test[:, None], predicted + 3.0 * (pairs.Y - predicted), pairs.Y)
    options = LawOptions(max_rank=0)
    one = fit_residual_law(pairs.batches(), alone(linear_map), options=options)
    spread = Pairs(pairs.ids, pairs.X, wider.astype(np.float32))
    other = fit_residual_law(spread.batches(), alone(linear_map), options=options)
    np.testing.assert_allclose(other.diagonal, 9.0 * one.diagonal, rtol=1e-5)


def test_a_map_of_few_pairs_has_its_residuals_widened() -> None:
    rng = np.random.default_rng(2)
    X, noise = rng.standard_normal((90, 6)), rng.standard_normal((90, 24))
    few = Pairs(np.arange(90), X.astype(np.float32), noise.astype(np.float32))
    linear_map = replace(mapped(few), weight=np.linalg.lstsq(X, noise, rcond=None)[0].T)
    assert fit_residual_law(few.batches(), alone(linear_map)).rank == 0
    overfitted = mapped(few)
    law = fit_residual_law(few.batches(), alone(overfitted), options=LawOptions(max_rank=0))
    assert law.total_variance == pytest.approx(24, rel=0.2)


def test_log_density_is_the_gaussians(law: ResidualLaw) -> None:
    rows = np.random.default_rng(3).standard_normal((5, 24))
    expected = multivariate_normal(np.zeros(24), covariance(law)).logpdf(rows)
    assert law.log_density(rows) == pytest.approx(expected)


def test_scores_are_held_out_densities(
    law: ResidualLaw, pairs: Pairs, linear_map: LinearMap
) -> None:
    is_test = split_by_item(pairs.ids, seed=0)
    residuals = (pairs.Y - linear_map.transform(pairs.X))[is_test]
    assert max(law.scores.log_likelihoods) == pytest.approx(
        law.log_density(residuals).mean() / 24, abs=1e-6
    )
    assert law.scores.isotropic < min(law.scores.log_likelihoods)
    assert law.scores.n_held_out == is_test.sum()


def test_draws_have_the_covariance_of_the_law(law: ResidualLaw) -> None:
    drawn = law.draw(40_000, seed=0)
    error = np.linalg.norm(np.cov(drawn.T) - covariance(law)) / np.linalg.norm(covariance(law))
    assert error < 0.05
    assert np.abs(drawn.mean(axis=0)).max() < 0.06


def test_a_seed_gives_the_same_draws_whatever_their_number(law: ResidualLaw) -> None:
    np.testing.assert_array_equal(law.draw(3, seed=5), law.draw(8, seed=5)[:3])
    assert not np.allclose(law.draw(3, seed=5), law.draw(3, seed=6))


def test_a_law_comes_back_from_its_file(law: ResidualLaw, tmp_path: Path) -> None:
    law.save(tmp_path / "law.safetensors")
    back = ResidualLaw.load(tmp_path / "law.safetensors")
    np.testing.assert_array_equal(back.draw(2, seed=0), law.draw(2, seed=0))
    assert back.to_json() == law.to_json()


def test_a_law_belongs_to_one_map(law: ResidualLaw, linear_map: LinearMap, pairs: Pairs) -> None:
    assert law.is_of(alone(linear_map))
    assert law.is_of(alone(mapped(pairs)))
    assert not law.is_of(alone(replace(linear_map, target_mean=linear_map.target_mean + 1e-9)))


def test_the_law_of_a_chain_holds_what_each_of_its_maps_lost(
    pairs: Pairs, linear_map: LinearMap
) -> None:
    rng = np.random.default_rng(4)
    seen = pairs.X @ rng.standard_normal((6, 6)) + 0.8 * rng.standard_normal((COUNT, 6))
    first = fit_map(seen, pairs.X, spaces=(SEEN, CLIP), ids=pairs.ids, options=FEW)
    ends = Pairs(pairs.ids, seen.astype(np.float32), pairs.Y)
    chain = MapChain((first, linear_map))
    law = fit_residual_law(ends.batches(), chain, options=OPTIONS)
    residuals = pairs.Y - linear_map.transform(first.transform(seen.astype(np.float32)))
    is_test = split_by_item(pairs.ids, seed=0)
    squares = (residuals[is_test].astype(float) ** 2).sum(axis=1)
    assert law.total_variance == pytest.approx(squares.mean(), rel=1e-4)
    last = fit_residual_law(pairs.batches(), alone(linear_map), options=OPTIONS)
    assert law.total_variance > 1.1 * last.total_variance
    assert law.is_of(chain)
    assert not law.is_of(alone(linear_map))


def test_a_chain_is_measured_on_items_that_no_map_has_seen(
    pairs: Pairs, linear_map: LinearMap
) -> None:
    few = Pairs(pairs.ids[:40], pairs.X[:40], pairs.Y[:40])
    held_out = [set(few.ids[split_by_item(few.ids, seed=seed)]) for seed in range(50)]
    apart = next(seed for seed in range(50) if not held_out[0] & held_out[seed])
    other = replace(linear_map, fitted_on=replace(linear_map.fitted_on, seed=apart))
    chain = MapChain((linear_map, other))
    with pytest.raises(NotEnoughDataError, match="0 of 40 pairs were held out by every map"):
        fit_residual_law(few.batches(), chain)


def test_a_map_is_no_law(linear_map: LinearMap, tmp_path: Path) -> None:
    linear_map.save(tmp_path / "map.safetensors")
    with pytest.raises(ArtefactError, match="holds a linear_map, expected a residual_law"):
        ResidualLaw.load(tmp_path / "map.safetensors")


def test_a_map_without_residuals_has_no_law(pairs: Pairs, linear_map: LinearMap) -> None:
    exact = Pairs(pairs.ids, pairs.X, linear_map.transform(pairs.X.astype(np.float64)))
    with pytest.raises(NotEnoughDataError, match="predict every pair exactly"):
        fit_residual_law(exact.batches(), alone(linear_map))


def test_too_few_pairs_are_refused(pairs: Pairs, linear_map: LinearMap) -> None:
    few = Pairs(pairs.ids[:19], pairs.X[:19], pairs.Y[:19])
    with pytest.raises(NotEnoughDataError, match="at least 20 pairs, got 19"):
        fit_residual_law(few.batches(), alone(linear_map))


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda law: law.draw(-1, seed=0), ParameterError, "n and seed"),
        (lambda law: law.log_density(np.zeros((2, 3))), DimensionError, r"\(n, 24\)"),
        (lambda _: LawOptions(max_rank=-1), ParameterError, "max_rank"),
    ],
)
def test_what_cannot_be_is_refused(law: ResidualLaw, call: object, error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        call(law)
