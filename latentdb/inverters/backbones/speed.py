"""Options that trade time for memory, or memory for time; but for tiling they move no vector."""

from __future__ import annotations

from typing import Any, NoReturn

from latentdb.errors import ModelError
from latentdb.inverters.options import DiffusersOptions
from latentdb.torch_compat import torch

_SLICED_UNET = "UNet2DConditionModel"
_SLICED_AUTOENCODERS = ("AutoencoderKL", "AutoencoderTiny")


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
    if (options.slicing or options.tiling) and type(vae).__name__ not in _SLICED_AUTOENCODERS:
        refuse_slices(type(vae).__name__)
    if options.channels_last:
        vae.to(memory_format=torch.channels_last)
    if options.slicing:
        vae.enable_slicing()
    if options.tiling:
        vae.enable_tiling()


def refuse_slices(what: str) -> NoReturn:
    """Raise, since a model has no autoencoder that can be sliced or tiled.

    Raises
    ------
    ModelError
        Always.
    """
    raise ModelError(
        f"slicing and tiling are of {' and '.join(_SLICED_AUTOENCODERS)}; this model's "
        f"autoencoder is {what}"
    )
