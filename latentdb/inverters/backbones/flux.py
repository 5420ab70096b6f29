"""FLUX.1: a flow-matching transformer over patches of 2×2 cells, with a CLIP and a T5.

FLUX.1-dev was distilled from a guided model and is told which guidance to imitate. It is told 1,
at which it imitates the model without guidance, like every other backbone here; pictures made
with it look plainer than at the 3.5 of its pipeline. FLUX.1-schnell has no such input.
"""

from __future__ import annotations

from typing import Any, Final, final

from latentdb.inverters.backbones.network import AbstractNetwork, Condition
from latentdb.inverters.backbones.part_loader import PartLoader
from latentdb.inverters.backbones.text import text_parts
from latentdb.torch_compat import torch

_OWN_SIDE: Final = 128
_PATCH: Final = 2
_GUIDANCE: Final = 1.0
_TOLD_UNIT: Final = 1000.0  # diffusers' transformer multiplies what it is told by it
_TOKENS, _TOKENS_WITHOUT_GUIDANCE = 512, 256  # of dev and of schnell, as they were released


@final
class FluxTransformer(AbstractNetwork):
    """`FluxTransformer2DModel`; its output is the velocity.

    Parameters
    ----------
    transformer : FluxTransformer2DModel
        Of diffusers.
    hidden : (1, n_tokens, width)
        The prompt, of T5.
    pooled : (1, width)
        The prompt, of CLIP.

    References
    ----------
    Black Forest Labs, "FLUX.1", 2024.
    Meng et al., "On distillation of guided diffusion models", 2022, arXiv 2210.03142.
    """

    parts = ("transformer", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2")

    def __init__(self, transformer: Any, hidden: torch.Tensor, pooled: torch.Tensor) -> None:
        self._transformer, self._hidden, self._pooled = transformer, hidden, pooled
        self._text_places = torch.zeros(hidden.shape[1], 3, device=hidden.device)

    @classmethod
    def load(cls, loader: PartLoader, condition: Condition) -> FluxTransformer:
        """The network with its prompt; see `AbstractNetwork.load`."""
        hidden, pooled = _embed(loader, condition.prompt)
        return cls(loader.network("transformer"), hidden, pooled)

    @property
    def channels(self) -> int:
        """A token holds the channels of 2×2 cells."""
        return int(self._transformer.config.in_channels) // _PATCH**2

    @property
    def own_side(self) -> int | None:
        """128, a picture of 1,024 pixels; its config does not say."""
        return _OWN_SIDE

    @property
    def side_multiple(self) -> int:
        """Whole patches."""
        return _PATCH

    @property
    def patch(self) -> int:
        """2."""
        return _PATCH

    def predict(self, x: torch.Tensor, timestep: float) -> torch.Tensor:
        """The transformer's output."""
        n, side = len(x), x.shape[-1] // _PATCH
        told = torch.full((n,), timestep / _TOLD_UNIT, dtype=torch.float32, device=x.device)
        is_guided = self._transformer.config.guidance_embeds
        tokens = self._transformer(
            hidden_states=_pack(x),
            timestep=told,
            guidance=torch.full_like(told, _GUIDANCE) if is_guided else None,
            pooled_projections=self._pooled.expand(n, -1),
            encoder_hidden_states=self._hidden.expand(n, -1, -1),
            txt_ids=self._text_places,
            img_ids=_places(side, x.device),
        ).sample
        return _unpack(tokens, side)


def _pack(x: torch.Tensor) -> torch.Tensor:
    """Tokens (n, side², 4·channels) of states (n, channels, 2·side, 2·side)."""
    n, channels, height, width = x.shape
    cells = x.view(n, channels, height // _PATCH, _PATCH, width // _PATCH, _PATCH)
    return cells.permute(0, 2, 4, 1, 3, 5).reshape(n, -1, channels * _PATCH**2)


def _unpack(tokens: torch.Tensor, side: int) -> torch.Tensor:
    """What `_pack` was given."""
    cells = tokens.view(len(tokens), side, side, -1, _PATCH, _PATCH)
    return cells.permute(0, 3, 1, 4, 2, 5).reshape(len(tokens), -1, side * _PATCH, side * _PATCH)


def _places(side: int, device: torch.device) -> torch.Tensor:
    """Zero, row and column of each token, (side², 3)."""
    rows, columns = torch.meshgrid(*[torch.arange(side, device=device)] * 2, indexing="ij")
    places = torch.stack([torch.zeros_like(rows), rows, columns], dim=-1)
    return places.view(-1, 3).float()


def _embed(loader: PartLoader, prompt: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The prompt as `FluxPipeline` embeds it."""
    import diffusers

    library: Any = diffusers
    config = library.FluxTransformer2DModel.load_config(loader.pipeline.folder_of("transformer"))
    pipeline = library.FluxPipeline(
        **text_parts(loader, 2), vae=None, transformer=None, scheduler=None
    )
    with torch.inference_mode():
        hidden, pooled, _ = pipeline.encode_prompt(
            prompt,
            device=loader.device,
            max_sequence_length=(
                _TOKENS if config.get("guidance_embeds") else _TOKENS_WITHOUT_GUIDANCE
            ),
        )
    return hidden, pooled
