"""Training of the bundled generator: UNet2DModel of diffusers on latents, predicting v."""

from __future__ import annotations

from typing import Any

from latentdb.zoo.denoising import (
    Recipe,
    code_unet,
    ddpm_scheduler,
    train_denoiser,
    training_codes,
)
from latentdb.zoo.training import Settings


def build_unet() -> Any:
    """The architecture with random weights, for codes of 4x16x16.

    Returns
    -------
    diffusers.UNet2DModel
    """
    return code_unet((64, 96, 128), n_attending=2, head_width=32)


def build_scheduler() -> Any:
    """Noise levels: squared cosine, whose last one keeps a share of signal of 2e-9.

    Being next to nothing and not zero, it needs no rescaling and every DDIM formula stays finite.

    Returns
    -------
    diffusers.DDIMScheduler
    """
    return ddpm_scheduler("squaredcos_cap_v2", "v_prediction")


def train_diffusion(settings: Settings) -> None:
    """Train and write `faces-diffusion` but for its `vae`, which is read.

    Parameters
    ----------
    settings : Settings

    Raises
    ------
    OSError
        `settings.out` holds no trained autoencoder.
    """
    recipe = Recipe("diffusion", build_unet, build_scheduler(), has_autoencoder=True)
    folder = settings.out / "faces-diffusion"
    train_denoiser(recipe, settings, codes=training_codes(settings), folder=folder)
