"""Denoisers: what they are told and taught, and the four twins that differ in nothing else."""

from __future__ import annotations

import json
import math
from pathlib import Path

import diffusers
import pytest

from latentdb.torch_compat import torch
from latentdb.zoo.denoising import Recipe, denoising_error
from latentdb.zoo.train_autoencoder import train_autoencoder
from latentdb.zoo.train_diffusion import build_scheduler
from latentdb.zoo.train_diffusion import build_unet as build_big_unet
from latentdb.zoo.train_twins import BUNDLED_TWIN, RECIPES, train_twins, twin_folder
from latentdb.zoo.training import WEIGHTS, Settings

DIFFUSION = Recipe("diffusion", build_big_unet, build_scheduler())
TIMESTEPS = (20, 500, 990)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("twins")
    settings = Settings(
        minutes=math.inf, steps=1, out=folder / "weights", cache=folder / "cache", n_faces=16
    )
    train_autoencoder(settings)
    train_twins(settings)
    return settings


@pytest.fixture(scope="module")
def codes() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    x0, epsilon = torch.randn(2, len(TIMESTEPS), 4, 16, 16, generator=generator)
    return x0, epsilon


def _unet(recipe: Recipe) -> torch.nn.Module:
    torch.manual_seed(0)
    unet: torch.nn.Module = recipe.build_unet()
    return unet.eval()


@torch.no_grad()
def _error(recipe: Recipe, x0: torch.Tensor, epsilon: torch.Tensor) -> float:
    levels = [recipe.level(timestep) for timestep in TIMESTEPS]
    return float(denoising_error(_unet(recipe), recipe, x0=x0, epsilon=epsilon, levels=levels))


@torch.no_grad()
def _expected(
    recipe: Recipe, state: torch.Tensor, wanted: torch.Tensor, told: tuple[float, ...]
) -> float:
    predicted = _unet(recipe)(state, torch.tensor(told)).sample
    return float((predicted - wanted).square().mean())


@pytest.mark.parametrize("name", ["velocity", "blind-velocity"])
def test_a_flow_learns_noise_less_code(name: str, codes: tuple[torch.Tensor, torch.Tensor]) -> None:
    x0, epsilon = codes
    t = torch.tensor(TIMESTEPS)[:, None, None, None] / 1000
    told = (0.0,) * 3 if name.startswith("blind") else TIMESTEPS
    expected = _expected(RECIPES[name], (1 - t) * x0 + t * epsilon, epsilon - x0, told)
    assert _error(RECIPES[name], x0, epsilon) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", ["epsilon", "blind-epsilon"])
def test_a_denoiser_of_ddpm_learns_the_noise(
    name: str, codes: tuple[torch.Tensor, torch.Tensor]
) -> None:
    x0, epsilon = codes
    betas = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
    alpha_bar = (1 - betas).cumprod(0)[list(TIMESTEPS)].float()[:, None, None, None]
    told = (0.0,) * 3 if name.startswith("blind") else TIMESTEPS
    state = alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * epsilon
    expected = _expected(RECIPES[name], state, epsilon, told)
    assert _error(RECIPES[name], x0, epsilon) == pytest.approx(expected, rel=1e-4)


def test_the_bundled_generator_learns_v(codes: tuple[torch.Tensor, torch.Tensor]) -> None:
    x0, epsilon = codes
    alpha_bar = build_scheduler().alphas_cumprod[list(TIMESTEPS)][:, None, None, None]
    a, b = alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
    expected = _expected(DIFFUSION, a * x0 + b * epsilon, a * epsilon - b * x0, TIMESTEPS)
    assert _error(DIFFUSION, x0, epsilon) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("recipe", [DIFFUSION, RECIPES["velocity"]], ids=["ddpm", "flow"])
def test_levels_are_drawn_from_the_whole_schedule(recipe: Recipe) -> None:
    levels = recipe.draw_levels(2_000, torch.Generator().manual_seed(0))
    timesteps = [level.timestep for level in levels]
    assert 0 <= min(timesteps) < 5
    assert 994 < max(timesteps) < 1000
    assert sum(timesteps) / len(timesteps) == pytest.approx(500, abs=20)
    assert all(level == recipe.level(level.timestep) for level in levels)


@pytest.mark.parametrize("name", RECIPES)
def test_a_twin_is_written_in_diffusers_layout(name: str, trained: Settings) -> None:
    folder = twin_folder(name, trained.out)
    index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    scheduler = getattr(diffusers, index["scheduler"][1]).from_pretrained(folder / "scheduler")
    assert index.get("noise_conditioned", True) is not name.startswith("blind")
    assert name.endswith(scheduler.config.get("prediction_type", "velocity"))
    assert (folder / "unet" / "diffusion_pytorch_model.safetensors").stat().st_size < 4.4e6


def test_twins_have_one_architecture(trained: Settings) -> None:
    folders = [twin_folder(name, trained.out) for name in RECIPES]
    assert len({(folder / "unet" / "config.json").read_text() for folder in folders}) == 1


def test_only_one_twin_lies_in_the_package() -> None:
    inside = [name for name in RECIPES if twin_folder(name, WEIGHTS).is_relative_to(WEIGHTS)]
    assert inside == [BUNDLED_TWIN]
    assert (
        twin_folder("epsilon", WEIGHTS) == Path(__file__).parents[2] / "models/faces-twins/epsilon"
    )
