"""Stable Diffusion 1.x and 2.x, and latent consistency models distilled from them."""

from __future__ import annotations

from typing import Any, final

from latentdb.inverters.backbones.network import Condition
from latentdb.inverters.backbones.part_loader import PartLoader
from latentdb.inverters.backbones.text import text_parts
from latentdb.inverters.backbones.unet import AbstractUnet, guidance_embedding
from latentdb.torch_compat import torch


@final
class StableDiffusionUnet(AbstractUnet):
    """`UNet2DConditionModel` with the hidden states of one CLIP text encoder.

    Parameters
    ----------
    unet : UNet2DConditionModel
        Of diffusers.
    hidden : (1, n_tokens, width)
        The prompt.

    References
    ----------
    Rombach et al., "High-resolution image synthesis with latent diffusion models", 2022,
    arXiv 2112.10752.
    Luo et al., "Latent consistency models", 2023, arXiv 2310.04378.
    """

    parts = ("unet", "text_encoder", "tokenizer")
    # Its autoencoder does not overflow, and spaces of float16 were stored with it in float16.
    follows_upcast = False

    def __init__(self, unet: Any, hidden: torch.Tensor) -> None:
        super().__init__(unet)
        self._hidden = hidden
        self._guidance = guidance_embedding(unet, hidden)

    @classmethod
    def load(cls, loader: PartLoader, condition: Condition) -> StableDiffusionUnet:
        """The network with its prompt; see `AbstractNetwork.load`."""
        hidden = _embed(loader, condition.prompt)
        return cls(loader.network("unet"), hidden)

    def predict(self, x: torch.Tensor, timestep: float) -> torch.Tensor:
        """The UNet's output."""
        hidden = self._hidden.expand(len(x), -1, -1)
        return self._run(x, timestep, encoder_hidden_states=hidden, timestep_cond=self._guidance)


def _embed(loader: PartLoader, prompt: str) -> torch.Tensor:
    """Hidden states (1, n_tokens, width) as `StableDiffusionPipeline` makes them."""
    import diffusers

    library: Any = diffusers
    pipeline = library.StableDiffusionPipeline(
        **text_parts(loader, 1),
        vae=None,
        unet=None,
        scheduler=None,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    with torch.inference_mode():
        hidden: torch.Tensor = pipeline.encode_prompt(
            prompt, loader.device, 1, do_classifier_free_guidance=False
        )[0]
    return hidden
