"""The laws that spaces are held against, each by an independent formula."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import chi

from latentdb.leak import leak_control
from latentdb.report.marchenko_pastur import MarchenkoPastur
from latentdb.report.norm_law import SpaceNorms
from latentdb.report.null import SEPARATION, bimodal, gaussian_twin
from latentdb.report.spectrum import SpaceSpectrum, covariance_eigenvalues


@pytest.mark.parametrize("gamma", [0.1, 0.7, 1.0, 3.0])
def test_the_law_of_marchenko_and_pastur_has_its_mass_and_mean(gamma: float) -> None:
    law = MarchenkoPastur(2.0, gamma)

    def moment(power: int) -> float:
        return quad(
            lambda x: x**power * law.density(np.array([x]))[0], law.lower, law.upper, limit=400
        )[0]

    # All variance is in the eigenvalues that are not zero, of which there are fewer than dims.
    assert moment(0) == pytest.approx(min(1.0, 1.0 / gamma), rel=1e-3)
    assert moment(1) == pytest.approx(2.0, rel=1e-3)


def test_its_quantiles_are_where_its_density_puts_them() -> None:
    law = MarchenkoPastur(1.0, 0.4)
    for level in (0.05, 0.5, 0.9):
        at = float(law.quantile(np.array([level]))[0])
        below = quad(lambda x: law.density(np.array([x]))[0], law.lower, at)[0]
        assert below == pytest.approx(level, abs=1e-4)
        assert law.cdf(np.array([at]))[0] == pytest.approx(level, abs=1e-6)


@pytest.mark.parametrize(("n", "dim"), [(900, 300), (200, 500)])
def test_white_noise_follows_it_and_structure_does_not(n: int, dim: int) -> None:
    rng = np.random.default_rng(5)
    noise = 3.0 * rng.standard_normal((n, dim)).astype(np.float32)
    white = SpaceSpectrum(covariance_eigenvalues(noise), dim, n, kept=10)
    assert white.distance < 0.02
    assert white.above[0] <= 2
    assert white.effective_dim == pytest.approx(dim / (1 + dim / n), rel=0.02)
    noise[:, 0] *= 20.0
    structured = SpaceSpectrum(covariance_eigenvalues(noise), dim, n, kept=10)
    assert structured.above[0] == 1
    assert structured.distance > 0.1


@pytest.mark.parametrize(("n", "dim"), [(60, 8), (8, 60)])
def test_eigenvalues_are_those_of_the_covariance(n: int, dim: int) -> None:
    rows = np.random.default_rng(0).standard_normal((n, dim)).astype(np.float32) + 7.0
    expected = np.linalg.eigvalsh(np.cov(rows.astype(np.float64), rowvar=False))[::-1]
    found = covariance_eigenvalues(rows)
    assert len(found) == min(n - 1, dim)
    np.testing.assert_allclose(found, expected[: len(found)], rtol=1e-4, atol=1e-6)


def test_the_twin_has_mean_and_covariance_of_the_rows() -> None:
    rng = np.random.default_rng(1)
    rows = (rng.standard_normal((300, 5)) @ rng.standard_normal((5, 5)) + 4.0).astype(np.float32)
    twin = gaussian_twin(rows, 200_000, rng=rng)
    np.testing.assert_allclose(twin.mean(axis=0), rows.mean(axis=0), atol=0.05)
    np.testing.assert_allclose(np.cov(twin.T), np.cov(rows.T), rtol=0.05, atol=0.05)


def test_the_bimodal_control_is_two_twins_so_far_apart() -> None:
    rng = np.random.default_rng(2)
    twin = rng.standard_normal((4000, 50)).astype(np.float32)
    moved = bimodal(twin, rng=rng)
    away = np.linalg.norm((moved - twin).astype(np.float64), axis=1)
    np.testing.assert_allclose(away, SEPARATION * np.sqrt(50), rtol=0.02)
    assert abs(float((moved - twin).mean())) < 0.05


def test_norms_of_white_noise_fit_chi_and_their_own_gaussian() -> None:
    rng = np.random.default_rng(3)
    norms = chi(400).rvs(3000, random_state=rng)
    twin = chi(400).rvs(2000, random_state=rng)
    fits = SpaceNorms(True, norms, twin, 400).fits()
    assert {name for name, fit in fits.items() if fit.p_value > 0.01} == set(fits)
    off = SpaceNorms(True, norms + 1.0, twin, 400).fits()
    assert off["chi"].distance > 0.5
    assert off["fitted"].distance < 0.05


def test_vectors_of_one_length_have_no_law() -> None:
    one = SpaceNorms(False, np.ones(200), np.ones(200), 8)
    assert one.is_constant
    assert one.fits() == {}


def test_the_leak_keeps_the_variance_and_the_share_of_signal() -> None:
    rng = np.random.default_rng(4)
    latents = rng.standard_normal((400, 500)).astype(np.float32)
    before = latents.copy()
    mixed = leak_control(latents, 0.2, rng=rng)
    assert mixed.std() == pytest.approx(1.0, abs=0.01)
    assert (mixed * latents).mean() == pytest.approx(np.sqrt(0.2), abs=0.01)
    np.testing.assert_array_equal(latents, before)
    np.testing.assert_array_equal(leak_control(latents, 1.0, rng=rng), latents)
