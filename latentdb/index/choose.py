"""Choosing the kind of an index by what there is to index, and saying why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

from indexers.errors import ParameterError
from indexers.kinds import make_config
from indexers.stage import AbstractIndexConfig
from indexers.types import INDEX_KINDS
from latentdb.index.costs import Size, build_seconds, index_bytes, query_seconds
from latentdb.index.request import TARGET_RECALL, IndexRequest
from latentdb.memory import free_bytes

# Nobody waits for an exact answer that comes sooner than this, and an exact one is certain.
_SOON_S: Final = 0.01
# What is built for longer, three hours, is taken only where nothing else fits.
_LONG_BUILD_S: Final = 3 * 3600.0


@final
@dataclass(frozen=True)
class Choice:
    """A kind, why it was chosen, and the exact kind that takes its place if it misses its target.

    `otherwise` is None where the choice is exact itself, or there is no memory for one.
    """

    config: AbstractIndexConfig
    reason: str
    otherwise: AbstractIndexConfig | None


@final
@dataclass(frozen=True)
class _Candidate:
    """A kind with its usual structure, and what it would cost."""

    config: AbstractIndexConfig
    bytes: int
    query_s: float
    build_s: float

    @property
    def kind(self) -> str:
        """Its name."""
        return self.config.kind


def choose(size: Size, request: IndexRequest, *, is_noise: bool) -> Choice:
    """The kind for so many vectors: exact where that is soon enough, else the quickest that fits.

    Parameters
    ----------
    size : Size
    request : IndexRequest
        Memory, that which is free where it names none, and target.
    is_noise : bool
        Whether the vectors are of a noise space, where neighbours are hardly nearer than others.

    Raises
    ------
    ParameterError
        No kind fits.
    """
    memory = free_bytes() if request.memory is None else request.memory
    every = _candidates(size, request.target or TARGET_RECALL, is_noise)
    fitting = [one for one in every if memory is None or one.bytes <= memory]
    if not fitting:
        smallest = min(every, key=lambda one: one.bytes)
        raise ParameterError(
            f"no index of {size} vectors fits into {_mb(memory or 0)}; the smallest, "
            f"{smallest.kind}, takes about {_mb(smallest.bytes)}: give it as much with --memory"
        )
    exact = min(
        (one for one in fitting if one.config.is_exact), key=lambda one: one.query_s, default=None
    )
    if exact is not None and (exact.query_s <= _SOON_S or request.target == 1.0):
        return Choice(exact.config, f"{_told(exact, size, memory)}, and answers are certain", None)
    quick = [one for one in fitting if one.build_s <= _LONG_BUILD_S] or fitting
    best = min(quick, key=lambda one: one.query_s)
    reason = _told(best, size, memory) + _compared(best, exact, every, memory)
    return Choice(best.config, reason, None if exact in (None, best) else exact.config)


def require_room(config: AbstractIndexConfig, size: Size, request: IndexRequest) -> None:
    """Raise ParameterError where a kind takes more memory than was allowed, and name one that fits.

    Where no memory was named, nothing is refused.
    """
    memory, taken = request.memory, index_bytes(config, size)
    if memory is None or taken <= memory:
        return
    every = _candidates(size, request.target or TARGET_RECALL, is_noise=False)
    fitting = [one for one in every if one.bytes <= memory]
    if fitting:
        best = min(fitting, key=lambda one: one.query_s)
        hint = f"{best.kind} takes about {_mb(best.bytes)}: choose it with --kind {best.kind}"
    else:
        smallest = min(every, key=lambda one: one.bytes)
        hint = f"the smallest, {smallest.kind}, takes about {_mb(smallest.bytes)}"
    raise ParameterError(
        f"a {config.kind} index of {size} vectors takes about {_mb(taken)}, more than the "
        f"{_mb(memory)} that it may take; {hint}"
    )


def _candidates(size: Size, target: float, is_noise: bool) -> list[_Candidate]:
    return [
        _Candidate(
            config,
            index_bytes(config, size),
            query_seconds(config.kind, size, target=target, is_noise=is_noise),
            build_seconds(config.kind, size),
        )
        for config in map(make_config, INDEX_KINDS)
    ]


def _told(one: _Candidate, size: Size, memory: int | None) -> str:
    """What a kind is expected to take, as the beginning of a sentence."""
    room = "" if memory is None else f" of {_mb(memory)}"
    return (
        f"{one.kind}: of {size} vectors it answers in about {_ms(one.query_s)} and takes "
        f"{_mb(one.bytes)}{room}"
    )


def _compared(
    best: _Candidate, exact: _Candidate | None, every: Sequence[_Candidate], memory: int | None
) -> str:
    """What would be exact, or quicker, and why it was not chosen."""
    said = ""
    if exact is not None and exact is not best:
        said += f", where {exact.kind}, which is exact, takes {_ms(exact.query_s)}"
    for one in sorted(every, key=lambda one: one.query_s):
        if one.query_s >= best.query_s:
            break
        is_large = memory is not None and one.bytes > memory
        why = f"takes {_mb(one.bytes)}" if is_large else f"is built in {one.build_s / 3600:.1f} h"
        said += f"; {one.kind} would be quicker and {why}"
    return said


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:.2g} ms" if seconds < 0.1 else f"{1e3 * seconds:.0f} ms"


def _mb(count: int) -> str:
    return f"{count / 1e9:.3g} GB" if count >= 1e9 else f"{count / 1e6:.3g} MB"
