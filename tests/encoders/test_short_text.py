"""Texts that are cut behind their end have the vectors that padded ones have."""

from __future__ import annotations

import copy

import numpy as np
import open_clip
import pytest

from latentdb.encoders.short_text import ShortText
from latentdb.torch_compat import torch


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    made = open_clip.model.CLIP(
        embed_dim=12,
        vision_cfg={"image_size": 16, "layers": 1, "width": 16, "patch_size": 8, "head_width": 8},
        text_cfg={"context_length": 24, "vocab_size": 100, "width": 16, "heads": 2, "layers": 2},
    )
    return made.eval()


def tokens(*lengths: int) -> torch.Tensor:
    """Texts of so many tokens that end in 99, padded with zeros."""
    rows = torch.zeros(len(lengths), 24, dtype=torch.long)
    for row, length in enumerate(lengths):
        rows[row, : length - 1] = torch.arange(1, length)
        rows[row, length - 1] = 99
    return rows


@pytest.mark.parametrize("lengths", [(3,), (2, 8, 5), (9, 3), (24, 2), (17,)])
def test_cut_texts_have_the_vectors_of_padded_ones(model, lengths):
    texts = tokens(*lengths)
    with torch.inference_mode():
        cut, padded = ShortText(model, is_clip=True).encode(texts), model.encode_text(texts)
    np.testing.assert_allclose(cut.numpy(), padded.numpy(), rtol=1e-5, atol=1e-6)


def test_a_text_is_cut_behind_the_longest(model):
    short = ShortText(model, is_clip=True)
    assert [short._needed(tokens(*lengths)) for lengths in [(2,), (2, 9), (24, 2)]] == [8, 16, 24]


def test_the_model_stays_as_it_is(model):
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.inference_mode():
        ShortText(model, is_clip=True).encode(tokens(3))
    assert len(model.positional_embedding) == 24
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_tower_that_looks_ahead_is_given_the_padding(model):
    looking = copy.copy(model)
    looking._buffers = {**model._buffers, "attn_mask": None}
    assert ShortText(looking, is_clip=True)._needed(tokens(3)) == 24
    assert ShortText(model, is_clip=False)._needed(tokens(3)) == 24
