"""Finished rows on their way into the store, a few hundred at a time."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, final

import numpy as np

from latentdb.types import ItemRow, LabelValue, QuarantineRow, SourceRow, SpaceRows

if TYPE_CHECKING:
    from latentdb.store import Store


@final
class Committer:
    """Collects rows and writes them together: a commit has a price, whatever its size.

    Parameters
    ----------
    store : Store
        Written to by this object alone.
    rows : int
        Items and files at which a commit is due.
    seconds : float
        Age of the oldest row at which a commit is due.
    """

    def __init__(self, store: Store, *, rows: int, seconds: float) -> None:
        self._store = store
        self._rows = rows
        self._seconds = seconds
        self._clear()

    def _clear(self) -> None:
        self._items: list[ItemRow] = []
        # By stored name: an archive may hold two members of one name.
        self._sources: dict[str, SourceRow] = {}
        self._quarantine: dict[str, QuarantineRow] = {}
        self._vectors: defaultdict[str, list[SpaceRows]] = defaultdict(list)
        self._labels: dict[int, Mapping[str, LabelValue]] = {}
        self._oldest: float | None = None

    def add_item(self, item: ItemRow) -> None:
        """A new picture."""
        self._items.append(item)
        self._touch()

    def add_source(self, source: SourceRow) -> None:
        """A file that leads to an item which is stored or added with it."""
        self._sources[source.source] = source
        self._touch()

    def add_vectors(self, space: str, rows: SpaceRows) -> None:
        """Vectors of items that are stored or added with them."""
        self._vectors[space].append(rows)
        self._touch()

    def add_quarantine(self, row: QuarantineRow) -> None:
        """A file that cannot be used."""
        self._quarantine[row.source] = row
        self._touch()

    def set_labels(self, item_id: int, labels: Mapping[str, LabelValue]) -> None:
        """Labels for an item that was there before; those it has already cost nothing."""
        if labels:
            self._labels[item_id] = {**self._labels.get(item_id, {}), **labels}
            self._touch()

    def flush_if_due(self) -> None:
        """Write when there is enough, or when the oldest row has waited long enough."""
        if self._oldest is None:
            return
        rows = max(len(self._sources), len(self._quarantine), len(self._labels))
        if rows >= self._rows or time.monotonic() - self._oldest >= self._seconds:
            self.flush()

    def flush(self) -> None:
        """Write everything collected."""
        if self._oldest is None:
            return
        self._store.write_batch(
            items=self._items,
            sources=list(self._sources.values()),
            vectors={name: _joined(parts) for name, parts in self._vectors.items()},
            quarantine=list(self._quarantine.values()),
        )
        self._write_labels()
        self._clear()

    def _touch(self) -> None:
        if self._oldest is None:
            self._oldest = time.monotonic()

    def _write_labels(self) -> None:
        """Set the labels that differ from those stored, items with the same columns together."""
        ids = list(self._labels)
        together: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
        changes: dict[int, dict[str, LabelValue]] = {}
        for item in self._store.items(ids) if ids else []:
            wanted = self._labels[item.id]
            # A file that says nothing of an item takes nothing away from it.
            changed: dict[str, LabelValue] = {
                name: value
                for name, value in wanted.items()
                if value is not None and item.labels.get(name) != value
            }
            if changed:
                changes[item.id] = changed
                together[tuple(sorted(changed))].append(item.id)
        for names, group in together.items():
            columns = {name: [changes[item_id][name] for item_id in group] for name in names}
            self._store.set_labels(group, columns)


def _joined(parts: list[SpaceRows]) -> SpaceRows:
    return SpaceRows(
        np.concatenate([part.ids for part in parts]),
        np.concatenate([part.vectors for part in parts]),
        {name: np.concatenate([part.quality[name] for part in parts]) for name in parts[0].quality},
    )
