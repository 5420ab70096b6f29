"""Chunks of candidates through several decoders at once, in order and bounded ahead."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Protocol, final

from latentdb.ingest.chunk import Decoded, Decoder, Refused, Wanted
from latentdb.ingest.sources.base import Candidate
from latentdb.ingest.worker_process import WorkerDiedError


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


class Helper(Decoder, Protocol):
    """A decoder outside this process, which the pictures may kill."""

    def kill(self) -> None:
        """End it, whatever it is doing."""


@final
class ChunkCrew:
    """Helpers, each served by a thread that waits for it.

    Parameters
    ----------
    start : callable
        Starts a helper; called from the thread that is to use it.
    plan : callable of content hash to Plan
        Asked between reading and decoding, from several threads.
    helpers : int
        How many there are, at least 1.
    chunk : int
        Candidates that a helper gets at once.
    window : int
        Chunks that may be under way or done and not yet taken.
    """

    def __init__(
        self,
        start: Callable[[], Helper],
        plan: Callable[[str], Plan],
        *,
        helpers: int,
        chunk: int,
        window: int,
    ) -> None:
        self._start = start
        self._plan = plan
        self._count = helpers
        self._chunk = chunk
        self._window = max(window, helpers)
        self._threads_own = threading.local()
        self._helpers: set[Helper] = set()
        self._closing = False
        self._lock = threading.Lock()

    def outcomes(self, candidates: Iterable[Candidate]) -> Generator[Outcome, None, None]:
        """One outcome per candidate, in their order; closing the iterator ends the helpers."""
        threads = ThreadPoolExecutor(self._count, thread_name_prefix="latentdb-decode")
        try:
            yield from self._beside(threads, candidates)
        finally:
            self._kill_all()
            threads.shutdown(cancel_futures=True)

    def _beside(
        self, threads: ThreadPoolExecutor, candidates: Iterable[Candidate]
    ) -> Iterator[Outcome]:
        waiting: deque[Future[list[Outcome]]] = deque()
        for chunk in chunks(candidates, self._chunk):
            waiting.append(threads.submit(self._run_apart, chunk))
            if len(waiting) >= self._window:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()

    def _run_apart(self, chunk: Sequence[Candidate]) -> list[Outcome]:
        """Run a chunk on this thread's helper; whatever kills it is found and named."""
        helper = self._own_helper()
        try:
            return run_chunk(helper, chunk, self._plan)
        except WorkerDiedError as death:
            self._forget(helper)
            if self._closing:
                return []
            if len(chunk) == 1:
                refused = Refused("unreadable", f"the decoding process {death} on this file")
                return [Outcome(chunk[0], "", refused)]
        return [outcome for one in chunk for outcome in self._run_apart([one])]

    def _own_helper(self) -> Helper:
        """The helper of the calling thread, started at its first use."""
        helper: Helper | None = getattr(self._threads_own, "helper", None)
        if helper is None:
            helper = self._start()
            with self._lock:
                self._helpers.add(helper)
                closing = self._closing
            if closing:
                helper.kill()
            self._threads_own.helper = helper
        return helper

    def _forget(self, helper: Helper) -> None:
        helper.kill()
        self._threads_own.helper = None
        with self._lock:
            self._helpers.discard(helper)

    def _kill_all(self) -> None:
        with self._lock:
            self._closing = True
            helpers = list(self._helpers)
        for helper in helpers:
            helper.kill()


def run_chunk(
    decoder: Decoder, chunk: Sequence[Candidate], plan: Callable[[str], Plan]
) -> list[Outcome]:
    """Read, ask what is wanted, decode that."""
    hashes = decoder.read([candidate.recipe for candidate in chunk])
    plans = [hashed if isinstance(hashed, Refused) else plan(hashed) for hashed in hashes]
    # Asked for also where nothing is wanted: only then does it let go of the bytes.
    decoded = decoder.decode([plan if isinstance(plan, tuple) else None for plan in plans])
    outcomes: list[Outcome] = []
    for candidate, hashed, judged, done in zip(chunk, hashes, plans, decoded, strict=True):
        result = judged if isinstance(judged, Finished | Refused) else done
        assert isinstance(result, Decoded | Finished | Refused)
        known_hash = hashed if isinstance(hashed, str) else ""
        outcomes.append(Outcome(candidate, known_hash, result))
    return outcomes


def chunks(candidates: Iterable[Candidate], size: int) -> Iterator[list[Candidate]]:
    """Candidates in lists of `size`, the last of fewer."""
    iterator = iter(candidates)
    while chunk := list(islice(iterator, size)):
        yield chunk
