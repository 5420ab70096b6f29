"""Unconditional UNets: DDPM on pixels, latent diffusion on codes, and the bundled faces."""

from __future__ import annotations

from typing import final

from latentdb.errors import ModelError
from latentdb.inverters.backbones.network import Condition
from latentdb.inverters.backbones.part_loader import PartLoader
from latentdb.inverters.backbones.unet import AbstractUnet
from latentdb.torch_compat import torch


@final
class UnconditionalUnet(AbstractUnet):
    """`UNet2DModel`, which knows no text.

    References
    ----------
    Ho, Jain and Abbeel, "Denoising diffusion probabilistic models", 2020, arXiv 2006.11239.
    Rombach et al., "High-resolution image synthesis with latent diffusion models", 2022,
    arXiv 2112.10752.
    """

    parts = ("unet",)
    follows_upcast = False

    @classmethod
    def load(cls, loader: PartLoader, condition: Condition) -> UnconditionalUnet:
        """The network; see `AbstractNetwork.load`."""
        if condition.prompt:
            raise ModelError(f"prompt={condition.prompt!r} was given to a model that knows no text")
        return cls(loader.network("unet"))

    def predict(self, x: torch.Tensor, timestep: float) -> torch.Tensor:
        """The UNet's output."""
        return self._run(x, timestep)
