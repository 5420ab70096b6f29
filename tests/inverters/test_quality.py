"""Quality columns against the laws of Gaussian noise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from latentdb.inverters.quality import norm_z, psnr, sv_excess
from latentdb.torch_compat import torch


def white(n: int, *shape: int) -> torch.Tensor:
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("dim", [1, 16, 1024, 16384, 262144])
def test_norm_z_is_the_standard_score_of_the_chi_law(dim: int) -> None:
    radii = torch.tensor([[0.9], [1.0], [1.1]], dtype=torch.float64) * dim**0.5
    rows = torch.full((3, dim), dim**-0.5, dtype=torch.float64) * radii
    # Mean and variance of chi to the order that survives in float64 at any dimension.
    law = stats.chi(dim)
    mean, deviation = (law.mean(), law.std()) if dim < 1e5 else ((dim - 0.5) ** 0.5, 0.5**0.5)
    expected = (radii[:, 0].numpy() - mean) / deviation
    np.testing.assert_allclose(norm_z(rows).numpy(), expected, rtol=2e-3, atol=2e-3)


def test_norm_z_of_white_noise_is_standard() -> None:
    scores = norm_z(white(4000, 4, 8, 8)).numpy()
    assert abs(scores.mean()) < 0.06
    assert abs(scores.std() - 1) < 0.04


def test_singular_values_of_white_noise_end_at_the_edge() -> None:
    excess = sv_excess(white(20, 4, 64, 64)).numpy()
    # The largest value fluctuates by the Tracy–Widom law, some 4 % at this size.
    assert abs(excess.mean()) < 0.03
    assert np.abs(excess).max() < 0.1


@pytest.mark.parametrize("shape", [(16, 16), (8, 32)])
def test_leaked_structure_is_an_excess_in_the_channel_that_has_it(shape: tuple[int, int]) -> None:
    noise = white(2, 4, *shape)
    noise[1, 2] += 1.5 * torch.outer(torch.ones(shape[0]), torch.ones(shape[1]))
    excess = sv_excess(noise)
    expected = torch.linalg.matrix_norm(noise[1, 2], ord=2) / (shape[0] ** 0.5 + shape[1] ** 0.5)
    assert float(excess[1]) == pytest.approx(float(expected) - 1, rel=1e-5)
    assert excess[1] > excess[0] + 0.5


def test_psnr_is_of_the_mean_squared_difference_and_ends_at_120() -> None:
    reference = torch.full((2, 3, 4, 4), 0.5)
    changed = reference.clone()
    changed[0] += 0.01
    np.testing.assert_allclose(psnr(changed, reference).numpy(), [40.0, 120.0], rtol=1e-5)
