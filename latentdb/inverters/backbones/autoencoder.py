"""Between pictures and the codes that a network works on: diffusers' autoencoders, or pixels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, final

from latentdb.errors import ModelError
from latentdb.space import Setting
from latentdb.torch_compat import torch

SUPPORTED = ("AutoencoderKL", "AutoencoderTiny", "VQModel")


class AbstractAutoencoder(ABC):
    """Codes of pictures, and back."""

    @property
    @abstractmethod
    def pixels_per_cell(self) -> int:
        """Side of the pixels that one cell of a code stands for."""

    @property
    @abstractmethod
    def dtype(self) -> torch.dtype:
        """What `encode` takes its pixels in."""

    @abstractmethod
    def settings(self) -> dict[str, Setting]:
        """Settings that move a vector."""

    @abstractmethod
    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        """Scaled codes float32 of pixels (n, 3, size, size) in [−1, 1]; the mode, not a sample."""

    @abstractmethod
    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Pictures (n, 3, size, size) float32 in [0, 1] of scaled codes."""


@final
class PixelSpace(AbstractAutoencoder):
    """No autoencoder: the network works on pixels in [−1, 1]."""

    @property
    def pixels_per_cell(self) -> int:
        """One pixel."""
        return 1

    @property
    def dtype(self) -> torch.dtype:
        """Pixels are codes, and codes are float32."""
        return torch.float32

    def settings(self) -> dict[str, Setting]:
        """That there is none."""
        return {"vae": "none", "vae_mode": "none", "vae_scaling": 1.0}

    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        """The pixels themselves."""
        return pixels

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """The pixels themselves, from [−1, 1] to [0, 1], clamped."""
        return (latents / 2 + 0.5).clamp(0, 1)


@final
class Vae(AbstractAutoencoder):
    """An autoencoder of diffusers.

    A scaled code is (code − shift)·scaling; where the config gives a mean and a deviation per
    channel, it is (code − mean)·scaling/deviation. A `VQModel`'s code is what it quantises only
    while decoding, as latent diffusion trains on it.

    Parameters
    ----------
    vae : AutoencoderKL, AutoencoderTiny or VQModel
        Of diffusers, on its device.
    scaling : float
        Factor that brings codes near unit variance.
    """

    def __init__(self, vae: Any, *, scaling: float) -> None:
        self._vae, self._scaling = vae, scaling
        config = vae.config
        mean, deviation = config.get("latents_mean"), config.get("latents_std")
        if (mean is None) != (deviation is None):
            raise ModelError("the autoencoder gives only one of latents_mean and latents_std")
        self._shift: float | torch.Tensor = float(config.get("shift_factor") or 0.0)
        self._scale: float | torch.Tensor = scaling
        if mean is not None:
            self._shift = self._per_channel(mean)
            self._scale = scaling / self._per_channel(deviation)

    @property
    def pixels_per_cell(self) -> int:
        """Each stage but the first halves the picture."""
        config = self._vae.config
        stages = config.get("encoder_block_out_channels") or config["block_out_channels"]
        return int(2 ** (len(stages) - 1))

    @property
    def dtype(self) -> torch.dtype:
        """What the autoencoder computes in."""
        dtype: torch.dtype = self._vae.dtype
        return dtype

    def settings(self) -> dict[str, Setting]:
        """Class, mode and scaling; and the shift, where there is one."""
        settings: dict[str, Setting] = {
            "vae": type(self._vae).__name__,
            "vae_mode": "mode",
            "vae_scaling": self._scaling,
        }
        if isinstance(self._shift, float) and self._shift:
            settings["vae_shift"] = self._shift
        return settings

    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        """Scaled codes; of a distribution, its mode."""
        encoded = self._vae.encode(pixels)
        is_distribution = type(self._vae).__name__ == "AutoencoderKL"
        code = encoded.latent_dist.mode() if is_distribution else encoded.latents
        scaled: torch.Tensor = (code.float() - self._shift) * self._scale
        return scaled

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Pictures of scaled codes."""
        code = (latents / self._scale + self._shift).to(self.dtype)
        decoded: torch.Tensor = self._vae.decode(code).sample.float()
        return (decoded / 2 + 0.5).clamp(0, 1)

    def _per_channel(self, values: list[float]) -> torch.Tensor:
        return torch.tensor(values, device=self._vae.device).view(1, -1, 1, 1)
