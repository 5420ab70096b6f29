"""Pairs: what makes a bidirectional step exact."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import final

import numpy as np
import pytest
from gaussian_backbone import SIZE, GaussianBackbone
from numpy.typing import NDArray

from latentdb.affine import Level, Prediction
from latentdb.directions.pair_svd import require_trajectory, svd_pair_direction
from latentdb.inverters.belm import BelmInverter
from latentdb.inverters.coordinates import AbstractCoordinates
from latentdb.inverters.options import DiffusersOptions
from latentdb.spaces import load_model
from latentdb.torch_compat import torch

STEPS = 10


@pytest.fixture
def pixels() -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (3, SIZE, SIZE, 3), dtype=np.uint8)


def make(prediction: Prediction = "epsilon", **options: object) -> BelmInverter:
    typed = DiffusersOptions(inverter="belm", steps=STEPS, **options)
    return BelmInverter(GaussianBackbone(prediction), typed, name="gaussian", spec="gaussian")


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample", "velocity"])
@pytest.mark.parametrize(("dtype", "most"), [(torch.float32, 5e-6), (torch.float64, 1e-13)])
def test_a_round_trip_is_exact_to_rounding_in_either_precision(
    prediction: Prediction, dtype: torch.dtype, most: float
) -> None:
    inverter = make(prediction)
    codes = torch.rand(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0), dtype=dtype)
    pairs = inverter._enter(codes, 0)  # vectors are float32, the steps are of any precision
    noise, _ = inverter._climb(pairs, 0, STEPS)
    assert noise.dtype == dtype
    assert float((inverter._descend(noise, STEPS, 0) - pairs).abs().max()) < most


@final
class PaperCoordinates(AbstractCoordinates):
    """x/α over σ/α."""

    def scale(self, level: Level) -> float:
        return level.signal

    def time(self, level: Level) -> float:
        return level.sigma / level.signal

    def rate(self, level: Level) -> tuple[float, float]:  # noqa: ARG002 - everywhere the same
        return 0.0, 1.0

    def flow_time(self, time: float) -> float:
        return time / (1 + time)


def test_in_the_variable_of_the_paper_a_step_is_the_papers() -> None:
    inverter = make(last_timestep=800)
    vars(inverter)["_coordinates"] = PaperCoordinates()
    levels, backbone = inverter.grid.levels, GaussianBackbone("epsilon")
    codes = torch.rand(2, 6, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    here, cleaner = codes.chunk(2, dim=1)  # x_i and x_{i−1}
    i = 5
    noisier, _ = inverter._climb(codes, i, i + 1)[0].chunk(2, dim=1)
    # BELM (2410.07273), O-BELM for x_{i−1}.
    a = [level.signal for level in levels]
    h = [0.0, *(levels[k].sigma / a[k] - levels[k - 1].sigma / a[k - 1] for k in range(1, i + 2))]
    squares = h[i] ** 2, h[i + 1] ** 2
    epsilon = backbone.predict(here, levels[i].timestep)
    expected = (
        squares[0] / squares[1] * a[i - 1] / a[i + 1] * noisier
        + (squares[1] - squares[0]) / squares[1] * a[i - 1] / a[i] * here
        - h[i] * (h[i] + h[i + 1]) / h[i + 1] * a[i - 1] * epsilon
    )
    torch.testing.assert_close(cleaner, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("level", [1, 4, STEPS])
def test_the_second_code_is_the_state_of_the_level_below(
    level: int, pixels: NDArray[np.uint8]
) -> None:
    inverter = make()
    codes = inverter.encode(pixels)
    here, below = (inverter.follow(codes, start=0, stop=at) for at in (level, level - 1))
    half = codes.shape[1] // 2
    np.testing.assert_allclose(here[:, half:], below[:, :half], atol=1e-6)


def test_both_codes_of_a_pair_are_needed_for_the_way_back(pixels: NDArray[np.uint8]) -> None:
    pair, single = make(), make(pair=False)
    noise = pair.embed(pixels).vectors
    alone = single.embed(pixels).vectors
    np.testing.assert_allclose(noise[:, : alone.shape[1]], alone, atol=1e-6)
    np.testing.assert_array_equal(pair.decode(noise), pixels)
    assert np.abs(single.decode(alone).astype(int) - pixels).max() > 0


def test_quality_is_of_the_noise_and_not_of_what_goes_with_it(pixels: NDArray[np.uint8]) -> None:
    pair, single = make().embed(pixels).quality, make(pair=False).embed(pixels).quality
    for column in ("norm_z", "sv_excess"):
        np.testing.assert_allclose(pair[column], single[column], atol=1e-4)


def test_half_precision_keeps_the_picture(pixels: NDArray[np.uint8]) -> None:
    inverter = make()
    stored = inverter.embed(pixels).vectors.astype(np.float16).astype(np.float32)
    assert np.abs(inverter.decode(stored).astype(int) - pixels).max() <= 2


def test_pairs_between_two_pairs_are_decoded(pixels: NDArray[np.uint8]) -> None:
    inverter = make()
    noise = inverter.embed(pixels).vectors
    between = inverter.decode((noise[:1] + noise[1:2]) / 2).astype(int)
    # The closed form is affine, and so is what lies between.
    np.testing.assert_allclose(between[0], (pixels[0].astype(int) + pixels[1]) / 2, atol=1)


def test_a_pair_of_pictures_gives_a_direction_by_svd(
    tiny_model: Callable[[str], Path], pictures: NDArray[np.uint8]
) -> None:
    spec = f"noise=diffusers:{tiny_model('unconditional')}?steps=6&inverter=belm"
    model = require_trajectory(load_model(spec, device="cpu"))
    noise = model.embed(pictures[:2]).vectors
    assert model.latent_shape == (8, 8, 8)
    assert svd_pair_direction(model, noise[0], noise[1]).shape == (512,)
