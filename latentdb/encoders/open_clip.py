"""CLIP and its relatives through open_clip: pictures and text in one space."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np

from latentdb.encoders.base import AbstractTorchEncoder, Network
from latentdb.encoders.options import OpenClipOptions
from latentdb.encoders.short_text import ShortText
from latentdb.errors import ModelError
from latentdb.model import AbstractTextEncoder, Vectors
from latentdb.space import Setting
from latentdb.tensors import PixelFormat, as_vectors
from latentdb.torch_compat import torch
from latentdb.weights import ModelFiles, file_digest, find_model, local_folder

_CONFIG = "open_clip_config.json"
_PATTERNS = (
    _CONFIG,
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
    "*.txt.gz",
    "tokenizer*",
    "vocab*",
    "merges.txt",
    "special_tokens_map.json",
)
# About 200 bytes each.
_MOST_WORDS = 20_000


@final
class OpenClipEncoder(AbstractTorchEncoder[OpenClipOptions], AbstractTextEncoder):
    """A CLIP model of open_clip.

    Parameters
    ----------
    source : str
        A folder in open_clip's hub layout, a hub id, or a model name of open_clip with
        `options.pretrained`.
    options : OpenClipOptions
        See there.
    name, spec, device : str
        As for every `AbstractTorchEncoder`.

    Raises
    ------
    ModelError
        The model cannot be found or loaded.
    """

    loader = "open_clip"

    @cached_property
    def _texts(self) -> ShortText:
        import open_clip

        return ShortText(self._model, is_clip=type(self._model) is open_clip.CLIP)

    def encode_text(self, texts: Sequence[str]) -> Vectors:
        """Vectors (n, dim) float32 of `texts`, comparable with those of `embed`."""
        if len(texts) == 0:
            return np.empty((0, self._space.dim), np.float32)
        with torch.inference_mode():
            tokens = self._tokenizer(list(texts)).to(self._device)
            features = self._texts.encode(tokens)
        _forget_words(self._tokenizer)
        return as_vectors(features, self._space.name)

    def _load(self, source: str) -> Network:
        model, tokenizer, settings = _read(source, self._options.pretrained)
        return Network(model, _pixel_format(model), settings, tokenizer)

    def _features(self, images: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self._model.encode_image(images, normalize=False)
        return features


def _read(source: str, pretrained: str | None) -> tuple[Any, Any, dict[str, Setting]]:
    """Model, tokenizer and the settings that identify both."""
    import open_clip

    is_builtin = source in open_clip.list_models() and local_folder(source) is None
    if is_builtin:
        checkpoint = _checkpoint(source, pretrained)
        model = open_clip.create_model(source, pretrained=str(checkpoint), precision="fp32")
        identity: dict[str, Setting] = {"model": source, "weights": file_digest(checkpoint)}
        return model, open_clip.get_tokenizer(source), identity
    if pretrained is not None:
        raise ModelError(
            f"pretrained={pretrained!r} goes with a model name of open_clip, and {source!r} is "
            "none; a folder or hub id brings its own weights, so leave it out"
        )
    files = find_model(source, patterns=_PATTERNS)
    if not (files.folder / _CONFIG).is_file():
        raise ModelError(f"{files.folder} holds no {_CONFIG}, so it is no open_clip model")
    identity = {"model": files.name, "weights": files.digest(_PATTERNS)}
    model = open_clip.create_model(f"local-dir:{files.folder}", precision="fp32")
    return model, _tokenizer(files), identity


def _forget_words(tokenizer: Any) -> None:
    """Keep the tokenizer from remembering every word that was ever asked for."""
    import open_clip.tokenizer

    if not isinstance(tokenizer, open_clip.tokenizer.SimpleTokenizer):
        return
    if len(tokenizer.cache) > _MOST_WORDS:
        # Its own marks stand for themselves; what else it holds it can work out again.
        tokenizer.cache = {word: parts for word, parts in tokenizer.cache.items() if word == parts}


def _tokenizer(files: ModelFiles) -> Any:
    """The configured tokenizer; a `bpe_path` that is relative starts at the model's folder."""
    import open_clip

    address = f"local-dir:{files.folder}"
    config = open_clip.get_model_config(address) or {}
    bpe_path = config.get("text_cfg", {}).get("tokenizer_kwargs", {}).get("bpe_path")
    if bpe_path is None:
        return open_clip.get_tokenizer(address)
    return open_clip.get_tokenizer(address, bpe_path=str(files.folder / bpe_path))


def _checkpoint(model: str, pretrained: str | None) -> Path:
    """The file of weights of a model that open_clip knows by name."""
    import open_clip

    tags = open_clip.list_pretrained_tags_by_model(model)
    if pretrained is None:
        raise ModelError(
            f"{model} is an architecture without weights: add ?pretrained=FILE, or one of the "
            f"tags {', '.join(tags)}"
        )
    if pretrained in tags:
        config = open_clip.get_pretrained_cfg(model, pretrained)
        return Path(open_clip.download_pretrained(config))
    path = Path(pretrained).expanduser()
    if not path.is_file():
        raise ModelError(
            f"pretrained={pretrained!r} is neither a file nor a tag of {model}: {', '.join(tags)}"
        )
    return path


def _pixel_format(model: Any) -> PixelFormat:
    """Size, mean and deviation as the model's preprocess config names them."""
    import open_clip

    config = open_clip.get_model_preprocess_cfg(model)
    size = config["size"]
    side = size if isinstance(size, int) else size[0]
    if not isinstance(size, int) and len(set(size)) != 1:
        raise ModelError(f"the model wants pictures of {size}, and only squares are supported")
    return PixelFormat(
        size=int(side),
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
        resample=config.get("interpolation", "bicubic"),
    )
