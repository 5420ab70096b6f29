"""Models in this process, decoding processes beside it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import final

from latentdb.errors import QueryError
from latentdb.ingest.batch_size import USUAL_BATCH
from latentdb.ingest.chunk import Decoded, DecodeSettings
from latentdb.ingest.crew import Outcome, Plan
from latentdb.ingest.embedding import EmbeddedBatch, Embedder
from latentdb.ingest.engine import AbstractEngine
from latentdb.ingest.options import IngestOptions
from latentdb.ingest.pool import DecoderPool
from latentdb.ingest.sources.base import Candidate
from latentdb.model import AbstractSpaceModel
from latentdb.space import Space


@final
class LocalEngine(AbstractEngine):
    """Everything on this machine.

    Parameters
    ----------
    models : mapping of str to AbstractSpaceModel
        By the name of their space, at least one.
    options : IngestOptions
    tell : callable of str
        Told when a batch is halved.

    Raises
    ------
    QueryError
        No model, or one under the name of another space.
    """

    def __init__(
        self,
        models: Mapping[str, AbstractSpaceModel],
        *,
        options: IngestOptions,
        tell: Callable[[str], None],
    ) -> None:
        _require_models(models)
        self._options = options
        self._spaces = {name: model.space for name, model in models.items()}
        # Two spaces with equal transforms share one result.
        self._transforms = tuple(dict.fromkeys(model.transform for model in models.values()))
        self._places = {
            name: self._transforms.index(model.transform) for name, model in models.items()
        }
        self._embedders = {
            name: Embedder(model, batch_size=options.batch_size, tell=tell)
            for name, model in models.items()
        }

    @property
    def spaces(self) -> Mapping[str, Space]:
        """The spaces of the models."""
        return self._spaces

    @property
    def places(self) -> Mapping[str, int]:
        """Of each space, the place of its transform."""
        return self._places

    @property
    def batch_size(self) -> int:
        """As many as the model that takes most."""
        return max(embedder.batch_size for embedder in self._embedders.values())

    def outcomes(
        self, candidates: Iterable[Candidate], plan: Callable[[str], Plan]
    ) -> Generator[Outcome, None, None]:
        """Outcomes with pixels."""
        options = self._options
        settings = DecodeSettings(self._transforms, options.max_megapixels, options.min_side)
        ahead = 2 * (options.batch_size or USUAL_BATCH)
        pool = DecoderPool(settings, plan, workers=options.worker_count, ahead=ahead)
        return pool.outcomes(candidates)

    def embed(self, space: str, decoded: Sequence[Decoded]) -> EmbeddedBatch:
        """Vectors of the model of that space."""
        at = self._places[space]
        return self._embedders[space].embed([one.pixels[at] for one in decoded])


def _require_models(models: Mapping[str, AbstractSpaceModel]) -> None:
    if not models:
        raise QueryError("an ingest needs the model of at least one space")
    for name, model in models.items():
        if model.space.name != name:
            raise QueryError(
                f"the model given for space {name!r} is that of space {model.space.name!r}"
            )
