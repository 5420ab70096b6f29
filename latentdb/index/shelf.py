"""The indexes that searches are answered by: loaded once, then grown as their tables grow."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, final

import numpy as np

from indexers.errors import IndexFileError
from indexers.files import CURRENT
from indexers.flat import FlatConfig
from indexers.index import train_index
from indexers.persistence import read_manifest
from indexers.shards import load_any
from indexers.types import RowReader
from latentdb.errors import SpaceMismatchError
from latentdb.index.build import build_from_store, row_reader
from latentdb.index.live import LiveFacts, LiveIndex, Part, RowTimes
from latentdb.index.name import IndexName, metric_for
from latentdb.index.row_times import read_row_times, rows_now, timed
from latentdb.index.tuning import tuning_of
from latentdb.space import Space
from latentdb.store import Store

# From the folder of an index to what is searched.
Opener = Callable[[Path, RowReader], Part]


class _Stamp(NamedTuple):
    """The state of files and tables that a live index was made from."""

    fingerprint: str
    pointer: tuple[int, int] | None
    rows: int
    items: int

    def is_of_rows_of(self, other: _Stamp) -> bool:
        """Whether the tables are as they were, whatever index there is of them."""
        return self._replace(pointer=other.pointer) == other


@final
@dataclass
class _Slot:
    """One live index, and the right to make the next.

    `folder` is where it is saved, if it is.
    """

    folder: str
    lock: threading.Lock = field(default_factory=threading.Lock)
    made: tuple[_Stamp, LiveIndex] | None = None


@final
class LiveShelf:
    """Live indexes by name; safe for several threads.

    Whoever asks for one that is behind its table brings it up to date; others who ask for the
    same wait for that, those who ask for another do not.

    Parameters
    ----------
    store : Store
    folder : Path
        Where indexes are saved.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._slots: dict[IndexName, _Slot] = {}
        self._openers: dict[IndexName, Opener] = {}

    def get(self, space: Space, name: IndexName) -> LiveIndex:
        """The live index of that name, complete with the newest rows; see `IndexManager.live`."""
        # Setting a default of a dictionary is one step for all threads.
        slot = self._slots.get(name) or self._slots.setdefault(name, self._slot(name))
        made, stamp = slot.made, self._stamp(space, slot)
        if made is not None and made[0] == stamp:
            return made[1]
        if made is not None and made[0].is_of_rows_of(stamp) and slot.lock.locked():
            # Somebody loads a newer index of the same rows: this one answers meanwhile.
            return made[1]
        with slot.lock:
            made, stamp = slot.made, self._stamp(space, slot)
            if made is None or made[0] != stamp:
                slot.made = made = (stamp, self._next(made, stamp, space, name))
            return made[1]

    def open_by(self, name: IndexName, opener: Opener | None) -> None:
        """Have an index on disk opened by `opener` from now on, or as usual again."""
        if opener is None:
            self._openers.pop(name, None)
        else:
            self._openers[name] = opener
        self.forget(name)

    def forget(self, name: IndexName) -> None:
        """Make it anew when it is next asked for."""
        self._slots.pop(name, None)
        self._store.look.again()

    def loaded(self) -> dict[IndexName, LiveIndex]:
        """Those that were asked for, as they were last."""
        return {name: slot.made[1] for name, slot in list(self._slots.items()) if slot.made}

    def _slot(self, name: IndexName) -> _Slot:
        return _Slot(f"{self._folder}/{name}")

    def _stamp(self, space: Space, slot: _Slot) -> _Stamp:
        self._store.catch_up()
        return _Stamp(
            space.fingerprint,
            pointer_stamp(slot.folder),
            self._store.version(space.name),
            self._store.items_version(),
        )

    def _next(
        self, made: tuple[_Stamp, LiveIndex] | None, stamp: _Stamp, space: Space, name: IndexName
    ) -> LiveIndex:
        now = rows_now(self._store, space)
        # A prior that is fitted to the stored rows is another one with other rows.
        is_refitted = name.prior == "fitted" and stamp.pointer is None
        if made is not None and _has_grown(made[0], stamp) and not is_refitted:
            return made[1].grown(now, row_reader(self._store, space))
        if stamp.pointer is None:
            return self._in_memory(space, name, now)
        return self._from_disk(space, name, now)

    def _in_memory(self, space: Space, name: IndexName, now: RowTimes) -> LiveIndex:
        if not len(now.ids):
            metric = metric_for(name, space.dim, lambda: np.empty(0))
            empty = train_index(
                np.empty((0, space.dim), np.float32), count=1, metric=metric, config=FlatConfig()
            )
            return LiveIndex((empty,), now, name.prior, LiveFacts())
        index = build_from_store(self._store, space, name, FlatConfig())
        rows = timed(np.sort(index.ids), now)
        return LiveIndex((index,), rows, name.prior, LiveFacts()).grown(
            now, row_reader(self._store, space)
        )

    def _from_disk(self, space: Space, name: IndexName, now: RowTimes) -> LiveIndex:
        """The index on disk, mapped, without rows that are gone, beside the rows that are new."""
        folder = self._folder / str(name)
        extra, index = self._loaded(name, space)
        facts = _facts(extra)
        ids = np.sort(index.ids)
        # Of one that an earlier version built, rows that are still there count as the same.
        rows = read_row_times(folder, extra, ids) or timed(ids, now)
        return LiveIndex((index,), rows, name.prior, facts).grown(
            now, row_reader(self._store, space)
        )

    def _loaded(self, name: IndexName, space: Space) -> tuple[dict[str, Any], Part]:
        """What is kept with an index, and the index, mapped; a torn local copy is fetched anew."""
        folder, opener = self._folder / str(name), self._openers.get(name, _mapped)
        try:
            extra = read_manifest(folder)["extra"]
            require_fingerprint(extra, space)
            return extra, opener(folder, row_reader(self._store, space))
        except IndexFileError:
            if not self._store.location.mirror.refetch():
                raise
            return self._loaded(name, space)


def require_fingerprint(extra: dict[str, Any], space: Space) -> None:
    """Raise SpaceMismatchError where an index was built from vectors of other settings."""
    built_from = extra.get("fingerprint")
    if built_from != space.fingerprint:
        raise SpaceMismatchError(
            f"an index of space {space.name!r} was built from vectors of fingerprint "
            f"{built_from}, the space now has {space.fingerprint}: build it again with "
            f"latentdb index DB --space {space.name}"
        )


def _facts(extra: dict[str, Any]) -> LiveFacts:
    """What the manifest of an index says of its answers."""
    least, tuning = float(extra["recall_at_10"]), tuning_of(extra)
    if tuning is None:
        # An earlier version measured approximate ones, and tuned none.
        return LiveFacts(is_saved=True, recall_at_10=least, target_recall=least)
    return LiveFacts(
        is_saved=True, recall_at_10=least, recall=tuning.recall, target_recall=tuning.target
    )


def pointer_stamp(folder: Path | str) -> tuple[int, int] | None:
    """Changes whenever an index is saved: saving renames a new pointer into its folder."""
    try:
        status = os.stat(f"{folder}/{CURRENT}")  # noqa: PTH116 - three times as fast as a Path's
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns


def _mapped(folder: Path, reader: RowReader) -> Part:
    """The index as it lies on disk, shared by all processes that search it."""
    return load_any(folder, mmap=True, reader=reader)


def _has_grown(then: _Stamp, now: _Stamp) -> bool:
    """Whether it is the same index of the same tables; a table that was made anew begins again."""
    return then[:2] == now[:2] and then.rows <= now.rows and then.items <= now.items
