"""Vision models of timm (DINO, ViT, ConvNeXt, ResNet, …) without their classifier.

Vectors are the pooled features as they come, not normalised; the cosine metric normalises.
"""

from __future__ import annotations

from typing import Any, final

import numpy as np

from latentdb.encoders.options import TimmOptions
from latentdb.errors import ModelError
from latentdb.model import AbstractEncoder, Embedded, Pixels, Transform
from latentdb.space import Space
from latentdb.tensors import PixelFormat, as_vectors
from latentdb.torch_compat import resolve_device, torch, torch_dtype
from latentdb.weights import find_model, local_folder, model_errors

_PATTERNS = ("config.json", "model.safetensors", "pytorch_model.bin")


@final
class TimmEncoder(AbstractEncoder):
    """A model of timm, pooled as its config says.

    Parameters
    ----------
    source : str
        A folder in timm's hub layout, a hub id, or a model name of timm with its tag
        (`vit_small_patch16_224.dino`), which is the hub id `timm/NAME`.
    options : TimmOptions
        See there.
    name, spec : str
        The space's name, and the spec that makes this model again.
    device : str
        `auto`, `cpu`, `cuda:0`, …

    Raises
    ------
    ModelError
        The model cannot be found or loaded.
    """

    def __init__(
        self, source: str, options: TimmOptions, *, name: str, spec: str, device: str = "auto"
    ) -> None:
        self._device = resolve_device(device)
        self._dtype = torch_dtype(options.dtype)
        hub_id = source if "/" in source or local_folder(source) else f"timm/{source}"
        with model_errors(f"timm model {source!r}"):
            files = find_model(hub_id, patterns=_PATTERNS)
            digest = files.digest(_PATTERNS)
            self._model = _load(str(files.folder), options.size)
            self._model = self._model.eval().to(device=self._device, dtype=self._dtype)
            self._format = _pixel_format(self._model, options.size)
            probe = self._features(np.zeros((1, *[self._format.size] * 2, 3), np.uint8))
        self._space = Space(
            name=name,
            kind="embedding",
            dim=int(probe.shape[1]),
            spec=spec,
            settings={
                "loader": "timm",
                "model": files.name,
                "weights": digest,
                **self._format.settings(),
                "output": "raw",
                "compute_dtype": options.dtype,
            },
            dtype=options.store,
        )

    @property
    def space(self) -> Space:
        """The space, with every setting that moves a vector."""
        return self._space

    @property
    def transform(self) -> Transform:
        """Preprocessing that `embed` expects to have been applied."""
        return self._format.transform

    def embed(self, pixels: Pixels) -> Embedded:
        """Vectors of a batch of pictures (n, size, size, 3) uint8, not modified."""
        if len(pixels) == 0:
            return Embedded(np.empty((0, self._space.dim), np.float32))
        return Embedded(as_vectors(self._features(pixels), self._space.name))

    def _features(self, pixels: Pixels) -> torch.Tensor:
        with torch.inference_mode():
            images = self._format.tensor(pixels, self._device, self._dtype)
            features: torch.Tensor = self._model(images)
        return features


def _load(folder: str, size: int | None) -> Any:
    """The model without its classifier, for pictures of `size` pixels where one is asked."""
    import timm

    resized: dict[str, Any] = {} if size is None else {"img_size": size}
    return timm.create_model(f"local-dir:{folder}", pretrained=True, num_classes=0, **resized)


def _pixel_format(model: Any, size: int | None) -> PixelFormat:
    """Size, mean and deviation as the model's pretrained config names them."""
    import timm.data

    library: Any = timm.data  # its functions carry no types
    config = library.resolve_data_config({}, model=model)
    channels, height, width = config["input_size"]
    if channels != 3 or height != width:
        raise ModelError(
            f"the model wants pictures of {config['input_size']}; only RGB squares are supported"
        )
    return PixelFormat(
        size=size or int(height),
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
        resample=config["interpolation"],
    )
