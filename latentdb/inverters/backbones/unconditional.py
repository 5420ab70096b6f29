"""Unconditional UNets: DDPM on pixels, latent diffusion on codes, and the bundled faces."""

from __future__ import annotations

from typing import Any, final

from latentdb.errors import ModelError
from latentdb.inverters.backbones.network import AbstractNetwork
from latentdb.inverters.backbones.part_loader import PartLoader
from latentdb.torch_compat import torch


@final
class UnconditionalUnet(AbstractNetwork):
    """`UNet2DModel`, which knows no text.

    Parameters
    ----------
    unet : UNet2DModel
        Of diffusers.

    References
    ----------
    Ho, Jain and Abbeel, "Denoising diffusion probabilistic models", 2020, arXiv 2006.11239.
    Rombach et al., "High-resolution image synthesis with latent diffusion models", 2022,
    arXiv 2112.10752.
    """

    parts = ("unet",)
    upcasts_autoencoder = False

    def __init__(self, unet: Any) -> None:
        self._unet = unet

    @classmethod
    def load(cls, loader: PartLoader, prompt: str, *, pixels_per_cell: int) -> UnconditionalUnet:  # noqa: ARG003  one signature for all families
        """The network; see `AbstractNetwork.load`."""
        if prompt:
            raise ModelError(f"prompt={prompt!r} was given to a model that knows no text")
        return cls(loader.network("unet"))

    @property
    def channels(self) -> int:
        """Of the UNet's input."""
        return int(self._unet.config.in_channels)

    @property
    def own_side(self) -> int | None:
        """`sample_size`, where it is square."""
        side = self._unet.config.sample_size
        return side if isinstance(side, int) else None

    @property
    def side_multiple(self) -> int:
        """Each level but the first halves the code once more."""
        return int(2 ** (len(self._unet.config.block_out_channels) - 1))

    def predict(self, x: torch.Tensor, timestep: float) -> torch.Tensor:
        """The UNet's output."""
        told = torch.tensor([timestep], dtype=torch.float32, device=x.device)
        output: torch.Tensor = self._unet(x, told).sample
        return output
