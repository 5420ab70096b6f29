"""Vision models of timm (DINO, ViT, ConvNeXt, ResNet, …) without their classifier."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, final

from latentdb.encoders.base import AbstractTorchEncoder, Network
from latentdb.encoders.options import TimmOptions
from latentdb.errors import ModelError
from latentdb.tensors import PixelFormat
from latentdb.torch_compat import torch
from latentdb.weights import find_model, local_folder

_PATTERNS = ("config.json", "model.safetensors", "pytorch_model.bin")


@final
class TimmEncoder(AbstractTorchEncoder[TimmOptions]):
    """A model of timm, pooled as its config says.

    Parameters
    ----------
    source : str
        A folder in timm's hub layout, a hub id, or a model name of timm with its tag
        (`vit_small_patch16_224.dino`), which is the hub id `timm/NAME`.
    options : TimmOptions
        See there.
    name, spec, device : str
        As for every `AbstractTorchEncoder`.

    Raises
    ------
    ModelError
        The model cannot be found or loaded.
    """

    loader = "timm"

    def _load(self, source: str) -> Network:
        import timm

        hub_id = source if "/" in source or local_folder(source) else f"timm/{source}"
        files = find_model(hub_id, patterns=_PATTERNS)
        digest = files.digest(_PATTERNS)
        size = self._options.size
        resized: dict[str, Any] = {} if size is None else {"img_size": size}
        model = timm.create_model(
            f"local-dir:{files.folder}", pretrained=True, num_classes=0, **resized
        )
        return Network(
            model, _pixel_format(model, self._options), {"model": files.name, "weights": digest}
        )

    def _features(self, images: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self._model(images)
        return features


def _pixel_format(model: Any, options: TimmOptions) -> PixelFormat:
    """Size, crop, mean and deviation as the model's pretrained config names them."""
    import timm.data

    library: Any = timm.data  # its functions carry no types
    config = library.resolve_data_config({}, model=model)
    channels, height, width = config["input_size"]
    if channels != 3 or height != width:
        raise ModelError(
            f"the model wants pictures of {config['input_size']}; only RGB squares are supported"
        )
    size = options.size or int(height)
    crop_pct = _crop_pct(config) if options.crop_pct is None else options.crop_pct
    short_side = math.floor(size / crop_pct)
    return PixelFormat(
        size=size,
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
        resample=config["interpolation"],
        short_side=None if short_side == size else short_side,
    )


def _crop_pct(config: Mapping[str, Any]) -> float:
    """Share of the short side that the model was evaluated on, by a resolved data config."""
    if config["crop_mode"] != "center" or not 0 < config["crop_pct"] <= 1:
        raise ModelError(
            f"the model wants pictures cut by crop_mode={config['crop_mode']!r} and "
            f"crop_pct={config['crop_pct']}; only 'center' with at most 1 is supported. Add "
            "?crop_pct=1 for squares from the middle all the same"
        )
    return float(config["crop_pct"])
