"""What every inverter must do, of every prediction, on a model known in closed form."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from gaussian_backbone import SIZE, GaussianBackbone
from numpy.typing import NDArray

from latentdb.affine import Prediction
from latentdb.errors import SpaceSpecError
from latentdb.inverters.base import AbstractTrajectoryInverter
from latentdb.inverters.kinds import INVERTERS
from latentdb.inverters.options import DiffusersOptions

STEPS = 8
PREDICTIONS: tuple[Prediction, ...] = ("epsilon", "v_prediction", "sample", "velocity")
TIGHT = {"tolerance": 1e-6, "first_iterations": 30, "iterations": 40}
KINDS: dict[str, dict[str, object]] = {
    "ddim": {"inverter": "ddim"},
    "ddim-cleaner": {"inverter": "ddim", "convention": "cleaner"},
    "fixed_point": {"inverter": "fixed_point", **TIGHT},
    "fixed_point-plain": {"inverter": "fixed_point", "anderson": False, **TIGHT},
    "belm": {"inverter": "belm"},
    "belm-single": {"inverter": "belm", "pair": False},
    "midpoint": {"inverter": "midpoint"},
    "fireflow": {"inverter": "fireflow"},
    "heun": {"inverter": "heun"},
    "deis": {"inverter": "deis"},
    "deis-3": {"inverter": "deis", "order": 3},
}
EXACT = ("fixed_point", "fixed_point-plain", "belm")
ONE_STEP = ("ddim", "ddim-cleaner", *EXACT, "midpoint", "heun")
# Network calls of inversion and of sampling, by the number of steps.
CALLS = {
    "ddim": (STEPS, STEPS),
    "ddim-cleaner": (STEPS, STEPS),
    "belm": (STEPS + 1, STEPS - 1),
    "belm-single": (STEPS + 1, STEPS + 1),
    "midpoint": (2 * STEPS, 2 * STEPS),
    "fireflow": (STEPS + 1, STEPS + 1),
    "heun": (2 * STEPS, 2 * STEPS),
    "deis": (STEPS + 1, STEPS + 1),
    "deis-3": (STEPS + 1, STEPS + 1),
}
ORDERS = {
    "ddim": 1,
    "ddim-cleaner": 1,
    "fixed_point": 1,
    "belm": 2,
    "belm-single": 2,
    "midpoint": 2,
    "fireflow": 2,
    "heun": 2,
    "deis": 2,
    "deis-3": 3,
}

every_kind = pytest.mark.parametrize("kind", KINDS)
every_prediction = pytest.mark.parametrize("prediction", PREDICTIONS)


@pytest.fixture(scope="module")
def pixels() -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (3, SIZE, SIZE, 3), dtype=np.uint8)


def make(kind: str, prediction: Prediction, **options: object) -> AbstractTrajectoryInverter:
    return made_on(GaussianBackbone(prediction), kind, **options)


def made_on(backbone: GaussianBackbone, kind: str, **options: object) -> AbstractTrajectoryInverter:
    typed = DiffusersOptions(**{"steps": STEPS, **KINDS[kind], **options})
    return INVERTERS[typed.inverter](backbone, typed, name="gaussian", spec="gaussian")


@cache
def dense(prediction: Prediction) -> GaussianBackbone:
    """Timesteps so dense that rounding a grid to them is not what is measured."""
    return GaussianBackbone(prediction, n_train=100_000)


@every_kind
@every_prediction
def test_vectors_are_finite_float32_of_the_space_and_pictures_are_left_alone(
    kind: str, prediction: Prediction, pixels: NDArray[np.uint8]
) -> None:
    inverter, before = make(kind, prediction), pixels.copy()
    embedded = inverter.embed(pixels)
    dim = 2 * pixels[0].size if kind == "belm" else pixels[0].size
    assert inverter.space.dim == math.prod(inverter.latent_shape) == dim
    assert embedded.vectors.shape == inverter.encode(pixels).shape == (3, dim)
    assert embedded.vectors.dtype == np.float32
    assert np.isfinite(embedded.vectors).all()
    assert set(embedded.quality) == set(inverter.space.quality)
    assert all(column.shape == (3,) for column in embedded.quality.values())
    np.testing.assert_array_equal(pixels, before)


@every_kind
@every_prediction
def test_a_row_is_the_same_alone_and_in_a_batch(
    kind: str, prediction: Prediction, pixels: NDArray[np.uint8]
) -> None:
    inverter = make(kind, prediction, forward_start=0.1)
    alone = inverter.embed(pixels[1:2]).vectors
    np.testing.assert_allclose(alone[0], inverter.embed(pixels).vectors[1], atol=2e-6)


@every_kind
@every_prediction
def test_no_pictures_give_no_vectors(kind: str, prediction: Prediction) -> None:
    inverter = make(kind, prediction)
    none = np.empty((0, SIZE, SIZE, 3), np.uint8)
    vectors = inverter.embed(none).vectors
    assert vectors.shape == inverter.encode(none).shape == (0, inverter.space.dim)
    assert inverter.decode(vectors).shape == none.shape
    assert inverter.follow(vectors, start=0, stop=STEPS).shape == vectors.shape


@every_kind
@every_prediction
def test_noise_gives_back_the_picture(
    kind: str, prediction: Prediction, pixels: NDArray[np.uint8]
) -> None:
    inverter = make(kind, prediction, steps=40)
    worst = np.abs(inverter.decode(inverter.embed(pixels).vectors).astype(int) - pixels).max()
    assert worst <= (0 if kind in EXACT else 20 if "ddim" in kind else 2)


@every_kind
@every_prediction
def test_inversion_of_clean_codes_is_that_of_pictures(
    kind: str, prediction: Prediction, pixels: NDArray[np.uint8]
) -> None:
    inverter = make(kind, prediction)
    codes = inverter.encode(pixels)
    noise = inverter.follow(codes, start=0, stop=STEPS)
    np.testing.assert_allclose(noise, inverter.embed(pixels).vectors, atol=2e-6)


@every_kind
@every_prediction
@pytest.mark.parametrize("level", [0, 17])
def test_a_trajectory_left_midway_is_found_again(
    kind: str, prediction: Prediction, level: int, pixels: NDArray[np.uint8]
) -> None:
    inverter = make(kind, prediction, steps=40)
    noise = inverter.embed(pixels).vectors
    before = noise.copy()
    midway = inverter.follow(noise, start=40, stop=level)
    back = inverter.follow(midway, start=level, stop=40)
    np.testing.assert_array_equal(noise, before)
    loose = 0.6 if "ddim" in kind else 0.06
    np.testing.assert_allclose(back, noise, atol=1e-4 if kind in EXACT else loose)
    if kind in ONE_STEP:
        decoded = inverter.decode_from(midway, level).astype(int)
        assert np.abs(decoded - inverter.decode(noise)).max() <= 1


@pytest.mark.parametrize("kind", CALLS)
@every_prediction
def test_the_network_is_called_as_often_as_documented(
    kind: str, prediction: Prediction, pixels: NDArray[np.uint8]
) -> None:
    backbone = GaussianBackbone(prediction)
    inverter = made_on(backbone, kind)
    noise = inverter.embed(pixels).vectors
    inversion, backbone.calls = backbone.calls, 0
    inverter.decode(noise)
    assert (inversion, backbone.calls) == tuple(len(pixels) * calls for calls in CALLS[kind])


@pytest.mark.parametrize("kind", ORDERS)
@every_prediction
def test_noise_converges_to_the_exact_flow_at_the_order_of_the_method(
    kind: str, prediction: Prediction, pixels: NDArray[np.uint8]
) -> None:
    def error(steps: int) -> float:
        backbone = dense(prediction)
        exact = backbone.exact_noise(backbone.encode(pixels)).flatten(1).numpy()
        vectors = made_on(backbone, kind, steps=steps).embed(pixels).vectors
        return float(np.abs(vectors[:, : exact.shape[1]] - exact).max())

    # A predicted x_0 does not tell the rate at the clean end; what stands for it is first order.
    order = min(ORDERS[kind], 2) if prediction == "sample" else ORDERS[kind]
    assert math.log2(error(40) / error(80)) > order - 0.35


def test_every_setting_that_moves_a_vector_makes_another_space() -> None:
    kinds = [{}, *KINDS.values(), {"inverter": "belm", "forward_start": 0.03}]
    shares = [{"forward_start": share} for share in (0.03, 0.2, 0.4)]
    counts = [{"iterations": 3}, {"first_iterations": 3}, {"tolerance": 0.1}, {"steps": 9}]
    spaces = [
        INVERTERS[typed.inverter](GaussianBackbone("epsilon"), typed, name="x", spec="x").space
        for typed in (DiffusersOptions(**given) for given in [*kinds, *shares, *counts])
    ]
    assert len({space.fingerprint for space in spaces}) == len(spaces)


def test_what_is_new_is_not_among_the_settings_of_a_space_made_before_it() -> None:
    settings = make("fixed_point", "epsilon").space.settings
    assert not {"anderson", "pair", "order", "forward_start"} & set(settings)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"pair": False}, "pair=false goes with inverter=belm, not with inverter=fixed_point"),
        ({"inverter": "ddim", "anderson": False}, "anderson=false goes with inverter=fixed_point"),
        ({"inverter": "heun", "order": 3}, "order=3 goes with inverter=deis"),
        ({"inverter": "midpoint", "convention": "cleaner"}, "convention=cleaner goes with inv"),
        ({"inverter": "deis", "order": 4}, "expected order=2 or order=3, got order=4"),
        ({"forward_start": 1.0}, "expected 0 ≤ forward_start < 1, got forward_start=1.0"),
    ],
)
def test_options_that_do_not_go_together_are_refused(given: dict[str, object], text: str) -> None:
    with pytest.raises(SpaceSpecError, match=text):
        DiffusersOptions(**given)
