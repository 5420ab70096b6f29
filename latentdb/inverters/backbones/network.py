"""What the backbone asks of a denoising network, whatever its family."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, final

from latentdb.inverters.backbones.part_loader import PartLoader
from latentdb.space import Setting
from latentdb.torch_compat import torch


@final
@dataclass(frozen=True)
class Condition:
    """What a network is told besides states and times.

    Parameters
    ----------
    prompt : str
        May be empty.
    pixels_per_cell : int
        Side of the pixels that one cell of a code stands for.
    """

    prompt: str
    pixels_per_cell: int


class AbstractNetwork(ABC):
    """A network that is told a state and a timestep, with the prompt's embedding held ready.

    A subclass is one family; `load` embeds the prompt before the network is read, so that text
    encoders and network are never in memory together.
    """

    parts: ClassVar[tuple[str, ...]]
    """Parts of the pipeline, besides the autoencoder, whose files move a vector."""
    follows_upcast: ClassVar[bool] = True
    """Whether `force_upcast` in the autoencoder's config is followed where float16 is asked for."""

    @classmethod
    @abstractmethod
    def load(cls, loader: PartLoader, condition: Condition) -> AbstractNetwork:
        """The network of a pipeline, told `condition`.

        Raises
        ------
        ModelError
            A part is missing, or the network is of another kind.
        """

    @property
    @abstractmethod
    def channels(self) -> int:
        """Channels of a code."""

    @property
    @abstractmethod
    def own_side(self) -> int | None:
        """Side of the codes that it was trained on; None where its config does not say."""

    @property
    @abstractmethod
    def side_multiple(self) -> int:
        """What the side of a code must be a multiple of."""

    @property
    def patch(self) -> int:
        """Side of the cells that a transformer makes one token of."""
        return 1

    def settings(self) -> dict[str, Setting]:
        """Settings of the family that move a vector, besides prompt and guidance."""
        return {}

    @abstractmethod
    def predict(self, x: torch.Tensor, timestep: float) -> torch.Tensor:
        """Output (n, channels, side, side) of the network's dtype at states in that dtype."""
