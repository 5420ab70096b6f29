"""The first steps of an inversion replaced by noise that is drawn: forward diffusion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

from latentdb.affine import Level
from latentdb.space import Setting
from latentdb.torch_compat import torch

_SEED: Final = 0


@final
@dataclass(frozen=True)
class ForwardStart:
    """How far a trajectory is entered by u = a·x_0 + b·ε, with ε drawn and not inverted.

    Where a picture is smooth, the first steps of an inversion find too little noise, and of the
    picture's structure. Drawn noise is white, and what is inverted after it has the norm of white
    noise. One draw serves all pictures: their vectors are then alike in it, and differ in what the
    pictures differ in. Drawn for each picture anew, most of a vector would be chance
    (docs/inversion.md has both).

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

    def diffuse(self, codes: torch.Tensor, level: Level) -> torch.Tensor:
        """Clean codes (n, channels, height, width) at `level`, the same whatever the device."""
        generator = torch.Generator().manual_seed(_SEED)
        noise = torch.randn(codes.shape[1:], generator=generator)
        return level.signal * codes + level.sigma * noise.to(codes)
