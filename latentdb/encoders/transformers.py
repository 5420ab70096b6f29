"""Vision models of transformers: DINOv2 and v3, ViT, the vision tower of CLIP and SigLIP.

Vectors are the features as they come, not normalised; the cosine metric normalises.
"""

from __future__ import annotations

from typing import Any, final

import numpy as np
from PIL import Image

from latentdb.encoders.options import Pooling, TransformersOptions
from latentdb.errors import ModelError
from latentdb.model import AbstractEncoder, Embedded, Pixels, Transform
from latentdb.space import Space
from latentdb.tensors import PixelFormat, as_vectors
from latentdb.torch_compat import resolve_device, torch, torch_dtype
from latentdb.weights import find_model, model_errors, without_progress_bars

_PATTERNS = ("config.json", "preprocessor_config.json", "model*.safetensors", "pytorch_model*.bin")


@final
class TransformersEncoder(AbstractEncoder):
    """A vision model through `AutoModel` and `AutoImageProcessor`.

    Of a model with two towers (CLIP, SigLIP) the vision tower is taken, before its projection;
    for text in the same space use `open_clip:`.

    Parameters
    ----------
    source : str
        A folder in transformers' layout, or a hub id.
    options : TransformersOptions
        See there.
    name, spec : str
        The space's name, and the spec that makes this model again.
    device : str
        `auto`, `cpu`, `cuda:0`, …

    Raises
    ------
    ModelError
        The model cannot be found or loaded, or has no output of the pooling asked for.
    """

    def __init__(
        self,
        source: str,
        options: TransformersOptions,
        *,
        name: str,
        spec: str,
        device: str = "auto",
    ) -> None:
        self._device = resolve_device(device)
        self._dtype = torch_dtype(options.dtype)
        self._pooling: Pooling = options.pooling
        with model_errors(f"transformers model {source!r}"):
            files = find_model(source, patterns=_PATTERNS)
            digest = files.digest(_PATTERNS)
            self._model = _load(str(files.folder))
            self._model = self._model.eval().to(device=self._device, dtype=self._dtype)
            self._format = _pixel_format(str(files.folder), options.size)
            probe = self._features(np.zeros((1, *[self._format.size] * 2, 3), np.uint8))
        self._space = Space(
            name=name,
            kind="embedding",
            dim=int(probe.shape[1]),
            spec=spec,
            settings={
                "loader": "transformers",
                "model": files.name,
                "weights": digest,
                **self._format.settings(),
                "pooling": options.pooling,
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
            return _pool(self._model(pixel_values=images), self._pooling)


def _load(folder: str) -> Any:
    """The model, or the vision tower of a model that has two."""
    from transformers import AutoConfig, AutoModel

    with without_progress_bars():
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
