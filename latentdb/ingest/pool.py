"""Candidates in, outcomes out, in order, decoded beside the models."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from typing import final

from latentdb.ingest.chunk import ChunkDecoder, Decoded, Decoder, DecodeSettings, Refused, Wanted
from latentdb.ingest.sources.base import Candidate
from latentdb.ingest.worker_process import WorkerDiedError, WorkerProcess

# Fewer pictures than this are decoded before a process would have started.
FEW = 32
_CHUNK = 8
_SECONDS_PER_PICTURE = 30.0


@final
@dataclass(frozen=True)
class Finished:
    """A file whose bytes are known and whose item has every vector asked for."""

    id: int


# What is to be done with a file, judged by the hash of its bytes.
Plan = Wanted | Finished | Refused


@final
@dataclass(frozen=True)
class Outcome:
    """What became of one candidate; the hash is empty where no bytes could be had."""

    candidate: Candidate
    content_hash: str
    result: Decoded | Finished | Refused


@final
class DecoderPool:
    """Decoding processes, each served by a thread that waits for it.

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
        self._threads_own = threading.local()
        self._processes: set[WorkerProcess] = set()
        self._closing = False
        self._lock = threading.Lock()

    def outcomes(self, candidates: Iterable[Candidate]) -> Generator[Outcome, None, None]:
        """One outcome per candidate, in their order; closing the iterator ends the processes."""
        iterator = iter(candidates)
        first = list(islice(iterator, FEW))
        if self._workers == 0 or len(first) < FEW:
            decoder = ChunkDecoder(self._settings)
            for chunk in _chunks(chain(first, iterator)):
                yield from self._run(decoder, chunk)
            return
        threads = ThreadPoolExecutor(self._workers, thread_name_prefix="latentdb-decode")
        try:
            yield from self._beside(threads, chain(first, iterator))
        finally:
            self._kill_all()
            threads.shutdown(cancel_futures=True)

    def _beside(
        self, threads: ThreadPoolExecutor, candidates: Iterable[Candidate]
    ) -> Iterator[Outcome]:
        waiting: deque[Future[list[Outcome]]] = deque()
        for chunk in _chunks(candidates):
            waiting.append(threads.submit(self._run_apart, chunk))
            if len(waiting) >= self._window:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()

    def _run_apart(self, chunk: Sequence[Candidate]) -> list[Outcome]:
        """Run a chunk in this thread's process; whatever kills that process is found and named."""
        process = self._own_process()
        try:
            return self._run(process, chunk)
        except WorkerDiedError as death:
            self._forget(process)
            if self._closing:
                return []
            if len(chunk) == 1:
                refused = Refused("unreadable", f"the decoding process {death} on this file")
                return [Outcome(chunk[0], "", refused)]
        return [outcome for one in chunk for outcome in self._run_apart([one])]

    def _run(self, decoder: Decoder, chunk: Sequence[Candidate]) -> list[Outcome]:
        """Read, ask what is wanted, decode that."""
        hashes = decoder.read([candidate.recipe for candidate in chunk])
        plans = [hashed if isinstance(hashed, Refused) else self._plan(hashed) for hashed in hashes]
        wanted = [plan if isinstance(plan, tuple) else None for plan in plans]
        decoded = decoder.decode(wanted) if any(w is not None for w in wanted) else wanted
        outcomes: list[Outcome] = []
        for candidate, hashed, plan, done in zip(chunk, hashes, plans, decoded, strict=True):
            result = plan if isinstance(plan, Finished | Refused) else done
            assert isinstance(result, Decoded | Finished | Refused)
            known_hash = hashed if isinstance(hashed, str) else ""
            outcomes.append(Outcome(candidate, known_hash, result))
        return outcomes

    def _own_process(self) -> WorkerProcess:
        """The process of the calling thread, started at its first use."""
        process: WorkerProcess | None = getattr(self._threads_own, "process", None)
        if process is None:
            process = WorkerProcess(self._settings, timeout_s=_CHUNK * _SECONDS_PER_PICTURE)
            with self._lock:
                self._processes.add(process)
                closing = self._closing
            if closing:
                process.kill()
            self._threads_own.process = process
        return process

    def _forget(self, process: WorkerProcess) -> None:
        process.kill()
        self._threads_own.process = None
        with self._lock:
            self._processes.discard(process)

    def _kill_all(self) -> None:
        with self._lock:
            self._closing = True
            processes = list(self._processes)
        for process in processes:
            process.kill()


def _chunks(candidates: Iterable[Candidate]) -> Iterator[list[Candidate]]:
    iterator = iter(candidates)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk
