"""What the database already holds, and so what is left to do with a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, final

from latentdb.ingest.chunk import Refused
from latentdb.ingest.crew import Finished, Plan

if TYPE_CHECKING:
    from latentdb.store import Store

# Verdicts on the bytes alone. The others hang on options, on the system or on a model, any of
# which may be better this time.
_LASTING_REASONS = frozenset({"empty", "not_an_image", "truncated", "corrupt"})


@final
class Catalogue:
    """Ids and hashes in the database, kept up to date while the run writes.

    Decoding threads ask `plan` while the main thread calls `record`: both touch one dictionary
    or set at a time.

    Parameters
    ----------
    store : Store
        It has every space of `places`.
    places : mapping of str to int
        The spaces asked for, each with what a decoder is asked for where it lacks a vector.
    retry_quarantined : bool
        Forget the verdicts of earlier runs.
    """

    def __init__(
        self,
        store: Store,
        places: Mapping[str, int],
        *,
        retry_quarantined: bool,
    ) -> None:
        self._places = dict(places)
        self._ids: dict[str, int] = store.known_sources()
        self._hashes_of_this_run: set[str] = set()
        self._items: set[int] = set(store.item_ids().tolist())
        self._vectors: dict[str, set[int]] = {
            name: set(store.vector_ids(name).tolist()) for name in places
        }
        self._refused: dict[str, Refused] = {}
        if not retry_quarantined:
            self._refused = {
                row.content_hash: Refused(row.reason, row.message)
                for row in store.quarantined()
                if row.content_hash and row.reason in _LASTING_REASONS
            }

    def plan(self, content_hash: str) -> Plan:
        """What is left to do with a file of these bytes."""
        refused = self._refused.get(content_hash)
        if refused is not None:
            return refused
        item_id = self._ids.get(content_hash)
        if item_id is None:
            return self._wanted(self._places)
        missing = self.missing(item_id)
        if not missing:
            return Finished(item_id)
        return self._wanted(missing)

    def _wanted(self, names: Iterable[str]) -> tuple[int, ...]:
        return tuple(sorted({self._places[name] for name in names}))

    def identity(self, content_hash: str, pixel_id: int) -> int:
        """Id of an item: that of its file where it is known, so that it survives a decoder whose
        next version rounds otherwise.
        """
        return self._ids.get(content_hash, pixel_id)

    def has_item(self, item_id: int) -> bool:
        """Whether the item is in the database or about to be."""
        return item_id in self._items

    def missing(self, item_id: int) -> tuple[str, ...]:
        """Spaces asked for in which an id has no vector yet."""
        return tuple(name for name, ids in self._vectors.items() if item_id not in ids)

    def is_of_this_run(self, content_hash: str) -> bool:
        """Whether a file of these bytes was first met in this run."""
        return content_hash in self._hashes_of_this_run

    def record(self, item_id: int, content_hash: str, spaces: Sequence[str]) -> None:
        """Note what is now written or about to be."""
        self._items.add(item_id)
        for name in spaces:
            self._vectors[name].add(item_id)
        if content_hash not in self._ids:
            self._hashes_of_this_run.add(content_hash)
        self._ids[content_hash] = item_id
