"""The first steps of an inversion replaced by noise that is drawn: forward diffusion."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import final

from latentdb.affine import Level
from latentdb.model import Pixels
from latentdb.space import Setting
from latentdb.torch_compat import torch


@final
@dataclass(frozen=True)
class ForwardStart:
    """How far a trajectory is entered by u = a·x_0 + b·ε, with ε drawn and not inverted.

    Where a picture is smooth, the first steps of an inversion find little noise and write the
    picture's structure into what follows. Drawn noise has none. It is drawn for each picture from
    a seed that its pixels make, so that a picture has one noise in whatever batch and on whatever
    device; one draw for all pictures would be most of the noise of each, and the same.

    Parameters
    ----------
    share : float
        Share of the steps that is replaced, in [0, 1): 0 for none.
    level : int
        The level that is entered: that of the nearest whole number of steps, at least 1.

    References
    ----------
    Staniszewski et al., "There and back again: on the relation between noise and image inversions
    in diffusion models", 2024, arXiv 2410.23530.
    """

    share: float
    level: int

    @classmethod
    def of(cls, share: float, steps: int) -> ForwardStart:
        """The level that a share of so many steps leads to."""
        return cls(share, max(1, round(share * steps)) if share > 0 else 0)

    def settings(self) -> dict[str, Setting]:
        """Absent where nothing is replaced: so are the fingerprints of stored databases written."""
        return {"forward_start": self.share} if self.level else {}

    def diffuse(self, codes: torch.Tensor, pixels: Pixels, level: Level) -> torch.Tensor:
        """Codes (n, channels, height, width) at `level`, of the pictures (n, …) `pixels`."""
        noise = torch.stack([_draw(codes.shape[1:], picture) for picture in pixels])
        return level.signal * codes + level.sigma * noise.to(codes)


def _draw(shape: torch.Size, picture: Pixels) -> torch.Tensor:
    seed = int.from_bytes(hashlib.sha256(picture.tobytes()).digest()[:8], "big") >> 1
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))
