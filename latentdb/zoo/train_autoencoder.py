"""Training of the bundled autoencoder: AutoencoderTiny of diffusers, 64x64 pixels to 4x16x16."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from latentdb.torch_compat import torch  # before what imports torchvision

# isort: split
import diffusers
import numpy as np
from numpy.typing import NDArray
from torch.nn import functional

from latentdb.zoo.training import Export, Optimisation, Settings, Trainer
from latentdb.zoo.training_data import face_arrays

_BATCH: Final = 16
_CODE_NOISE: Final = 0.05
_GRADIENT_WEIGHT: Final = 0.01
_CODE_WEIGHT: Final = 0.01
_OPTIMISATION: Final = Optimisation(learning_rate=2e-3)


def build_autoencoder() -> Any:
    """The architecture with random weights.

    Nearly all depth is at a quarter of the resolution, where a block costs a sixteenth: after
    equal time on a CPU this stood at 26.6 dB, a KL autoencoder with group norms at 24.9.

    Returns
    -------
    diffusers.AutoencoderTiny
    """
    architecture: Any = diffusers.AutoencoderTiny
    return architecture(
        encoder_block_out_channels=(48, 48, 48),
        decoder_block_out_channels=(48, 48, 48),
        num_encoder_blocks=(0, 1, 4),
        num_decoder_blocks=(4, 2, 0),
        latent_channels=4,
        upsampling_scaling_factor=2,
    )


def to_signed(pixels: NDArray[np.uint8], device: str | torch.device = "cpu") -> torch.Tensor:
    """Bytes (n, height, width, 3) to floats (n, 3, height, width) in [-1, 1], channels last."""
    signed = torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1
    return signed.contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def encode(model: Any, pixels: NDArray[np.uint8], *, batch: int = 50) -> torch.Tensor:
    """Unscaled codes of many pictures.

    Parameters
    ----------
    model : diffusers.AutoencoderTiny
        Its device is used.
    pixels : (n, 64, 64, 3) uint8
        Not modified.
    batch : int
        Pictures at a time.

    Returns
    -------
    (n, 4, 16, 16) float32
        On the CPU.
    """
    codes = []
    for start in range(0, len(pixels), batch):
        signed = to_signed(pixels[start : start + batch], model.device)
        codes.append(model.encode(signed.to(model.dtype)).latents.float().cpu())
    return torch.cat(codes)


def _edges(pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return pictures.diff(dim=2), pictures.diff(dim=3)


def _picture_loss(drawn: torch.Tensor, decoded: torch.Tensor) -> torch.Tensor:
    # Squared error sets the PSNR; the absolute error of differences keeps eyes and mouths crisp.
    gradient = sum(
        functional.l1_loss(a, b) for a, b in zip(_edges(drawn), _edges(decoded), strict=True)
    )
    return functional.mse_loss(decoded, drawn) + _GRADIENT_WEIGHT * gradient


def _code_loss(codes: torch.Tensor) -> torch.Tensor:
    # Each channel is drawn to zero mean and unit deviation, and far values are held back.
    mean, deviation = codes.mean((0, 2, 3)), codes.std((0, 2, 3))
    return (
        mean.square().mean()
        + (deviation - 1).square().mean()
        + functional.relu(codes.abs() - 2.5).square().mean()
    )


def train_autoencoder(settings: Settings) -> None:
    """Train and write `faces-diffusion/vae`.

    Parameters
    ----------
    settings : Settings
    """
    torch.manual_seed(settings.seed)
    pixels = face_arrays(settings.n_faces, cache=settings.cache).pixels
    model = build_autoencoder().to(memory_format=torch.channels_last)
    trainer = Trainer("autoencoder", model, settings=settings, optimisation=_OPTIMISATION)

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        rows = torch.randint(len(pixels), (_BATCH,), generator=generator, device=settings.device)
        drawn = to_signed(pixels[rows.cpu().numpy()], settings.device)
        with torch.autocast(torch.device(settings.device).type, torch.bfloat16):
            codes = model.encode(drawn).latents.float()
            noise = torch.randn(codes.shape, generator=generator, device=codes.device)
            decoded = model.decode(codes + _CODE_NOISE * noise).sample.float()
        return _picture_loss(drawn, decoded) + _CODE_WEIGHT * _code_loss(codes)

    trainer.run(loss_of, _exporter(settings, pixels[:1000]))


def _exporter(settings: Settings, pixels: NDArray[np.uint8]) -> Export:
    def export(average: torch.nn.Module) -> None:
        model = build_autoencoder()
        model.load_state_dict(average.state_dict())
        model.register_to_config(scaling_factor=round(float(1 / encode(model, pixels).std()), 5))
        folder = settings.out / "faces-diffusion" / "vae"
        model.half().save_pretrained(folder)
        _drop_derived_key(folder / "config.json")

    return export


def _drop_derived_key(config: Path) -> None:
    # diffusers writes `block_out_channels` and then warns, at each load, that it does not know it.
    entries = json.loads(config.read_text(encoding="utf-8"))
    entries.pop("block_out_channels", None)
    config.write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
