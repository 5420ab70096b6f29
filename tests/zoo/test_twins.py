"""The four twins: how they are compared, and the folders that lie outside the package."""

from __future__ import annotations

import json

import pytest

from latentdb.torch_compat import torch
from latentdb.zoo.cards import FLOW_TIMES, TWIN_CARDS, Card
from latentdb.zoo.evaluate_twins import velocity_errors
from latentdb.zoo.train_twins import BUNDLED_TWIN, MODELS, RECIPES


def _errors(name: str, *, codes: torch.Tensor, epsilon: torch.Tensor) -> dict[float, float]:
    """Of a network whose output is zero."""
    unet = RECIPES[name].build_unet()
    torch.nn.init.zeros_(unet.conv_out.weight)
    torch.nn.init.zeros_(unet.conv_out.bias)
    return velocity_errors(RECIPES[name], unet, codes=codes, epsilon=epsilon)


@pytest.fixture(scope="module")
def pair() -> tuple[torch.Tensor, torch.Tensor]:
    codes, epsilon = torch.randn(2, 3, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    return codes, epsilon


def test_a_silent_flow_is_wrong_by_the_velocity(pair: tuple[torch.Tensor, torch.Tensor]) -> None:
    codes, epsilon = pair
    errors = _errors("blind-velocity", codes=codes, epsilon=epsilon)
    assert list(errors) == list(FLOW_TIMES)
    wanted = float((epsilon - codes).square().mean())
    assert list(errors.values()) == pytest.approx([wanted] * len(FLOW_TIMES), rel=1e-5)


def test_an_error_of_epsilon_counts_more_where_there_is_more_noise(
    pair: tuple[torch.Tensor, torch.Tensor],
) -> None:
    codes, epsilon = pair
    errors = _errors("blind-epsilon", codes=codes, epsilon=epsilon)
    square = float(epsilon.square().mean())
    # The schedule has timesteps near every share of noise, but not at it.
    for time, error in errors.items():
        assert error == pytest.approx(square / (1 - time) ** 2, rel=0.05)


@pytest.mark.parametrize("card", TWIN_CARDS, ids=lambda card: card.folder)
def test_a_twin_outside_the_package_has_its_weights_and_its_card(card: Card) -> None:
    folder = MODELS / card.folder
    text = (folder / "README.md").read_text(encoding="utf-8")
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert all(f"| {name} | {value:.3f} |" in text for name, value in metrics.items())
    assert (folder / "unet" / "diffusion_pytorch_model.safetensors").stat().st_size < 4.4e6


def test_every_twin_but_the_bundled_one_has_a_card() -> None:
    carded = {card.folder.removeprefix("faces-twins/") for card in TWIN_CARDS}
    assert carded == set(RECIPES) - {BUNDLED_TWIN}
