"""Between the arrays of the pipeline and the tensors of a network, both ways, with checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from indexers.errors import DimensionError, DtypeError
from latentdb.errors import ModelError
from latentdb.model import Pixels, Transform, Vectors
from latentdb.space import Setting
from latentdb.torch_compat import torch


@final
@dataclass(frozen=True)
class PixelFormat:
    """What a network expects of its pixels.

    Parameters
    ----------
    size : int
        Side of the square, in pixels.
    mean, std : tuple of three floats
        Per RGB channel, of values in [0, 1]: the network sees (pixel/255 − mean) / std.
    resample : "bicubic", "bilinear" or "lanczos"
        Filter of the resize.
    short_side : int, optional
        What the short side is resized to before the square is cut out; None for `size`.
    """

    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    resample: str = "bicubic"
    short_side: int | None = None

    @property
    def transform(self) -> Transform:
        """The preprocessing that runs in the decoding processes."""
        return Transform(self.size, self.resample, self.short_side)

    def tensor(self, pixels: Pixels, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
        """Normalised pixels (n, 3, size, size) on `device`; `pixels` is not modified.

        Raises
        ------
        DimensionError, DtypeError
            `pixels` is not (n, size, size, 3) uint8.
        """
        require_pixels(pixels, self.size)
        raw = torch.tensor(pixels, device=device)
        values = raw.permute(0, 3, 1, 2).to(torch.float32) / 255.0
        mean = torch.tensor(self.mean, device=device).view(1, 3, 1, 1)
        std = torch.tensor(self.std, device=device).view(1, 3, 1, 1)
        return ((values - mean) / std).to(dtype)

    def settings(self) -> dict[str, Setting]:
        """The settings that move a vector, for the space's fingerprint."""
        settings: dict[str, Setting] = {
            "size": self.size,
            "crop": "center",
            "resample": self.resample,
            "mean": ",".join(f"{value:.6g}" for value in self.mean),
            "std": ",".join(f"{value:.6g}" for value in self.std),
        }
        # Absent where nothing is cut off: so are the fingerprints of stored databases written.
        return settings if self.short_side is None else {**settings, "short_side": self.short_side}


def require_pixels(pixels: Pixels, size: int) -> None:
    """Raise unless `pixels` is a batch (n, size, size, 3) of uint8.

    Raises
    ------
    DimensionError
        Another shape.
    DtypeError
        Another dtype: floats in [0, 1] would be read as black.
    """
    if pixels.ndim != 4 or pixels.shape[1:] != (size, size, 3):
        raise DimensionError(
            f"expected pictures of shape (n, {size}, {size}, 3), got {pixels.shape}; apply the "
            "model's `transform` to each picture first"
        )
    if pixels.dtype != np.uint8:
        raise DtypeError(f"expected pictures in uint8, got {pixels.dtype}")


def as_vectors(features: torch.Tensor, what: str) -> Vectors:
    """Network output (n, ...) as (n, dim) float32 in NumPy, flattened row by row.

    Raises
    ------
    ModelError
        A value is NaN or infinite, as half precision gives when it overflows.
    """
    flat = features.detach().flatten(1).to(device="cpu", dtype=torch.float32)
    broken = torch.nonzero(~torch.isfinite(flat).all(dim=1)).flatten().tolist()
    if broken:
        raise ModelError(
            f"{what} gave NaN or infinity for {len(broken)} of {len(flat)} pictures (rows "
            f"{broken[:8]}); with a dtype of float16, try bfloat16 or float32"
        )
    return np.ascontiguousarray(flat.numpy())
