"""Tiny text encoders and tokenizers of transformers, as pipelines of diffusers take them."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from latentdb.torch_compat import torch  # noqa: F401  before what imports torchvision

LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SHAPE = {"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}


def clip_tokenizer() -> Any:
    """A CLIP tokenizer that knows single letters."""
    from transformers import CLIPTokenizer

    words = [*LETTERS, *(f"{letter}</w>" for letter in LETTERS)]
    words += ["<|startoftext|>", "<|endoftext|>"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        vocabulary = {word: number for number, word in enumerate(words)}
        (folder / "vocab.json").write_text(json.dumps(vocabulary))
        (folder / "merges.txt").write_text("#version: 0.2\n")
        return CLIPTokenizer(
            str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=77
        )


def clip_encoder(*, layers: int = 2) -> Any:
    """A CLIP text model of 16 dimensions."""
    from transformers import CLIPTextConfig, CLIPTextModel

    return CLIPTextModel(_clip_config(CLIPTextConfig, layers))


def clip_projector() -> Any:
    """A CLIP text model of 16 dimensions with a projection to 16."""
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection

    return CLIPTextModelWithProjection(_clip_config(CLIPTextConfig, 2))


def _clip_config(config: Any, layers: int) -> Any:
    # Where a prompt ends is found by this number: the tokenizer's `<|endoftext|>`.
    ids = {"eos_token_id": 53, "bos_token_id": 52, "pad_token_id": 53}
    shape = {**_SHAPE, "num_hidden_layers": layers}
    return config(**shape, **ids, hidden_size=16, projection_dim=16, vocab_size=64)


def t5_tokenizer() -> Any:
    """A T5 tokenizer that knows single letters."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import T5TokenizerFast

    words = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    words += [(letter, -3.0) for letter in LETTERS]
    tokenizer = Tokenizer(models.Unigram(words, unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "tokenizer.json"
        tokenizer.save(str(path))
        (path.parent / "tokenizer_config.json").write_text(
            json.dumps({"extra_ids": 0, "model_max_length": 512})
        )
        return T5TokenizerFast.from_pretrained(name)


def t5_encoder() -> Any:
    """A T5 encoder of 32 dimensions."""
    from transformers import T5Config, T5EncoderModel

    shape = {"d_model": 32, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 2}
    return T5EncoderModel(T5Config(**shape, vocab_size=64))
