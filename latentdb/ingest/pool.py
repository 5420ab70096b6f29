"""Candidates in, outcomes out, in order, decoded beside the models on this machine."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from itertools import chain, islice
from typing import final

from latentdb.ingest.chunk import ChunkDecoder, DecodeSettings
from latentdb.ingest.crew import ChunkCrew, Outcome, Plan, chunks, run_chunk
from latentdb.ingest.sources.base import Candidate
from latentdb.ingest.worker_process import WorkerProcess

__all__ = ["FEW", "SECONDS_PER_PICTURE", "DecoderPool", "Outcome", "Plan"]

# Fewer pictures than this are decoded before a process would have started.
FEW = 32
SECONDS_PER_PICTURE = 30.0
_CHUNK = 8


@final
class DecoderPool:
    """Decoding processes of this machine.

    At most a few chunks are decoded ahead of the caller, whatever the size of the source.

    Parameters
    ----------
    settings : DecodeSettings
        Transforms and limits.
    plan : callable of content hash to Plan
        Asked between reading and decoding, from several threads.
    workers : int
        Processes; 0 decodes in the caller's.
    ahead : int
        Pictures that may be decoded and not yet taken.
    """

    def __init__(
        self, settings: DecodeSettings, plan: Callable[[str], Plan], *, workers: int, ahead: int
    ) -> None:
        self._settings = settings
        self._plan = plan
        self._workers = workers
        self._window = max(2 * workers, -(-ahead // _CHUNK))

    def outcomes(self, candidates: Iterable[Candidate]) -> Generator[Outcome, None, None]:
        """One outcome per candidate, in their order; closing the iterator ends the processes."""
        iterator = iter(candidates)
        first = list(islice(iterator, FEW))
        if self._workers == 0 or len(first) < FEW:
            decoder = ChunkDecoder(self._settings)
            for chunk in chunks(chain(first, iterator), _CHUNK):
                yield from run_chunk(decoder, chunk, self._plan)
            return
        crew = ChunkCrew(
            self._start, self._plan, helpers=self._workers, chunk=_CHUNK, window=self._window
        )
        yield from crew.outcomes(chain(first, iterator))

    def _start(self) -> WorkerProcess:
        return WorkerProcess(self._settings, timeout_s=_CHUNK * SECONDS_PER_PICTURE)
