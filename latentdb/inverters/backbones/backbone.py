"""A diffusers pipeline as a backbone: autoencoder, network, schedule and prompt put together."""

from __future__ import annotations

from typing import final

import numpy as np

from latentdb.errors import ModelError
from latentdb.inverters.backbone import AbstractBackbone
from latentdb.inverters.backbones.autoencoder import AbstractAutoencoder
from latentdb.inverters.backbones.families import family_of
from latentdb.inverters.backbones.network import AbstractNetwork, Condition
from latentdb.inverters.backbones.part_loader import PartLoader
from latentdb.inverters.backbones.pipeline_folder import PipelineFolder
from latentdb.inverters.backbones.read_autoencoder import read_autoencoder
from latentdb.inverters.backbones.scheduler_config import read_schedule
from latentdb.inverters.options import DiffusersOptions
from latentdb.inverters.schedule import AbstractSchedule
from latentdb.model import Pixels, Transform
from latentdb.space import Setting
from latentdb.tensors import PixelFormat
from latentdb.torch_compat import resolve_device, torch, torch_dtype
from latentdb.weights import model_errors

_HALF = (0.5, 0.5, 0.5)


@final
class DiffusersBackbone(AbstractBackbone):
    """Autoencoder, network and noise schedule of a diffusers pipeline.

    Latents are the autoencoder's mean (its mode), not a sample, scaled as its config says.
    Guidance is 1: the prompt's embedding is computed once, and the network called once a step.

    Parameters
    ----------
    source : str
        A folder in diffusers' layout, or a hub id.
    options : DiffusersOptions
        Those of the model and of speed.
    device : str
        `auto`, `cpu`, `cuda:0`, …

    Raises
    ------
    ModelError
        The model cannot be found or loaded, or is of another family.
    """

    def __init__(self, source: str, options: DiffusersOptions, *, device: str = "auto") -> None:
        self._device, self._dtype = resolve_device(device), torch_dtype(options.dtype)
        self._options = options
        with model_errors(f"diffusion model {source!r}"):
            pipeline = PipelineFolder.open(source)
            family = family_of(pipeline)
            self._is_told = pipeline.is_noise_conditioned
            loader = PartLoader(pipeline, self._device, options)
            found = read_autoencoder(loader, follows_upcast=family.follows_upcast)
            self._autoencoder: AbstractAutoencoder = found.autoencoder
            cell = self._autoencoder.pixels_per_cell
            self._network: AbstractNetwork = family.load(
                loader, Condition(options.prompt, pixels_per_cell=cell)
            )
            self._format = PixelFormat(self._measure(options.size, cell), _HALF, _HALF)
            side = self._format.size // cell
            self._latent_shape = (self._network.channels, side, side)
            self._schedule = read_schedule(
                pipeline.scheduler_config(), tokens=(side // self._network.patch) ** 2
            )
            self._sources: dict[str, Setting] = {
                "model": pipeline.name,
                "weights": pipeline.digest((*family.parts, *found.parts)),
                **found.settings,
            }
            self._try_out()

    @property
    def schedule(self) -> AbstractSchedule:
        """Noise levels that the network was trained on, and what it predicts."""
        return self._schedule

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of a latent code."""
        return self._latent_shape

    @property
    def transform(self) -> Transform:
        """Preprocessing that `encode` expects to have been applied."""
        return self._format.transform

    @property
    def device(self) -> torch.device:
        """Where tensors are to be."""
        return self._device

    def settings(self) -> dict[str, Setting]:
        """Settings of the model that move a vector: weights, size, prompt, scaling, dtype."""
        # Absent where they say nothing unusual: so are the fingerprints of stored databases.
        unusual: dict[str, Setting] = {} if self._is_told else {"noise_conditioned": False}
        if self._options.tiling:
            unusual["vae_tiling"] = True
        return {
            "loader": "diffusers",
            **self._sources,
            "size": self._format.size,
            "crop": "center",
            "resample": self._format.resample,
            **self._autoencoder.settings(),
            "prompt": self._options.prompt,
            "guidance": 1.0,
            "compute_dtype": self._options.dtype,
            **self._network.settings(),
            **unusual,
        }

    def encode(self, pixels: Pixels) -> torch.Tensor:
        """Scaled latents (n, channels, height, width) of pictures (n, size, size, 3) uint8."""
        tensor = self._format.tensor(pixels, self._device, self._autoencoder.dtype)
        return self._autoencoder.encode(tensor)

    def predict(self, x: torch.Tensor, timestep: float) -> torch.Tensor:
        """The network's output at `x` (n, channels, height, width), told `timestep`.

        A network that is blind to its noise is told 0, whatever `timestep` is.
        """
        told = timestep if self._is_told else 0.0
        return self._network.predict(x.to(self._dtype), told).float()

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Pictures (n, 3, size, size) in [0, 1], not rounded, of scaled latents."""
        return self._autoencoder.decode(latents)

    def _measure(self, size: int | None, cell: int) -> int:
        """Side of the pictures, in pixels: the network's own, or `size`."""
        own = self._network.own_side
        if size is None and own is None:
            raise ModelError("the network's config names no square sample_size; say size=PIXELS")
        side = size if size is not None else (own or 0) * cell
        multiple = cell * self._network.side_multiple
        if side < multiple or side % multiple:
            raise ModelError(f"size={side} is not a multiple of {multiple}, as this model needs")
        return side

    def _try_out(self) -> None:
        """Run each part once, so that a model that does not fit fails while it is loaded."""
        with torch.inference_mode():
            size = self._format.size
            code = self.encode(np.zeros((1, size, size, 3), np.uint8))
            if code.shape[1:] != self._latent_shape:
                raise ModelError(
                    f"the autoencoder gives codes of shape {tuple(code.shape[1:])}, the network "
                    f"takes {self._latent_shape}"
                )
            output = self.predict(code, 0)
        if output.shape != code.shape:
            raise ModelError(
                f"the network predicts {output.shape[1]} channels for {code.shape[1]}; models "
                "with a learned variance are not supported"
            )
