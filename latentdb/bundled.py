"""The models that come with the package: where they are, and what is known of them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, final

from latentdb.errors import ModelError
from latentdb.space import SpaceKind

LoaderName = Literal["open_clip", "timm", "transformers", "diffusers"]

_WEIGHTS = Path(__file__).parent / "zoo" / "weights"
_CARD = "README.md"
_METRICS = "metrics.json"
_HEADER_BYTES = 8


@final
@dataclass(frozen=True)
class BundledModel:
    """A model that comes with the package.

    Parameters
    ----------
    loader : str
        Which loader reads it.
    folder : str
        Its folder under `latentdb/zoo/weights`.
    kind : "noise" or "embedding"
        Of the space.
    parts : tuple of str
        Files without which it cannot run, of its folder or beside it.
    has_text : bool
        Whether text can be put into the space.
    options : mapping of str to str
        Options other than the loader's defaults, chosen by measurement.
    """

    loader: LoaderName
    folder: str
    kind: SpaceKind
    parts: tuple[str, ...]
    has_text: bool = False
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """Where its files are."""
        return _WEIGHTS / self.folder

    @property
    def missing(self) -> list[str]:
        """Parts that are not there."""
        return [part for part in self.parts if not (self.path / part).is_file()]


_DENOISER_PARTS = (
    "model_index.json",
    "scheduler/scheduler_config.json",
    "unet/config.json",
    "unet/diffusion_pytorch_model.safetensors",
)
_AUTOENCODER_PARTS = ("vae/config.json", "vae/diffusion_pytorch_model.safetensors")

BUNDLED: Mapping[str, BundledModel] = MappingProxyType(
    {
        "faces-noise": BundledModel(
            "diffusers",
            "faces-diffusion",
            "noise",
            (*_DENOISER_PARTS, *_AUTOENCODER_PARTS),
            options={"steps": "20", "tolerance": "0.005"},
        ),
        "faces-clip": BundledModel(
            "open_clip",
            "faces-clip",
            "embedding",
            ("open_clip_config.json", "open_clip_model.safetensors"),
            has_text=True,
        ),
        "faces-ssl": BundledModel(
            "timm", "faces-ssl", "embedding", ("config.json", "model.safetensors")
        ),
        "faces-blind": BundledModel(
            "diffusers",
            "faces-blind",
            "noise",
            (*_DENOISER_PARTS, *(f"../faces-diffusion/{part}" for part in _AUTOENCODER_PARTS)),
            options={
                "vae": str(_WEIGHTS / "faces-diffusion"),
                "steps": "20",
                "tolerance": "0.005",
            },
        ),
    }
)
"""The spaces that need no download, by name."""

DEFAULT_SPACES = ("faces-clip", "faces-noise", "faces-ssl")
"""Those that a database is given where none are named: one space of noise is enough."""


@final
@dataclass(frozen=True)
class ModelDescription:
    """One bundled model, as `latentdb models` shows it.

    Parameters
    ----------
    name, kind : str
        Of the space.
    has_text : bool
        Whether text can be put into the space.
    is_installed : bool
        Whether its weights are in the package.
    dim : int or None
        Length of a vector, None where the weights are missing.
    parameters : int
        Number of weights, those of a borrowed autoencoder included.
    megabytes : float
        Size of the weights' files, in 10⁶ bytes, likewise.
    card : str or None
        Path of the model card.
    quality : mapping of str to float
        Held-out figures, as `latentdb.zoo.evaluate` measured them.
    """

    name: str
    kind: SpaceKind
    has_text: bool
    is_installed: bool
    dim: int | None
    parameters: int
    megabytes: float
    card: str | None
    quality: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return asdict(self)


def describe_models() -> list[ModelDescription]:
    """What comes with the package; reads file headers only, and loads no network."""
    return [_describe(name, model) for name, model in BUNDLED.items()]


def require_weights(name: str) -> None:
    """Raise unless every part of a bundled model is there.

    Raises
    ------
    ModelError
        A part is missing; the text says how to get it.
    """
    model = BUNDLED[name]
    if model.missing:
        raise ModelError(
            f"the weights of {name!r} are not in the package: {model.path} lacks "
            f"{', '.join(model.missing)}. Install latentdb from its wheel or a full checkout, or "
            "train them: python -m latentdb.zoo.train"
        )


def _describe(name: str, model: BundledModel) -> ModelDescription:
    weights = [model.path / part for part in model.parts if part.endswith(".safetensors")]
    files = [file for file in weights if file.is_file()]
    card = model.path / _CARD
    return ModelDescription(
        name=name,
        kind=model.kind,
        has_text=model.has_text,
        is_installed=not model.missing,
        dim=None if model.missing else _dim(model),
        parameters=sum(_count_parameters(file) for file in files),
        megabytes=round(sum(file.stat().st_size for file in files) / 1e6, 2),
        card=str(card) if card.is_file() else None,
        quality=_quality(model.path / _METRICS),
    )


def _dim(model: BundledModel) -> int:
    """Length of a vector, from the model's config."""
    if model.loader == "diffusers":
        unet = json.loads((model.path / "unet" / "config.json").read_text())
        return int(unet["in_channels"] * unet["sample_size"] ** 2)
    if model.loader == "open_clip":
        config = json.loads((model.path / "open_clip_config.json").read_text())
        return int(config["model_cfg"]["embed_dim"])
    return int(json.loads((model.path / "config.json").read_text())["num_features"])


def _count_parameters(file: Path) -> int:
    """Number of values in a safetensors file, from its header."""
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(_HEADER_BYTES), "little")
        header = json.loads(stream.read(length))
    tensors = (entry for key, entry in header.items() if key != "__metadata__")
    return sum(math.prod(entry["shape"]) for entry in tensors)


def _quality(path: Path) -> dict[str, float]:
    """Figures of the file that the evaluation writes beside the weights, if it is there."""
    if not path.is_file():
        return {}
    figures = json.loads(path.read_text())
    return {
        key: float(value)
        for key, value in figures.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
