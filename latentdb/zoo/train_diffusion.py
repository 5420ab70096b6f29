"""Training of the bundled generator: UNet2DModel of diffusers on latents, predicting v."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from latentdb.torch_compat import torch  # before what imports torchvision

# isort: split
import diffusers
from torch.nn import functional

from latentdb.zoo.train_autoencoder import encode
from latentdb.zoo.training import Optimisation, Settings, Trainer
from latentdb.zoo.training_data import face_arrays

_BATCH: Final = 32
_OPTIMISATION: Final = Optimisation(learning_rate=1e-3, average_decay=0.999)
_MODEL_INDEX: Final = {
    "_class_name": "LatentDiffusionPipeline",
    "scheduler": ["diffusers", "DDIMScheduler"],
    "unet": ["diffusers", "UNet2DModel"],
    "vae": ["diffusers", "AutoencoderTiny"],
}


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


def _codes(settings: Settings) -> torch.Tensor:
    folder = settings.out / "faces-diffusion" / "vae"
    architecture: Any = diffusers.AutoencoderTiny
    vae = architecture.from_pretrained(folder, torch_dtype=torch.float32).to(settings.device)
    pixels = face_arrays(settings.n_faces, cache=settings.cache).pixels
    return encode(vae, pixels) * float(vae.config["scaling_factor"])


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
    torch.manual_seed(settings.seed)
    codes = _codes(settings).to(settings.device)
    scheduler = build_scheduler()
    alpha_bar = scheduler.alphas_cumprod.to(settings.device)
    trainer = Trainer("diffusion", build_unet(), settings=settings, optimisation=_OPTIMISATION)

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        rows = torch.randint(len(codes), (_BATCH,), generator=generator, device=codes.device)
        timesteps = torch.randint(
            len(alpha_bar), (_BATCH,), generator=generator, device=codes.device
        )
        x0 = codes[rows]
        epsilon = torch.randn(x0.shape, generator=generator, device=codes.device)
        a = alpha_bar[timesteps].sqrt()[:, None, None, None]
        b = (1 - alpha_bar[timesteps]).sqrt()[:, None, None, None]
        # v = a·ε − b·x0, Salimans and Ho (2202.00512).
        with torch.autocast(torch.device(settings.device).type, torch.bfloat16):
            predicted = trainer.model(a * x0 + b * epsilon, timesteps).sample
        return functional.mse_loss(predicted.float(), a * epsilon - b * x0)

    def export(average: torch.nn.Module) -> None:
        model = build_unet()
        model.load_state_dict(average.state_dict())
        write_pipeline(settings.out / "faces-diffusion", model)

    trainer.run(loss_of, export)


def write_pipeline(folder: Path, unet: Any) -> None:
    """Write a network in half precision, its scheduler and the index beside the autoencoder.

    Parameters
    ----------
    folder : Path
        The pipeline's folder, made where it is missing.
    unet : diffusers.UNet2DModel
        Turned to float16 in place.
    """
    unet.half().save_pretrained(folder / "unet")
    build_scheduler().save_pretrained(folder / "scheduler")
    (folder / "model_index.json").write_text(
        json.dumps(_MODEL_INDEX, indent=2) + "\n", encoding="utf-8"
    )
