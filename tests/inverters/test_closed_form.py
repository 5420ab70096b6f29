"""Our stepping against a diffusion model whose trajectories are known exactly."""

from __future__ import annotations

import dataclasses
import math
from itertools import pairwise

import numpy as np
import pytest
from gaussian_backbone import SIZE, GaussianBackbone
from numpy.typing import NDArray

from latentdb.affine import Prediction
from latentdb.inverters.base import AbstractTrajectoryInverter
from latentdb.inverters.ddim import DdimInverter
from latentdb.inverters.fixed_point import FixedPointInverter
from latentdb.inverters.options import DiffusersOptions
from latentdb.torch_compat import torch

PREDICTIONS: tuple[Prediction, ...] = ("epsilon", "v_prediction", "sample")


@pytest.fixture
def codes() -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (4, SIZE, SIZE, 3), dtype=np.uint8)


def make(prediction: Prediction, **options: object) -> AbstractTrajectoryInverter:
    typed = DiffusersOptions(**options)
    kind = {"ddim": DdimInverter, "fixed_point": FixedPointInverter}[typed.inverter]
    return kind(GaussianBackbone(prediction), typed, name="gaussian", spec="gaussian")


def error(inverter: AbstractTrajectoryInverter, codes: NDArray[np.uint8]) -> float:
    backbone = GaussianBackbone(inverter.grid.prediction)
    exact = backbone.exact_noise(backbone.encode(codes)).flatten(1).numpy()
    return float(np.abs(inverter.embed(codes).vectors - exact).max())


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("convention", ["noisier", "cleaner"])
def test_plain_ddim_converges_to_the_exact_flow_at_first_order(
    prediction: Prediction, convention: str, codes: NDArray[np.uint8]
) -> None:
    errors = [
        error(make(prediction, inverter="ddim", convention=convention, steps=steps), codes)
        for steps in (50, 100, 200)
    ]
    ratios = [errors[0] / errors[1], errors[1] / errors[2]]
    assert all(1.6 < ratio < 2.6 for ratio in ratios), (errors, ratios)


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_fixed_point_converges_to_the_exact_flow_at_first_order(
    prediction: Prediction, codes: NDArray[np.uint8]
) -> None:
    errors = [
        error(make(prediction, steps=steps, first_iterations=30, tolerance=1e-6), codes)
        for steps in (50, 100, 200)
    ]
    ratios = [errors[0] / errors[1], errors[1] / errors[2]]
    assert all(1.6 < ratio < 2.6 for ratio in ratios), (errors, ratios)


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("spacing", ["trailing", "leading", "linspace"])
def test_fixed_point_round_trip_is_exact(
    prediction: Prediction, spacing: str, codes: NDArray[np.uint8]
) -> None:
    inverter = make(prediction, steps=40, first_iterations=40, tolerance=1e-6, spacing=spacing)
    np.testing.assert_array_equal(inverter.decode(inverter.embed(codes).vectors), codes)


def test_plain_ddim_round_trip_is_not_exact(codes: NDArray[np.uint8]) -> None:
    inverter = make("v_prediction", inverter="ddim", steps=10)
    assert np.abs(inverter.decode(inverter.embed(codes).vectors).astype(int) - codes).max() > 3


def residual(codes: NDArray[np.uint8], iterations: int) -> float:
    inverter = make("v_prediction", steps=20, iterations=iterations, tolerance=0.0)
    return float(inverter.embed(codes).quality["residual"].max())


def test_residual_falls_with_iterations(codes: NDArray[np.uint8]) -> None:
    assert residual(codes, 1) > 5 * residual(codes, 2)
    # The network is linear with one slope, which the accelerated iteration solves exactly.
    assert residual(codes, 4) < 2e-6


def test_the_first_step_takes_no_more_than_its_own_iterations(codes: NDArray[np.uint8]) -> None:
    backbone = GaussianBackbone("v_prediction")
    options = DiffusersOptions(steps=1, iterations=9, first_iterations=4, tolerance=0.0)
    FixedPointInverter(backbone, options, name="gaussian", spec="gaussian").embed(codes)
    assert backbone.calls == 4 * len(codes)


def test_rows_stop_when_they_reach_the_tolerance(codes: NDArray[np.uint8]) -> None:
    backbone = GaussianBackbone("v_prediction")
    options = DiffusersOptions(steps=20, iterations=50, tolerance=1e-4)
    inverter = FixedPointInverter(backbone, options, name="gaussian", spec="gaussian")
    residual = inverter.embed(codes).quality["residual"]
    assert residual.max() <= 1e-4
    assert backbone.calls < 20 * 10 * len(codes)


def test_psnr_of_an_exact_round_trip_is_high_and_absent_unless_asked(
    codes: NDArray[np.uint8],
) -> None:
    settings = {"steps": 20, "first_iterations": 30, "tolerance": 1e-6}
    assert make("epsilon", **settings, psnr=True).embed(codes).quality["psnr"].min() > 60
    assert np.isnan(make("epsilon", **settings).embed(codes).quality["psnr"]).all()


def test_measuring_psnr_does_not_make_another_space() -> None:
    spaces = [make("epsilon", psnr=psnr).space for psnr in (False, True)]
    assert spaces[0].fingerprint == spaces[1].fingerprint


def test_a_step_whose_plain_iteration_diverges_is_solved(codes: NDArray[np.uint8]) -> None:
    backbone = GaussianBackbone("v_prediction", deviation=100.0)
    options = DiffusersOptions(steps=8, first_iterations=20, tolerance=1e-3)
    inverter = FixedPointInverter(backbone, options, name="gaussian", spec="gaussian")
    slopes = []
    for low, high in pairwise(inverter.grid.levels):
        ends = [backbone.predict(torch.full((1,), x), high.timestep) for x in (0.0, 1.0)]
        sine = high.sigma * low.signal - high.signal * low.sigma
        slopes.append(float(ends[1] - ends[0]) * math.tan(math.asin(sine)))
    assert min(slopes) < -1
    embedded = inverter.embed(codes)
    assert embedded.quality["residual"].max() <= 1e-3
    plain = FixedPointInverter(
        backbone, dataclasses.replace(options, anderson=False), name="gaussian", spec="gaussian"
    )
    assert plain.embed(codes).quality["residual"].min() > 0.1
    np.testing.assert_allclose(inverter.decode(embedded.vectors), codes, atol=1)
