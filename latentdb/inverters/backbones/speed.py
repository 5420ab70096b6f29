"""Options that trade time for memory, or memory for time; but for tiling they move no vector."""

from __future__ import annotations

from typing import Any

from latentdb.errors import ModelError
from latentdb.inverters.options import DiffusersOptions
from latentdb.torch_compat import torch

_SLICED_UNET = "UNet2DConditionModel"
_SLICED = ("AutoencoderKL", "AutoencoderTiny")
# Tiles of AutoencoderTiny are cut as if one cell were 8 pixels, whatever its stages.
_TILED = ("AutoencoderKL",)


def tune_network(network: Any, options: DiffusersOptions) -> None:
    """Set up a denoising network of diffusers, in place.

    Attention is sliced in UNets with text only: the others go without, and transformers'
    attention needs no memory that grows with the square of the tokens.
    """
    if options.channels_last:
        network.to(memory_format=torch.channels_last)
    if options.slicing and type(network).__name__ == _SLICED_UNET:
        network.set_attention_slice("auto")
    if options.compile:
        network.compile()


def tune_autoencoder(vae: Any, options: DiffusersOptions) -> None:
    """Set up an autoencoder of diffusers, in place.

    Raises
    ------
    ModelError
        It cannot be sliced or tiled.
    """
    refuse_cuts(type(vae).__name__, options)
    if options.channels_last:
        vae.to(memory_format=torch.channels_last)
    if options.slicing:
        vae.enable_slicing()
    if options.tiling:
        vae.enable_tiling()


def refuse_cuts(autoencoder: str, options: DiffusersOptions) -> None:
    """Raise where an autoencoder of that class, or "none", cannot be cut as the options ask.

    Raises
    ------
    ModelError
        It cannot.
    """
    for name, is_asked, classes in (
        ("slicing", options.slicing, _SLICED),
        ("tiling", options.tiling, _TILED),
    ):
        if is_asked and autoencoder not in classes:
            raise ModelError(
                f"{name}=true goes with {' or '.join(classes)}; this model's autoencoder: "
                f"{autoencoder}"
            )
