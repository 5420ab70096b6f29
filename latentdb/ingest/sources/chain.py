"""Several sources, one after the other: shards in a folder, what a glob matched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import final

from latentdb.ingest.sources.base import AbstractSource, Candidate


@final
class ChainSource(AbstractSource):
    """Candidates of the first source, then of the second, and so on.

    Parameters
    ----------
    children : sequence of AbstractSource
        At least one.
    skipped : int
        Files passed over while the children were found.
    """

    def __init__(self, children: Sequence[AbstractSource], *, skipped: int = 0) -> None:
        self._children = list(children)
        self._skipped = skipped

    def __iter__(self) -> Iterator[Candidate]:
        for child in self._children:
            yield from child

    @property
    def total(self) -> int | None:
        """Number of candidates."""
        totals = [child.total for child in self._children]
        known = [total for total in totals if total is not None]
        return sum(known) if len(known) == len(totals) else None

    @property
    def skipped(self) -> int:
        """Files passed over."""
        return self._skipped + sum(child.skipped for child in self._children)

    def keys(self) -> list[str] | None:
        """Keys, in the order of iteration."""
        found: list[str] = []
        for child in self._children:
            keys = child.keys()
            if keys is None:
                return None
            found.extend(keys)
        return found
