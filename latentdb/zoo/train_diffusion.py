"""Training of the bundled generator: UNet2DModel of diffusers on latents, predicting v."""

from __future__ import annotations

from typing import Any

from latentdb.torch_compat import torch  # noqa: F401  before what imports torchvision

# isort: split
import diffusers

from latentdb.zoo.denoising import Recipe, train_denoiser, training_codes
from latentdb.zoo.training import Settings


def build_unet() -> Any:
    """The architecture with random weights, for codes of 4x16x16.

    Returns
    -------
    diffusers.UNet2DModel
    """
    architecture: Any = diffusers.UNet2DModel
    return architecture(
        sample_size=16,
        in_channels=4,
        out_channels=4,
        block_out_channels=(64, 96, 128),
        down_block_types=("DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        norm_num_groups=8,
        attention_head_dim=32,
    )


def build_scheduler() -> Any:
    """Noise levels: squared cosine, whose last one keeps a share of signal of 2e-9.

    Being next to nothing and not zero, it needs no rescaling and every DDIM formula stays finite.

    Returns
    -------
    diffusers.DDIMScheduler
    """
    schedule: Any = diffusers.DDIMScheduler
    return schedule(
        num_train_timesteps=1000,
        beta_schedule="squaredcos_cap_v2",
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        clip_sample=False,
    )


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
