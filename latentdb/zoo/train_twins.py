"""Training of four denoisers that differ in two things: what is predicted, and who is told.

They have one architecture, one budget, one seed and one set of codes. A blind one is never told
its noise level: "The Geometry of Noise" (2602.18428) asks what such a network can know.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from latentdb.torch_compat import torch  # noqa: F401  before what imports torchvision

# isort: split
import diffusers

from latentdb.zoo.denoising import (
    Recipe,
    code_unet,
    ddpm_scheduler,
    train_denoiser,
    training_codes,
)
from latentdb.zoo.training import WEIGHTS, Settings

MODELS: Final = Path(__file__).parents[2] / "models"
"""Where those lie that are kept beside the package."""

BUNDLED_TWIN: Final = "blind-velocity"
"""The one that comes with the package, as `faces-blind`."""


def build_unet() -> Any:
    """The architecture of all four with random weights, for codes of 4x16x16.

    Two million weights, with attention at the smallest size only, where it costs least.

    Returns
    -------
    diffusers.UNet2DModel
    """
    return code_unet((48, 64, 96), n_attending=1, head_width=16)


def _linear() -> Any:
    """Noise levels of DDPM (2006.11239), at which a network predicts the noise."""
    return ddpm_scheduler("linear", "epsilon")


def _flow() -> Any:
    """Noise levels of flow matching (2210.02747): the straight line from a code to noise."""
    schedule: Any = diffusers.FlowMatchEulerDiscreteScheduler
    return schedule(num_train_timesteps=1000)


def _recipe(name: str, scheduler: Any) -> Recipe:
    return Recipe(
        f"twins-{name}", build_unet, scheduler, is_conditioned=not name.startswith("blind")
    )


RECIPES: Final[Mapping[str, Recipe]] = MappingProxyType(
    {
        "blind-velocity": _recipe("blind-velocity", _flow()),
        "blind-epsilon": _recipe("blind-epsilon", _linear()),
        "epsilon": _recipe("epsilon", _linear()),
        "velocity": _recipe("velocity", _flow()),
    }
)
"""The twins by name, in the order of their training."""


def twin_folder(name: str, out: Path) -> Path:
    """Where a twin's pipeline lies: only one of them is in the package.

    Parameters
    ----------
    name : str
        Of `RECIPES`.
    out : Path
        Folder of the model folders, as in `Settings`.
    """
    if name == BUNDLED_TWIN:
        return out / "faces-blind"
    return (MODELS if out == WEIGHTS else out) / "faces-twins" / name


def train_twins(settings: Settings) -> None:
    """Train and write the four, each within the whole budget.

    Parameters
    ----------
    settings : Settings
        Give `steps` rather than `minutes` where the four are to be compared.

    Raises
    ------
    OSError
        `settings.out` holds no trained autoencoder.
    """
    codes = training_codes(settings)
    for name, recipe in RECIPES.items():
        train_denoiser(recipe, settings, codes=codes, folder=twin_folder(name, settings.out))
