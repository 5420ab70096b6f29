"""Stable Diffusion XL: two text encoders, a pooled prompt, and the picture's size as a condition.

An empty prompt is embedded as zeros where the pipeline says `force_zeros_for_empty_prompt`, as
SDXL's does: captions were dropped that way in training, so that is the model without a prompt.
diffusers does so for the empty prompt that guidance steers away from, and embeds an empty
`prompt=` as text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from latentdb.inverters.backbones.network import Condition
from latentdb.inverters.backbones.part_loader import PartLoader
from latentdb.inverters.backbones.text import text_parts
from latentdb.inverters.backbones.unet import AbstractUnet, guidance_embedding
from latentdb.space import Setting
from latentdb.torch_compat import torch


@final
@dataclass(frozen=True)
class SdxlPrompt:
    """A prompt as SDXL is told it.

    Parameters
    ----------
    hidden : (1, n_tokens, width)
        Of both encoders, side by side.
    pooled : (1, width)
        Of the second.
    empty_as : "zeros", "text" or None
        What an empty prompt became; None for any other.
    """

    hidden: torch.Tensor
    pooled: torch.Tensor
    empty_as: str | None


@final
class SdxlUnet(AbstractUnet):
    """`UNet2DConditionModel` that is told pooled text and sizes.

    The picture is said to have been of its size, and not to have been cropped.

    Parameters
    ----------
    unet : UNet2DConditionModel
        Of diffusers.
    prompt : SdxlPrompt
    pixels_per_cell : int
        Side of the pixels that one cell of a code stands for.

    References
    ----------
    Podell et al., "SDXL: improving latent diffusion models for high-resolution image synthesis",
    2023, arXiv 2307.01952.
    """

    parts = ("unet", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2")

    def __init__(self, unet: Any, prompt: SdxlPrompt, *, pixels_per_cell: int) -> None:
        super().__init__(unet)
        self._prompt, self._pixels_per_cell = prompt, pixels_per_cell
        self._guidance = guidance_embedding(unet, prompt.hidden)

    @classmethod
    def load(cls, loader: PartLoader, condition: Condition) -> SdxlUnet:
        """The network with its prompt; see `AbstractNetwork.load`."""
        prompt = _embed(loader, condition.prompt)
        return cls(loader.network("unet"), prompt, pixels_per_cell=condition.pixels_per_cell)

    def settings(self) -> dict[str, Setting]:
        """What an empty prompt is, since the index that says so is in no hash."""
        return {} if self._prompt.empty_as is None else {"empty_prompt": self._prompt.empty_as}

    def predict(self, x: torch.Tensor, timestep: float) -> torch.Tensor:
        """The UNet's output."""
        hidden, pooled = self._prompt.hidden, self._prompt.pooled
        size = x.shape[-1] * self._pixels_per_cell
        # Height and width of the original, top and left of the crop, height and width asked for.
        sizes = torch.tensor([[size, size, 0, 0, size, size]], dtype=x.dtype, device=x.device)
        added = {"text_embeds": pooled.expand(len(x), -1), "time_ids": sizes.expand(len(x), -1)}
        return self._run(
            x,
            timestep,
            encoder_hidden_states=hidden.expand(len(x), -1, -1),
            timestep_cond=self._guidance,
            added_cond_kwargs=added,
        )


def _embed(loader: PartLoader, prompt: str) -> SdxlPrompt:
    """The prompt as `StableDiffusionXLPipeline` embeds it, or zeros."""
    import diffusers

    library: Any = diffusers
    pipeline = library.StableDiffusionXLPipeline(
        **text_parts(loader, 2), vae=None, unet=None, scheduler=None, add_watermarker=False
    )
    with torch.inference_mode():
        hidden, _, pooled, _ = pipeline.encode_prompt(
            prompt, device=loader.device, do_classifier_free_guidance=False
        )
    if prompt:
        return SdxlPrompt(hidden, pooled, None)
    if loader.pipeline.index.get("force_zeros_for_empty_prompt", True):
        return SdxlPrompt(torch.zeros_like(hidden), torch.zeros_like(pooled), "zeros")
    return SdxlPrompt(hidden, pooled, "text")
