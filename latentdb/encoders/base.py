"""What all encoders share: a network of torch between pixels and vectors."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar, final

import numpy as np

from latentdb.model import AbstractEncoder, Embedded, Pixels, Transform
from latentdb.space import Setting, Space, VectorDType
from latentdb.tensors import PixelFormat, as_vectors
from latentdb.torch_compat import ComputeDType, resolve_device, torch, torch_dtype
from latentdb.weights import model_errors


class EncoderOptions(Protocol):
    """What the options of every encoder have."""

    @property
    def dtype(self) -> ComputeDType:
        """What the network computes in."""

    @property
    def store(self) -> VectorDType:
        """How vectors are stored."""


Options = TypeVar("Options", bound=EncoderOptions)


@final
@dataclass(frozen=True)
class Network:
    """What a model library gives for one model.

    Parameters
    ----------
    model : torch module
        On any device, in any mode.
    format : PixelFormat
        What it expects of its pixels.
    settings : mapping of str to scalar
        What tells it from others: the model's name, the weights' hash, and the like.
    tokenizer : callable, optional
        Of a model that takes text; None for the others.
    """

    model: Any
    format: PixelFormat
    settings: Mapping[str, Setting]
    tokenizer: Any = None


class AbstractTorchEncoder(AbstractEncoder, Generic[Options]):
    """An encoder whose network runs in torch; a library's own says how to load and call it.

    Vectors are the network's outputs as they come, not normalised: the norm carries information
    that maps between spaces use, and the cosine metric divides by it anyway.

    Parameters
    ----------
    source : str
        Folder, hub id or name of the model.
    options : EncoderOptions
        The library's own.
    name, spec : str
        The space's name, and the spec that makes this model again.
    device : str
        `auto`, `cpu`, `cuda:0`, …

    Raises
    ------
    ModelError
        The model cannot be found or loaded.
    """

    loader: ClassVar[str]
    """The library, as specs and settings call it."""

    def __init__(
        self, source: str, options: Options, *, name: str, spec: str, device: str = "auto"
    ) -> None:
        self._device = resolve_device(device)
        self._dtype = torch_dtype(options.dtype)
        self._options = options
        with model_errors(f"{self.loader} model {source!r}"):
            network = self._load(source)
            self._model = network.model.eval().to(device=self._device, dtype=self._dtype)
            self._format = network.format
            self._tokenizer = network.tokenizer
            probe = self._run(np.zeros((1, *[self._format.size] * 2, 3), np.uint8))
        self._space = Space(
            name=name,
            kind="embedding",
            dim=int(probe.shape[1]),
            spec=spec,
            settings={
                "loader": self.loader,
                **network.settings,
                **self._format.settings(),
                "output": "raw",
                "compute_dtype": options.dtype,
            },
            dtype=options.store,
            has_text=self._tokenizer is not None,
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
        return Embedded(as_vectors(self._run(pixels), self._space.name))

    @abstractmethod
    def _load(self, source: str) -> Network:
        """The model that `source` and the options name; what the library raises is translated."""

    @abstractmethod
    def _features(self, images: torch.Tensor) -> torch.Tensor:
        """Features (n, dim) of normalised pictures (n, 3, size, size)."""

    def _run(self, pixels: Pixels) -> torch.Tensor:
        with torch.inference_mode():
            return self._features(self._format.tensor(pixels, self._device, self._dtype))
