"""What the families of UNets share: their sizes, and how they are told a timestep."""

from __future__ import annotations

from typing import Any

from latentdb.inverters.backbones.network import AbstractNetwork
from latentdb.torch_compat import torch


class AbstractUnet(AbstractNetwork):
    """A UNet of diffusers.

    Parameters
    ----------
    unet : UNet2DModel or UNet2DConditionModel
    """

    def __init__(self, unet: Any) -> None:
        self._unet = unet

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

    def _run(self, x: torch.Tensor, timestep: float, **conditions: Any) -> torch.Tensor:
        told = torch.tensor([timestep], dtype=torch.float32, device=x.device)
        output: torch.Tensor = self._unet(x, told, **conditions).sample
        return output


def guidance_embedding(unet: Any, like: torch.Tensor) -> torch.Tensor | None:
    """Embedding (1, width) of guidance 1, or None for a UNet that is not told its guidance.

    A network that was distilled from a guided one, as latent consistency models are, is told
    w = guidance − 1 = 0: half sines of 0, half cosines of it.
    """
    width = unet.config.get("time_cond_proj_dim")
    if width is None:
        return None
    embedding = torch.zeros(1, width, device=like.device, dtype=like.dtype)
    embedding[:, width // 2 : 2 * (width // 2)] = 1
    return embedding
