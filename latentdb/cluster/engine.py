"""Ingest over Ray: workers decode and embed; this process sorts what they say, and commits."""

from __future__ import annotations

import queue
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from functools import partial
from importlib.metadata import version
from typing import Any, final

import numpy as np

from latentdb.cluster.crew import Crew
from latentdb.cluster.picture_worker import PictureWorker, WorkerSetup
from latentdb.cluster.ray_library import (
    Resources,
    cluster_has,
    cores_here,
    joined,
    start_actor,
)
from latentdb.cluster.remote_decoder import RemoteDecoder
from latentdb.errors import QueryError
from latentdb.ingest.batch_size import USUAL_BATCH
from latentdb.ingest.chunk import Decoded, PictureVector
from latentdb.ingest.crew import ChunkCrew, Outcome, Plan
from latentdb.ingest.decode import max_bytes_of
from latentdb.ingest.embedding import EmbeddedBatch
from latentdb.ingest.engine import AbstractEngine
from latentdb.ingest.options import IngestOptions
from latentdb.ingest.sources.base import Candidate
from latentdb.model import Embedded
from latentdb.space import Space

# Chunks that a worker has at a time: one is read and decoded while another is embedded.
_AT_ONCE = 2
_GPU_BATCH = 64
_PATIENCE_SECONDS = 300.0


@final
class RayEngine(AbstractEngine):
    """Pictures decoded and embedded by the workers of a Ray cluster.

    A worker loads each model by the spec of its space, and reads files itself: a path must mean
    the same file on every machine, or be absent there, and then this process sends the bytes.

    Parameters
    ----------
    spaces : mapping of str to Space
        By name, at least one.
    options : IngestOptions
        `workers` are those of the cluster: one for each GPU where there are any, else one for
        each core, where not given.
    device : str
        Where models run: "auto", "cpu" or "cuda".
    address : str, optional
        Of the cluster; see `latentdb.cluster.ray_library.joined`.
    tell : callable of str
        Told what workers have to say, from the thread that takes outcomes.
    """

    def __init__(
        self,
        spaces: Mapping[str, Space],
        *,
        options: IngestOptions,
        device: str,
        address: str | None,
        tell: Callable[[str], None],
    ) -> None:
        if not spaces:
            raise QueryError("an ingest needs at least one space")
        if options.workers == 0:
            raise QueryError("an ingest over Ray needs at least one worker, got workers=0")
        self._spaces = dict(spaces)
        self._options = options
        self._device = device
        self._address = address
        self._tell = tell
        self._told: queue.SimpleQueue[str] = queue.SimpleQueue()

    @property
    def spaces(self) -> Mapping[str, Space]:
        """The spaces asked for."""
        return self._spaces

    @property
    def places(self) -> Mapping[str, int]:
        """Of each space, its place among them: models run where decoders do."""
        return {name: at for at, name in enumerate(self._spaces)}

    @property
    def batch_size(self) -> int:
        """Pictures of which the rows are put together at a time."""
        return self._options.batch_size or USUAL_BATCH

    def outcomes(
        self, candidates: Iterable[Candidate], plan: Callable[[str], Plan]
    ) -> Generator[Outcome, None, None]:
        """Outcomes with vectors."""
        options = self._options
        with joined(self._address, cpus=options.workers or cores_here()):
            has_gpus = self._device != "cpu" and cluster_has("GPU") > 0
            size = options.workers or max(1, cluster_has("GPU" if has_gpus else "CPU"))
            start = partial(self._start, has_gpus)
            with closing(
                Crew(start, size=size, at_once=_AT_ONCE, patience_s=_PATIENCE_SECONDS)
            ) as crew:
                decoder = partial(
                    RemoteDecoder,
                    crew,
                    max_bytes=max_bytes_of(options.max_megapixels),
                    tell=self._told.put,
                )
                lanes = _AT_ONCE * size
                chunk = options.batch_size or (_GPU_BATCH if has_gpus else USUAL_BATCH)
                chunks = ChunkCrew(decoder, plan, helpers=lanes, chunk=chunk, window=2 * lanes)
                # Ended before its helpers are: threads that wait for one are told so.
                with closing(chunks.outcomes(candidates)) as outcomes:
                    try:
                        for outcome in outcomes:
                            self._pass_on()
                            yield outcome
                    finally:
                        crew.close()
                self._pass_on()

    def _start(self, has_gpus: bool) -> Any:
        options = self._options
        setup = WorkerSetup(
            spaces=tuple(self._spaces.values()),
            device=self._device if has_gpus else "cpu",
            batch_size=options.batch_size,
            max_megapixels=options.max_megapixels,
            min_side=options.min_side,
            version=version("latentdb"),
        )
        resources = Resources(gpus=1.0 if has_gpus else 0.0)
        return start_actor(PictureWorker, setup, resources=resources, at_once=2 * _AT_ONCE)

    def embed(self, space: str, decoded: Sequence[Decoded]) -> EmbeddedBatch:
        """The vectors that came with the pictures."""
        at = self.places[space]
        came = [one.vectors[at] for one in decoded]
        good = [place for place, one in enumerate(came) if one.vector is not None]
        failures = {place: one.failure for place, one in enumerate(came) if one.vector is None}
        embedded = _stacked([came[place] for place in good], self._spaces[space])
        return EmbeddedBatch(np.array(good, dtype=np.int64), embedded, failures)

    def _pass_on(self) -> None:
        while not self._told.empty():
            self._tell(self._told.get())


def _stacked(vectors: Sequence[PictureVector], space: Space) -> Embedded:
    """Vectors (n, dim) and quality of pictures that have them; n may be 0."""
    rows = np.empty((len(vectors), space.dim), np.float32)
    for row, one in zip(rows, vectors, strict=True):
        row[:] = one.vector
    quality = {
        name: np.array([one.quality[name] for one in vectors], np.float32) for name in space.quality
    }
    return Embedded(rows, quality)
