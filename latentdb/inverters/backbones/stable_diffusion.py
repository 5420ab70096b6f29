"""Stable Diffusion 1.x and 2.x, and what was distilled from them with a guidance embedding."""

from __future__ import annotations

from typing import Any, final

from latentdb.errors import ModelError
from latentdb.inverters.backbones.network import AbstractNetwork
from latentdb.inverters.backbones.part_loader import PartLoader
from latentdb.inverters.backbones.text import text_parts
from latentdb.torch_compat import torch


@final
class StableDiffusionUnet(AbstractNetwork):
    """`UNet2DConditionModel` with the hidden states of one CLIP text encoder.

    A latent consistency model's UNet also takes an embedding of the guidance it is to imitate;
    it is told a guidance of 1.

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
    upcasts_autoencoder = False

    def __init__(self, unet: Any, hidden: torch.Tensor) -> None:
        self._unet, self._hidden = unet, hidden
        self._guidance = guidance_embedding(unet, hidden.device, hidden.dtype)

    @classmethod
    def load(cls, loader: PartLoader, prompt: str, *, pixels_per_cell: int) -> StableDiffusionUnet:  # noqa: ARG003  one signature for all families
        """The network with its prompt; see `AbstractNetwork.load`."""
        hidden = _embed(loader, prompt)
        unet = loader.network("unet")
        require_plain(unet)
        return cls(unet, hidden)

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
        hidden = self._hidden.expand(len(x), -1, -1)
        output: torch.Tensor = self._unet(
            x, told, encoder_hidden_states=hidden, timestep_cond=self._guidance
        ).sample
        return output


def require_plain(unet: Any) -> None:
    """Raise unless a UNet takes no condition but text.

    Raises
    ------
    ModelError
        It takes classes, pictures or another encoder's output.
    """
    keys = ("class_embed_type", "encoder_hid_dim_type", "addition_embed_type", "num_class_embeds")
    if asked := {key: unet.config[key] for key in keys if unet.config.get(key) is not None}:
        raise ModelError(
            f"the UNet takes more than text ({asked}); supported are those of Stable Diffusion "
            "1.x, 2.x and SDXL"
        )


def guidance_embedding(unet: Any, device: torch.device, dtype: torch.dtype) -> torch.Tensor | None:
    """Embedding (1, width) of guidance 1, or None for a UNet that is not told its guidance.

    Such a network is told w = guidance − 1 = 0: half sines of 0, half cosines of it.
    """
    width = unet.config.get("time_cond_proj_dim")
    if width is None:
        return None
    embedding = torch.zeros(1, width, device=device, dtype=dtype)
    embedding[:, width // 2 : 2 * (width // 2)] = 1
    return embedding


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
