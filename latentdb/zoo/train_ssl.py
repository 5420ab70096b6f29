"""Training of the bundled self-supervised model: a small ResNet of timm, by SimCLR."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

from latentdb.torch_compat import torch  # before what imports torchvision

# isort: split
import timm
from timm.models import save_for_hf
from torch import nn
from torch.nn import functional

from latentdb.zoo.train_autoencoder import to_signed
from latentdb.zoo.training import Optimisation, Settings, Trainer
from latentdb.zoo.training_data import face_arrays

ARCHITECTURE: Final = "resnet10t"
MODEL_ARGUMENTS: Final[dict[str, Any]] = {"channels": [32, 64, 128, 256]}

_BATCH: Final = 96
_TEMPERATURE: Final = 0.2
_OPTIMISATION: Final = Optimisation(learning_rate=2e-3, weight_decay=1e-3)
_DATA: Final = {
    "input_size": (3, 64, 64),
    "mean": (0.5, 0.5, 0.5),
    "std": (0.5, 0.5, 0.5),
    "interpolation": "bicubic",
    "crop_pct": 1.0,
}
# Rows: luma and the two chroma axes of the YIQ colour space, in which a hue shift is a rotation.
_YIQ: Final = ((0.299, 0.587, 0.114), (0.596, -0.274, -0.322), (0.211, -0.523, 0.312))


def build_encoder() -> nn.Module:
    """The architecture with random weights: 64x64 pictures to 256 pooled features.

    Returns
    -------
    torch.nn.Module
    """
    model: nn.Module = timm.create_model(ARCHITECTURE, num_classes=0, **MODEL_ARGUMENTS)
    return model


def augment(pictures: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """A random view of each picture: crop, flip, brightness, contrast, saturation, hue.

    Parameters
    ----------
    pictures : (n, 3, height, width)
        In [-1, 1]. Not modified.
    generator : torch.Generator
        On the pictures' device; advanced.

    Returns
    -------
    (n, 3, height, width)
    """
    n = len(pictures)

    def uniform(low: float, high: float) -> torch.Tensor:
        return low + (high - low) * torch.rand(n, generator=generator, device=pictures.device)

    side = uniform(0.55, 1.0)
    flip = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    zero = torch.zeros_like(side)
    horizontal = torch.stack([side * flip, zero, (1 - side) * uniform(-1, 1)], dim=1)
    vertical = torch.stack([zero, side, (1 - side) * uniform(-1, 1)], dim=1)
    grid = functional.affine_grid(
        torch.stack([horizontal, vertical], dim=1), list(pictures.shape), align_corners=False
    )
    cropped = functional.grid_sample(
        pictures, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )
    return _shift_colours(
        cropped,
        brightness=uniform(-0.25, 0.25),
        contrast=uniform(0.75, 1.3),
        saturation=torch.where(uniform(0, 1) < 0.1, 0.0, uniform(0.5, 1.4)),
        hue_rad=uniform(-0.5, 0.5),
    )


def _shift_colours(
    pictures: torch.Tensor,
    *,
    brightness: torch.Tensor,
    contrast: torch.Tensor,
    saturation: torch.Tensor,
    hue_rad: torch.Tensor,
) -> torch.Tensor:
    to_yiq = torch.tensor(_YIQ, device=pictures.device)
    cosine, sine = saturation * hue_rad.cos(), saturation * hue_rad.sin()
    zero, one = torch.zeros_like(cosine), torch.ones_like(cosine)
    rows = (
        torch.stack([one, zero, zero], dim=1),
        torch.stack([zero, cosine, -sine], dim=1),
        torch.stack([zero, sine, cosine], dim=1),
    )
    matrix = torch.linalg.inv(to_yiq) @ torch.stack(rows, dim=1) @ to_yiq * contrast[:, None, None]
    return torch.einsum("nij,njhw->nihw", matrix, pictures) + brightness[:, None, None, None]


def simclr_loss(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """NT-Xent: each view must find the other view of its picture among all views.

    Parameters
    ----------
    first, second : (n, dim)
        Projections of two views of the same n pictures.

    Returns
    -------
    Tensor
        Scalar.

    References
    ----------
    Chen et al., "A simple framework for contrastive learning of visual representations", 2020,
    arXiv 2002.05709, equation (1).
    """
    n = len(first)
    views = functional.normalize(torch.cat([first, second]), dim=1)
    itself = torch.eye(2 * n, dtype=torch.bool, device=views.device)
    logits = (views @ views.T / _TEMPERATURE).masked_fill(itself, -math.inf)
    others = torch.arange(2 * n, device=views.device).roll(n)
    return functional.cross_entropy(logits, others)


def train_ssl(settings: Settings) -> None:
    """Train and write `faces-ssl`.

    Parameters
    ----------
    settings : Settings
    """
    torch.manual_seed(settings.seed)
    pixels = face_arrays(settings.n_faces, cache=settings.cache).pixels
    encoder = build_encoder()
    # The projection is thrown away after training: SimCLR's features are better before it.
    head = nn.Sequential(nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 96))
    whole: Any = nn.Sequential(encoder, head)
    whole = whole.to(memory_format=torch.channels_last)
    trainer = Trainer("ssl", whole, settings=settings, optimisation=_OPTIMISATION)

    def loss_of(generator: torch.Generator) -> torch.Tensor:
        rows = torch.randint(len(pixels), (_BATCH,), generator=generator, device=settings.device)
        pictures = to_signed(pixels[rows.cpu().numpy()], settings.device)
        views = torch.cat([augment(pictures, generator), augment(pictures, generator)])
        views = views.contiguous(memory_format=torch.channels_last)
        with torch.autocast(torch.device(settings.device).type, torch.bfloat16):
            projected = trainer.model(views)
        return simclr_loss(*projected.float().chunk(2))

    def export(average: torch.nn.Module) -> None:
        write_encoder(settings.out / "faces-ssl", average.get_submodule("0"))

    trainer.run(loss_of, export)


def write_encoder(folder: Path, encoder: nn.Module) -> None:
    """Write an encoder in timm's hub layout, in half precision.

    Parameters
    ----------
    folder : Path
        Made where it is missing.
    encoder : torch.nn.Module
        Of `build_encoder`'s architecture; not modified.
    """
    model = build_encoder()
    model.load_state_dict(encoder.state_dict())
    save_for_hf(
        model.half(),
        str(folder),
        model_config={"pretrained_cfg": _DATA},
        model_args=MODEL_ARGUMENTS,
        safe_serialization=True,
    )
