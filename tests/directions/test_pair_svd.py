"""One pair of pictures, by singular vectors midway."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize

from indexers.errors import ParameterError
from latentdb.directions.pair_svd import (
    integrate,
    require_trajectory,
    svd_pair_direction,
    svd_pair_shift,
)
from latentdb.errors import QueryError
from latentdb.inverters.base import AbstractTrajectoryInverter
from latentdb.spaces import load_model

Matrices = NDArray[np.float64]


@pytest.fixture(scope="module")
def model(tiny_model: Callable[[str], Path]) -> AbstractTrajectoryInverter:
    spec = f"noise=diffusers:{tiny_model('unconditional')}?steps=6&tolerance=0.00001"
    return require_trajectory(load_model(spec, device="cpu"))


@pytest.fixture
def noise() -> NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal((2, 256), dtype=np.float32)


@pytest.fixture
def both() -> Matrices:
    """Source and target: two channels of 8 by 6."""
    return np.random.default_rng(1).standard_normal((2, 2, 8, 6))


def rest(matrix: Matrices, rank: int) -> Matrices:
    """What is left of a matrix without its leading part."""
    u, s, v = np.linalg.svd(matrix, full_matrices=False)
    return matrix - (u[:, :rank] * s[:rank]) @ v[:rank]


@pytest.mark.parametrize("rank", [1, 3])
def test_new_singular_values_are_the_least_squares_optimum(both: Matrices, rank: int) -> None:
    source, target = both
    found = integrate(source, target, rank)
    for channel in range(2):
        u, _, v = np.linalg.svd(source[channel])
        p, _, q = np.linalg.svd(target[channel])
        terms = np.stack(
            [np.outer(u[:, i], v[i]) for i in range(rank)]
            + [np.outer(p[:, i], q[i]) for i in range(rank)]
        )

        def loss(values: Matrices, terms: Matrices = terms, z: Matrices = target[channel]) -> float:
            return float(np.square(np.tensordot(values, terms, 1) - z).sum())

        best = minimize(loss, np.zeros(2 * rank), method="BFGS", options={"gtol": 1e-10})
        expected = rest(source[channel], rank) + np.tensordot(best.x, terms, 1)
        np.testing.assert_allclose(found[channel], expected, atol=1e-5)


def test_of_full_rank_the_target_is_reached(both: Matrices) -> None:
    source, target = both
    # 12 products of singular vectors of 6 × 6 cannot span 36 dimensions, but hold the target's.
    np.testing.assert_allclose(integrate(source[:, :6], target[:, :6], 6), target[:, :6])


def test_of_two_pictures_that_are_one_nothing_changes(
    both: Matrices, model: AbstractTrajectoryInverter, noise: NDArray[np.float32]
) -> None:
    np.testing.assert_allclose(integrate(both[0], both[0], 3), both[0], atol=1e-12)
    direction = svd_pair_direction(model, noise[0], noise[0])
    assert np.abs(direction).max() < 1e-2


def test_arrays_are_not_modified(both: Matrices) -> None:
    before = both.copy()
    integrate(both[0], both[1], 2)
    np.testing.assert_array_equal(both, before)


def test_the_direction_leads_to_the_noise_of_the_integrated_state(
    model: AbstractTrajectoryInverter, noise: NDArray[np.float32]
) -> None:
    shift = svd_pair_shift(model, *noise, rank=2, at=0.5)
    assert shift.level == 3
    direction = svd_pair_direction(model, *noise, rank=2, at=0.5)
    moved = (noise[0] + direction).astype(np.float32)
    states = model.follow(noise, start=6, stop=3).astype(np.float64).reshape(2, 4, 8, 8)
    expected = integrate(states[0], states[1], 2).ravel()
    reached = model.follow(moved[None], start=6, stop=3)[0]
    np.testing.assert_allclose(reached, expected, atol=2e-2)


def test_a_shift_is_added_by_its_strength_to_each(
    model: AbstractTrajectoryInverter, noise: NDArray[np.float32]
) -> None:
    shift = svd_pair_shift(model, *noise)
    moved = shift.apply(model, noise, np.array([0.0, 1.5]))
    np.testing.assert_allclose(moved[0], noise[0], atol=1e-2)
    states = model.follow(noise, start=6, stop=shift.level)[1] + 1.5 * shift.vector
    reached = model.follow(moved, start=6, stop=shift.level)[1]
    np.testing.assert_allclose(reached, states, atol=2e-2)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"rank": 0}, "1 to 8 ranks, got rank=0"),
        ({"rank": 9}, "got rank=9"),
        ({"at": 0.0}, "at=0.0 is no level"),
        ({"at": 1.0}, "at=1.0 is no level"),
        ({"at": 0.99}, "of 6 steps, one inside"),
        ({"at": float("nan")}, "at=nan is no level"),
    ],
)
def test_what_is_no_place_midway_is_refused(
    model: AbstractTrajectoryInverter,
    noise: NDArray[np.float32],
    options: dict[str, float],
    match: str,
) -> None:
    with pytest.raises(ParameterError, match=match):
        svd_pair_shift(model, *noise, **options)


def test_an_encoder_has_no_trajectories(tiny_model: Callable[[str], Path]) -> None:
    encoder = load_model(f"dino=timm:{tiny_model('timm')}", device="cpu")
    with pytest.raises(QueryError, match="'dino' has no trajectories"):
        require_trajectory(encoder)
