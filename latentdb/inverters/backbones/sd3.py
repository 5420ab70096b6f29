"""Stable Diffusion 3 and 3.5: a flow-matching transformer with two CLIPs and, if there, a T5."""

from __future__ import annotations

from typing import Any, final

from latentdb.inverters.backbones.network import AbstractNetwork, Condition
from latentdb.inverters.backbones.part_loader import PartLoader
from latentdb.inverters.backbones.text import text_parts
from latentdb.torch_compat import torch


@final
class Sd3Transformer(AbstractNetwork):
    """`SD3Transformer2DModel`; its output is the velocity.

    Parameters
    ----------
    transformer : SD3Transformer2DModel
        Of diffusers.
    hidden : (1, n_tokens, width)
        The prompt: of both CLIPs side by side, then of T5, or zeros for it.
    pooled : (1, width)
        The prompt, of both CLIPs.

    References
    ----------
    Esser et al., "Scaling rectified flow transformers for high-resolution image synthesis",
    2024, arXiv 2403.03206.
    """

    parts = (
        "transformer",
        *(f"text_encoder{suffix}" for suffix in ("", "_2", "_3")),
        *(f"tokenizer{suffix}" for suffix in ("", "_2", "_3")),
    )

    def __init__(self, transformer: Any, hidden: torch.Tensor, pooled: torch.Tensor) -> None:
        self._transformer, self._hidden, self._pooled = transformer, hidden, pooled

    @classmethod
    def load(cls, loader: PartLoader, condition: Condition) -> Sd3Transformer:
        """The network with its prompt; see `AbstractNetwork.load`."""
        hidden, pooled = _embed(loader, condition.prompt)
        return cls(loader.network("transformer"), hidden, pooled)

    @property
    def channels(self) -> int:
        """Of the transformer's input."""
        return int(self._transformer.config.in_channels)

    @property
    def own_side(self) -> int | None:
        """`sample_size`."""
        return int(self._transformer.config.sample_size)

    @property
    def side_multiple(self) -> int:
        """Whole patches."""
        return self.patch

    @property
    def patch(self) -> int:
        """`patch_size`."""
        return int(self._transformer.config.patch_size)

    def predict(self, x: torch.Tensor, timestep: float) -> torch.Tensor:
        """The transformer's output."""
        n = len(x)
        output: torch.Tensor = self._transformer(
            hidden_states=x,
            timestep=torch.full((n,), timestep, dtype=torch.float32, device=x.device),
            encoder_hidden_states=self._hidden.expand(n, -1, -1),
            pooled_projections=self._pooled.expand(n, -1),
        ).sample
        return output


def _embed(loader: PartLoader, prompt: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The prompt as `StableDiffusion3Pipeline` embeds it."""
    import diffusers

    library: Any = diffusers
    architecture = library.SD3Transformer2DModel
    folder = loader.pipeline.folder_of("transformer")
    # The pipeline asks it for a width where there is no T5; it needs no weights for that.
    with torch.device("meta"):
        outline = architecture.from_config(architecture.load_config(folder))
    pipeline = library.StableDiffusion3Pipeline(
        **text_parts(loader, 3, optional=1), vae=None, transformer=outline, scheduler=None
    )
    with torch.inference_mode():
        hidden, _, pooled, _ = pipeline.encode_prompt(
            prompt, None, None, device=loader.device, do_classifier_free_guidance=False
        )
    return hidden, pooled
