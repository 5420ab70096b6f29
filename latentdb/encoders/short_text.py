"""Texts without the padding behind them, which a causal text tower need not compute.

A text of eight words is padded to 77 tokens. Where no token sees a later one and the vector is
taken at the end of the text, what is behind it changes nothing: a batch is cut behind the end of
its longest text, and takes a fourth of the time or less.
"""

from __future__ import annotations

import copy
from typing import Any, final

from latentdb.torch_compat import torch

# Lengths are rounded up, so that there are few to keep.
_STEP = 8


@final
class ShortText:
    """The text tower of a model, for texts of any length up to its own.

    Parameters
    ----------
    model : open_clip model
    is_clip : bool
        Whether the tower is CLIP's own, and not another library's, which may look ahead.
    """

    def __init__(self, model: Any, *, is_clip: bool) -> None:
        self._model = model
        self._is_causal = (
            is_clip and model.attn_mask is not None and model.text_pool_type == "argmax"
        )
        self._by_length: dict[int, Any] = {}

    def encode(self, tokens: torch.Tensor) -> torch.Tensor:
        """Features (n, dim) of tokens (n, context), not normalised."""
        length = self._needed(tokens)
        features: torch.Tensor = self._for(length).encode_text(tokens[:, :length], normalize=False)
        return features

    def _needed(self, tokens: torch.Tensor) -> int:
        """How many of the tokens the longest text has, its end included."""
        context = int(tokens.shape[1])
        if not self._is_causal:
            return context
        # The end of a text has the highest number of all tokens.
        longest = int(tokens.argmax(dim=-1).max()) + 1
        return min(context, -(-longest // _STEP) * _STEP)

    def _for(self, length: int) -> Any:
        """The model for texts of that many tokens; it shares all weights."""
        if not self._is_causal or length == len(self._model.positional_embedding):
            return self._model
        if length not in self._by_length:
            short = copy.copy(self._model)
            positions = torch.nn.Parameter(
                self._model.positional_embedding[:length], requires_grad=False
            )
            short._parameters = {**self._model._parameters, "positional_embedding": positions}
            mask = self._model.attn_mask[:length, :length]
            short._buffers = {**self._model._buffers, "attn_mask": mask}
            self._by_length[length] = short
        return self._by_length[length]
