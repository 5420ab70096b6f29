"""The exact marginal energy against quadrature, brute force and automatic differentiation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm

from indexers.errors import DimensionError, ParameterError
from latentdb.affine import Level
from latentdb.geometry.marginal_energy import EnergyCorpus, NoisePrior, denoised, marginal_energy
from latentdb.torch_compat import torch

RNG = np.random.default_rng(3)
ROWS = RNG.normal(size=(60, 6))
QUERIES = RNG.normal(size=(9, 6)) * 1.3


def brute_force(u, rows, prior):
    """Terms log p(t) + log p(u|t) by SciPy's own densities."""
    terms = []
    for level, weight in zip(prior.levels, prior.weights, strict=True):
        each = norm.logpdf(u, level.signal * rows, level.sigma).sum(axis=1)
        terms.append(np.log(weight) + logsumexp(each) - np.log(len(rows)))
    return np.array(terms)


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_the_energy_is_that_of_adaptive_quadrature(dim):
    rows, queries = RNG.normal(size=(12, dim)), 1.5 * RNG.normal(size=(4, dim))
    got = marginal_energy(queries, EnergyCorpus(rows), NoisePrior.flow_matching(dim, t_min=0.05))
    for u, energy in zip(queries, got.energy, strict=True):

        def density(t, u=u):
            return np.mean([multivariate_normal.pdf(u, (1 - t) * x, t * t) for x in rows])

        integral, _ = quad(density, 0.05, 1.0, limit=200, epsabs=1e-13)
        assert energy == pytest.approx(-np.log(integral / 0.95), abs=1e-6)


def test_an_exploding_schedule_is_integrated_too():
    rows, queries = RNG.normal(size=(12, 2)), 1.5 * RNG.normal(size=(3, 2))
    prior = NoisePrior.exploding(2, sigma_min=0.05, sigma_max=4.0)
    got = marginal_energy(queries, EnergyCorpus(rows), prior).energy
    for u, energy in zip(queries, got, strict=True):

        def density(log, u=u):
            return np.mean([multivariate_normal.pdf(u, x, np.exp(2 * log)) for x in rows])

        integral, _ = quad(density, np.log(0.05), np.log(4.0), limit=200, epsabs=1e-13)
        assert energy == pytest.approx(-np.log(integral / np.log(80.0)), abs=1e-6)


@pytest.mark.parametrize(
    "prior",
    [
        NoisePrior.flow_matching(6),
        NoisePrior.exploding(6),
        NoisePrior.variance_preserving(np.linspace(0.9999, 0.0, 50)),
        NoisePrior.of((Level(0, 1.0, 0.2), Level(1, 1.0, 3.0), Level(2, 1.0, 40.0))),
        NoisePrior.of((Level(0, 0.3, 0.7),)),
    ],
    ids=["flow", "exploding", "variance-preserving", "edm", "one level"],
)
def test_energy_and_posterior_are_those_of_the_sum_written_out(prior):
    got = marginal_energy(QUERIES, EnergyCorpus(ROWS), prior)
    for u, energy, posterior in zip(QUERIES, got.energy, got.posterior, strict=True):
        terms = brute_force(u, ROWS, prior)
        assert energy == pytest.approx(-logsumexp(terms), rel=1e-11)
        np.testing.assert_allclose(posterior, np.exp(terms - logsumexp(terms)), atol=1e-12)


@pytest.mark.parametrize(
    "prior", [NoisePrior.flow_matching(6), NoisePrior.variance_preserving(np.linspace(0.99, 0, 40))]
)
def test_the_gradient_is_that_of_automatic_differentiation(prior):
    rows = torch.from_numpy(ROWS)
    asked = torch.from_numpy(QUERIES).requires_grad_()
    terms = []
    for level, weight in zip(prior.levels, prior.weights, strict=True):
        exponents = -torch.cdist(asked, level.signal * rows).square() / (2 * level.sigma**2)
        volume = 3.0 * np.log(2 * np.pi * level.sigma**2)
        terms.append(torch.logsumexp(exponents, 1) - np.log(len(ROWS) / weight) - volume)
    (-torch.logsumexp(torch.stack(terms), 0)).sum().backward()
    got = marginal_energy(QUERIES, EnergyCorpus(ROWS), prior, with_gradient=True)
    error = np.linalg.norm(got.gradient - asked.grad.numpy(), axis=1)
    assert (error <= 1e-9 * np.linalg.norm(got.gradient, axis=1)).all()


def test_the_gradient_is_the_mean_residual_of_the_denoiser():
    prior, corpus = NoisePrior.flow_matching(6), EnergyCorpus(ROWS)
    got = marginal_energy(QUERIES, corpus, prior, with_gradient=True)
    mean = np.zeros(QUERIES.shape)
    for at, level in enumerate(prior.levels):
        residual = QUERIES - level.signal * denoised(QUERIES, corpus, level)
        mean += got.posterior[:, at, None] * residual / level.sigma**2
    np.testing.assert_allclose(got.gradient, mean, rtol=1e-8, atol=1e-9)


def test_a_denoiser_of_a_gaussian_corpus_is_the_wiener_filter():
    rows = RNG.normal(size=(200_000, 1))
    at = denoised(np.array([[0.8]]), EnergyCorpus(rows), Level(0, 0.6, 0.8))
    assert at[0, 0] == pytest.approx(0.6 * 0.8 / (0.6**2 + 0.8**2), abs=0.01)


def test_leaving_a_row_out_is_having_stored_the_others():
    prior = NoisePrior.flow_matching(6)
    got = marginal_energy(
        ROWS[:3], EnergyCorpus(ROWS), prior, own_rows=np.array([0, -1, 2]), with_gradient=True
    )
    for at, kept in enumerate([np.delete(ROWS, 0, 0), ROWS, np.delete(ROWS, 2, 0)]):
        alone = marginal_energy(ROWS[at, None], EnergyCorpus(kept), prior, with_gradient=True)
        assert got.energy[at] == pytest.approx(alone.energy[0], rel=1e-12)
        np.testing.assert_allclose(got.gradient[at], alone.gradient[0], rtol=1e-7, atol=1e-9)


def test_the_posterior_finds_the_level_that_noise_was_added_at():
    rows = RNG.normal(size=(300, 256)).astype(np.float32)
    prior = NoisePrior.flow_matching(256)
    times = np.array([0.1, 0.3, 0.5, 0.7])
    noise = RNG.normal(size=(4, 256))
    queries = (1 - times)[:, None] * rows[:4] + times[:, None] * noise
    found = marginal_energy(queries, EnergyCorpus(rows), prior).posterior @ prior.flow_times
    # A flow time t is told to t/√(3·dim).
    assert (np.abs(found - times) < 4 * times / np.sqrt(3 * 256)).all()


def test_the_cleanest_level_bounds_the_energy_of_a_stored_row():
    corpus, row = EnergyCorpus(ROWS), ROWS[:1]
    priors = [NoisePrior.flow_matching(6, t_min=least) for least in (0.1, 0.01, 0.001)]
    energies = [marginal_energy(row, corpus, prior).energy[0] for prior in priors]
    assert energies[0] > energies[1] > energies[2]
    # ∫ t^−6 dt from t_min on falls by ln 10⁵ with every tenth of it.
    assert energies[1] - energies[2] == pytest.approx(5 * np.log(10), abs=0.1)


def test_nothing_that_is_passed_in_is_changed_and_no_query_is_an_answer_too():
    rows, queries = ROWS.copy(), QUERIES.copy()
    corpus, prior = EnergyCorpus(rows), NoisePrior.flow_matching(6)
    assert marginal_energy(queries[:0], corpus, prior).energy.shape == (0,)
    marginal_energy(queries, corpus, prior, with_gradient=True)
    assert (rows == ROWS).all()
    assert (queries == QUERIES).all()


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: NoisePrior.of((Level(0, 1.0, 0.0),)), "singular"),
        (lambda: NoisePrior.of(()), "got none"),
        (lambda: NoisePrior((Level(0, 0, 1),), np.array([0.5])), "sum to 1"),
        (lambda: NoisePrior.flow_matching(4, t_min=0.0), "t_min"),
        (lambda: NoisePrior.exploding(4, sigma_min=2.0, sigma_max=1.0), "sigma_max"),
        (lambda: NoisePrior.variance_preserving([1.0]), "got none"),
        (lambda: EnergyCorpus(np.empty((0, 3))), "at least one"),
    ],
)
def test_a_prior_or_corpus_without_an_energy_is_refused(make, match):
    with pytest.raises(ParameterError, match=match):
        make()


def test_rows_that_are_not_there_are_refused():
    prior = NoisePrior.flow_matching(6)
    with pytest.raises(ParameterError, match="rows 0 to 59"):
        marginal_energy(QUERIES[:1], EnergyCorpus(ROWS), prior, own_rows=np.array([60]))
    with pytest.raises(ParameterError, match="the only stored vector"):
        marginal_energy(ROWS[:1], EnergyCorpus(ROWS[:1]), prior, own_rows=np.array([0]))
    with pytest.raises(DimensionError, match="own_rows"):
        marginal_energy(QUERIES, EnergyCorpus(ROWS), prior, own_rows=np.array([0]))
