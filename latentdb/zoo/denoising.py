"""What the training of every denoiser shares: codes, batches of noised codes, the folder written.

A recipe names the schedule; what the network predicts and at which levels follows from it, so the
scheduler written beside the weights is the one that they were trained with.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from latentdb.torch_compat import torch  # before what imports torchvision

# isort: split
import diffusers
import numpy as np
from numpy.typing import NDArray
from torch.nn import functional

from latentdb.affine import Level, Prediction, target
from latentdb.zoo.train_autoencoder import encode
from latentdb.zoo.training import Optimisation, Settings, Trainer
from latentdb.zoo.training_data import face_arrays

_BATCH: Final = 32
_TIMESTEPS: Final = 1000
_OPTIMISATION: Final = Optimisation(learning_rate=1e-3, average_decay=0.999)


@final
@dataclass(frozen=True, slots=True)
class Recipe:
    """One denoiser: its network, its noise, and whether it is told the noise level.

    Parameters
    ----------
    name : str
        Of the checkpoint.
    build_unet : callable
        Makes a diffusers.UNet2DModel with random weights, for codes of 4x16x16.
    scheduler : diffusers.DDIMScheduler or diffusers.FlowMatchEulerDiscreteScheduler
        Written beside the weights.
    is_conditioned : bool
        False where the network is given timestep 0 at every level.
    has_autoencoder : bool
        Whether the autoencoder lies in the same folder.
    """

    name: str
    build_unet: Callable[[], Any]
    scheduler: Any
    is_conditioned: bool = True
    has_autoencoder: bool = False

    @property
    def prediction(self) -> Prediction:
        """What the network learns to predict; flow matching has one choice only."""
        if isinstance(self.scheduler, diffusers.FlowMatchEulerDiscreteScheduler):
            return "velocity"
        prediction: Prediction = self.scheduler.config["prediction_type"]
        return prediction

    def level(self, timestep: float) -> Level:
        """Noise level of a timestep: of 0 to 999, or of [0, 1000) where it is that of a flow."""
        if self.prediction == "velocity":
            time = timestep / _TIMESTEPS
            return Level(timestep, 1 - time, time)
        return Level.of_alpha_bar(timestep, float(self.scheduler.alphas_cumprod[int(timestep)]))

    def draw_levels(self, n: int, generator: torch.Generator) -> list[Level]:
        """Levels of a batch, uniform in the timestep."""
        device = generator.device
        if self.prediction == "velocity":
            timesteps = _TIMESTEPS * torch.rand(n, generator=generator, device=device)
        else:
            timesteps = torch.randint(_TIMESTEPS, (n,), generator=generator, device=device)
        return [self.level(timestep) for timestep in timesteps.tolist()]


def code_unet(channels: tuple[int, ...], *, n_attending: int, head_width: int) -> Any:
    """A UNet with random weights, for codes of 4x16x16.

    Parameters
    ----------
    channels : tuple of int
        Of each stage, the largest size first.
    n_attending : int
        Stages with attention, counted from the smallest size, where it costs least.
    head_width : int
        Channels of one head of attention.

    Returns
    -------
    diffusers.UNet2DModel
    """
    n_plain = len(channels) - n_attending
    architecture: Any = diffusers.UNet2DModel
    return architecture(
        sample_size=16,
        in_channels=4,
        out_channels=4,
        block_out_channels=channels,
        down_block_types=("DownBlock2D",) * n_plain + ("AttnDownBlock2D",) * n_attending,
        up_block_types=("AttnUpBlock2D",) * n_attending + ("UpBlock2D",) * n_plain,
        layers_per_block=1,
        norm_num_groups=8,
        attention_head_dim=head_width,
    )


def ddpm_scheduler(beta_schedule: str, prediction: Prediction) -> Any:
    """A thousand noise levels of DDPM's family, as a pipeline's folder keeps them.

    Returns
    -------
    diffusers.DDIMScheduler
    """
    schedule: Any = diffusers.DDIMScheduler
    return schedule(
        num_train_timesteps=1000,
        beta_schedule=beta_schedule,
        prediction_type=prediction,
        timestep_spacing="trailing",
        clip_sample=False,
    )


def training_codes(settings: Settings) -> torch.Tensor:
    """`codes_of` the training faces.

    Parameters
    ----------
    settings : Settings

    Returns
    -------
    (n_faces, 4, 16, 16) float32
        On the settings' device.
    """
    pixels = face_arrays(settings.n_faces, cache=settings.cache).pixels
    return codes_of(pixels, settings.out, device=settings.device)


def codes_of(pixels: NDArray[np.uint8], weights: Path, *, device: str) -> torch.Tensor:
    """Scaled codes of pictures, by the trained autoencoder of `faces-diffusion`.

    Parameters
    ----------
    pixels : (n, 64, 64, 3) uint8
        Not modified.
    weights : Path
        Folder of the model folders.
    device : str
        As torch names it.

    Returns
    -------
    (n, 4, 16, 16) float32
        On the device.

    Raises
    ------
    OSError
        There is no trained autoencoder.
    """
    architecture: Any = diffusers.AutoencoderTiny
    folder = weights / "faces-diffusion" / "vae"
    vae = architecture.from_pretrained(folder, torch_dtype=torch.float32).to(device)
    return (encode(vae, pixels) * float(vae.config["scaling_factor"])).to(device)


def denoising_error(
    model: torch.nn.Module,
    recipe: Recipe,
    *,
    x0: torch.Tensor,
    epsilon: torch.Tensor,
    levels: Sequence[Level],
) -> torch.Tensor:
    """Mean squared error of what a network predicts of noised codes.

    Parameters
    ----------
    model : diffusers.UNet2DModel
    recipe : Recipe
    x0, epsilon : (n, 4, 16, 16) float32
        Codes and noise. Not modified.
    levels : sequence of n Level

    Returns
    -------
    () float32
    """

    def column(values: Sequence[float]) -> torch.Tensor:
        return torch.tensor(values, device=x0.device)[:, None, None, None]

    shares = [target(recipe.prediction, level) for level in levels]
    state = column([level.signal for level in levels]) * x0
    state += column([level.sigma for level in levels]) * epsilon
    told = [level.timestep if recipe.is_conditioned else 0.0 for level in levels]
    predicted = model(state, torch.tensor(told, device=x0.device)).sample
    wanted = column([c for c, _ in shares]) * x0 + column([d for _, d in shares]) * epsilon
    return functional.mse_loss(predicted.float(), wanted)


def train_denoiser(
    recipe: Recipe, settings: Settings, *, codes: torch.Tensor, folder: Path
) -> None:
    """Train a network on codes and write its pipeline.

    Parameters
    ----------
    recipe : Recipe
    settings : Settings
    codes : (n, 4, 16, 16) float32
        As `training_codes` gives them. Not modified.
    folder : Path
        Of the pipeline, made where it is missing.
    """
    torch.manual_seed(settings.seed)
    trainer = Trainer(
        recipe.name, recipe.build_unet(), settings=settings, optimisation=_OPTIMISATION
    )

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        rows = torch.randint(len(codes), (_BATCH,), generator=generator, device=codes.device)
        levels = recipe.draw_levels(_BATCH, generator)
        x0 = codes[rows]
        epsilon = torch.randn(x0.shape, generator=generator, device=codes.device)
        with torch.autocast(codes.device.type, torch.bfloat16):
            return denoising_error(trainer.model, recipe, x0=x0, epsilon=epsilon, levels=levels)

    def export(average: torch.nn.Module) -> None:
        model = recipe.build_unet()
        model.load_state_dict(average.state_dict())
        write_pipeline(folder, recipe, model)

    trainer.run(loss_of, export)


def write_pipeline(folder: Path, recipe: Recipe, unet: Any) -> None:
    """Write a network in half precision, its scheduler and the index.

    Parameters
    ----------
    folder : Path
        The pipeline's folder, made where it is missing.
    recipe : Recipe
    unet : diffusers.UNet2DModel
        Turned to float16 in place.
    """
    unet.half().save_pretrained(folder / "unet")
    recipe.scheduler.save_pretrained(folder / "scheduler")
    index: dict[str, Any] = {
        "_class_name": "LatentDiffusionPipeline",
        "scheduler": ["diffusers", type(recipe.scheduler).__name__],
        "unet": ["diffusers", type(unet).__name__],
    }
    if recipe.has_autoencoder:
        index["vae"] = ["diffusers", "AutoencoderTiny"]
    if not recipe.is_conditioned:
        index["noise_conditioned"] = False
    (folder / "model_index.json").write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
