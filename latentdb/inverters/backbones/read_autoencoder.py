"""Which autoencoder a pipeline runs with: its own, another that was asked for, or none."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from latentdb.errors import ModelError
from latentdb.inverters.backbones.autoencoder import (
    SUPPORTED,
    AbstractAutoencoder,
    PixelSpace,
    Vae,
)
from latentdb.inverters.backbones.part_loader import PartLoader, load_network
from latentdb.inverters.backbones.pipeline_folder import network_patterns, network_pickles
from latentdb.inverters.backbones.speed import refuse_cuts, tune_autoencoder
from latentdb.space import Setting
from latentdb.torch_compat import torch
from latentdb.weights import find_model

_PATTERNS = (*network_patterns(), *network_patterns("vae/"))


@final
@dataclass(frozen=True)
class FoundAutoencoder:
    """An autoencoder, and where its weights enter a fingerprint.

    Parameters
    ----------
    autoencoder : AbstractAutoencoder
        Ready to run.
    parts : tuple of str
        Parts of the pipeline that it is; none where it comes from elsewhere.
    settings : mapping of str to scalar
        Where it comes from elsewhere, its name and hash.
    """

    autoencoder: AbstractAutoencoder
    parts: tuple[str, ...] = ()
    settings: dict[str, Setting] = field(default_factory=dict)


def read_autoencoder(loader: PartLoader, *, follows_upcast: bool) -> FoundAutoencoder:
    """The autoencoder of a pipeline, or the one that the options name in its place.

    Parameters
    ----------
    loader : PartLoader
        Of the pipeline, with its options.
    follows_upcast : bool
        Whether `force_upcast` in its config is followed where float16 is asked for: SDXL's
        overflows there.

    Raises
    ------
    ModelError
        It cannot be found or loaded, or is of another class.
    """
    part = loader.pipeline.autoencoder_part
    if loader.options.vae is not None:
        return _another(loader, loader.options.vae, follows_upcast=follows_upcast)
    if part is None:
        refuse_cuts("none", loader.options)
        return FoundAutoencoder(PixelSpace())
    folder, class_name = loader.pipeline.folder_of(part), loader.pipeline.class_of(part)
    vae = _load(folder, str(class_name), loader, follows_upcast=follows_upcast)
    return FoundAutoencoder(vae, parts=(part,))


def _another(loader: PartLoader, source: str, *, follows_upcast: bool) -> FoundAutoencoder:
    files = find_model(source, patterns=_PATTERNS)
    is_pipeline = not (files.folder / "config.json").is_file()
    folder = files.folder / "vae" if is_pipeline else files.folder
    config = _config(folder)
    vae = _load(folder, str(config.get("_class_name")), loader, follows_upcast=follows_upcast)
    prefix = "vae/" if is_pipeline else ""
    digest = files.digest((*network_patterns(prefix), *network_pickles(prefix)))
    return FoundAutoencoder(vae, settings={"vae_model": files.name, "vae_weights": digest})


def _load(folder: Path, class_name: str, loader: PartLoader, *, follows_upcast: bool) -> Vae:
    if class_name not in SUPPORTED:
        raise ModelError(
            f"the autoencoder {folder} is of {class_name}; supported are {', '.join(SUPPORTED)}"
        )
    config = _config(folder)
    overflows = follows_upcast and loader.dtype == torch.float16 and config.get("force_upcast")
    dtype = torch.float32 if overflows else loader.dtype
    vae = load_network(folder, class_name, device=loader.device, dtype=dtype)
    tune_autoencoder(vae, loader.options)
    return Vae(vae, scaling=_scaling(vae, config))


def _scaling(vae: Any, config: dict[str, Any]) -> float:
    """Factor that brings codes near unit variance.

    Latent diffusion's own VQ models do not scale, and were published before the key was; what
    diffusers takes in its place is Stable Diffusion's.
    """
    if "scaling_factor" not in config and type(vae).__name__ == "VQModel":
        return 1.0
    return float(vae.config.scaling_factor)


def _config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    if not path.is_file():
        raise ModelError(
            f"{folder} holds no config.json, so it is no autoencoder; pass the folder that "
            "`save_pretrained` of one wrote, or of a pipeline with one in vae/"
        )
    config: dict[str, Any] = json.loads(path.read_text())
    return config
