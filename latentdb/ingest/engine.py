"""What a run asks of whatever decodes pictures and gives them vectors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence

from latentdb.ingest.chunk import Decoded
from latentdb.ingest.crew import Outcome, Plan
from latentdb.ingest.embedding import EmbeddedBatch
from latentdb.ingest.sources.base import Candidate
from latentdb.space import Space


class AbstractEngine(ABC):
    """Where pictures are decoded and embedded: in this process and its helpers, or in a cluster."""

    @property
    @abstractmethod
    def spaces(self) -> Mapping[str, Space]:
        """The spaces that pictures get vectors in, by name."""

    @property
    @abstractmethod
    def places(self) -> Mapping[str, int]:
        """What `outcomes` is asked for, of a picture that lacks a vector in a space."""

    @property
    @abstractmethod
    def batch_size(self) -> int:
        """Pictures that `embed` gets at once; it may change during a run."""

    @abstractmethod
    def outcomes(
        self, candidates: Iterable[Candidate], plan: Callable[[str], Plan]
    ) -> Generator[Outcome, None, None]:
        """One outcome per candidate, in their order; closing the iterator ends what it started.

        Parameters
        ----------
        candidates : iterable of Candidate
            Taken a bounded number ahead of what is asked for.
        plan : callable of content hash to Plan
            Called from several threads.
        """

    @abstractmethod
    def embed(self, space: str, decoded: Sequence[Decoded]) -> EmbeddedBatch:
        """Vectors in one space of pictures that `outcomes` gave, at least one.

        Raises
        ------
        ModelError
            Every one of several pictures fails, or the model breaks its contract.
        """
