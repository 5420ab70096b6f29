"""Vision models of transformers: DINOv2 and v3, ViT, the vision tower of CLIP and SigLIP."""

from __future__ import annotations

from typing import Any, final

from PIL import Image

from latentdb.encoders.base import AbstractTorchEncoder, Network
from latentdb.encoders.options import Pooling, TransformersOptions
from latentdb.errors import ModelError
from latentdb.tensors import PixelFormat
from latentdb.torch_compat import torch
from latentdb.weights import find_model, without_progress_bars

_PATTERNS = ("config.json", "preprocessor_config.json", "model*.safetensors", "pytorch_model*.bin")


@final
class TransformersEncoder(AbstractTorchEncoder[TransformersOptions]):
    """A vision model through `AutoModel` and `AutoImageProcessor`.

    Of a model with two towers (CLIP, SigLIP) the vision tower is taken, before its projection;
    for text in the same space use `open_clip:`.

    Parameters
    ----------
    source : str
        A folder in transformers' layout, or a hub id.
    options : TransformersOptions
        See there.
    name, spec, device : str
        As for every `AbstractTorchEncoder`.

    Raises
    ------
    ModelError
        The model cannot be found or loaded, or has no output of the pooling asked for.
    """

    loader = "transformers"

    def _load(self, source: str) -> Network:
        files = find_model(source, patterns=_PATTERNS)
        settings = {
            "model": files.name,
            "weights": files.digest(_PATTERNS),
            "pooling": self._options.pooling,
        }
        folder = str(files.folder)
        model = _vision_model(folder)
        return Network(model, _pixel_format(folder, self._options.size), settings)

    def _features(self, images: torch.Tensor) -> torch.Tensor:
        return _pool(self._model(pixel_values=images), self._options.pooling)


def _vision_model(folder: str) -> Any:
    """The model, or the vision tower of a model that has two."""
    from transformers import AutoConfig, AutoModel

    with without_progress_bars("transformers"):
        model = AutoModel.from_pretrained(folder, local_files_only=True)
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    return model.vision_model if "vision_config" in config.to_dict() else model


def _pool(output: Any, pooling: Pooling) -> torch.Tensor:
    """One vector per picture out of a model's output."""
    tokens: torch.Tensor = output.last_hidden_state
    if pooling == "pooled":
        pooled: torch.Tensor | None = output.pooler_output
        if pooled is None:
            raise ModelError("the model has no pooled output; use pooling=cls or pooling=mean")
        return pooled
    if tokens.ndim != 3:
        raise ModelError(
            f"the model gives no tokens but maps of shape {tuple(tokens.shape)}; use pooling=pooled"
        )
    return tokens[:, 0] if pooling == "cls" else tokens[:, 1:].mean(dim=1)


def _pixel_format(folder: str, size: int | None) -> PixelFormat:
    """Size, mean and deviation as the model's image processor names them."""
    import transformers

    library: Any = transformers  # its functions carry no types
    config = library.AutoImageProcessor.from_pretrained(folder, local_files_only=True).to_dict()
    if size is None:
        size = _side(config)
    return PixelFormat(
        size=size,
        mean=tuple(config["image_mean"]),
        std=tuple(config["image_std"]),
        resample=Image.Resampling(config["resample"]).name.lower(),
    )


def _side(config: dict[str, Any]) -> int:
    """Side of the square that an image processor ends with."""
    size = config["crop_size"] if config.get("do_center_crop") else config["size"]
    sides = {size} if isinstance(size, int) else set(size.values())
    if len(sides) != 1:
        raise ModelError(f"the model wants pictures of {size}; only squares are supported")
    return int(sides.pop())
