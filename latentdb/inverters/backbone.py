"""What an inverter asks of a diffusion model."""

from __future__ import annotations

from abc import ABC, abstractmethod

from latentdb.inverters.schedule import AbstractSchedule
from latentdb.model import Pixels, Transform
from latentdb.space import Setting
from latentdb.torch_compat import torch


class AbstractBackbone(ABC):
    """An autoencoder and a denoising network, as functions of float32 tensors."""

    @property
    @abstractmethod
    def schedule(self) -> AbstractSchedule:
        """Noise levels that the network was trained on, and what it predicts."""

    @property
    @abstractmethod
    def latent_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of a latent code."""

    @property
    @abstractmethod
    def transform(self) -> Transform:
        """Preprocessing that `encode` expects to have been applied."""

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where tensors are to be."""

    @abstractmethod
    def settings(self) -> dict[str, Setting]:
        """Settings of the model that move a vector: weights, size, prompt, scaling, dtype."""

    @abstractmethod
    def encode(self, pixels: Pixels) -> torch.Tensor:
        """Scaled latents (n, channels, height, width) of pictures (n, size, size, 3) uint8."""

    @abstractmethod
    def predict(self, x: torch.Tensor, timestep: float) -> torch.Tensor:
        """The network's output at `x` (n, channels, height, width), told `timestep`."""

    @abstractmethod
    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Pictures (n, 3, size, size) in [0, 1], not rounded, of scaled latents."""
