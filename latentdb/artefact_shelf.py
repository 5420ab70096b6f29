"""Artefacts of one kind, each read once until its file changes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, Protocol, TypeVar, final

from latentdb.artefacts import SpaceRef
from latentdb.errors import ArtefactError
from latentdb.folder_stamp import folder_stamp, is_settled
from latentdb.space import Space
from latentdb.store import ArtefactKind, Store

_SUFFIX = ".safetensors"


class Saveable(Protocol):
    """An artefact that writes itself to a file."""

    def save(self, path: Path) -> None:
        """Write to `path`, whole or not at all."""


class Placed(Saveable, Protocol):
    """An artefact that was made from the vectors of one space."""

    @property
    def space_ref(self) -> SpaceRef:
        """The space, as it was then."""


A = TypeVar("A", bound=Saveable)
P = TypeVar("P", bound=Placed)


@final
class ArtefactShelf(Generic[A]):
    """Artefacts of a database by name, in one folder.

    Parameters
    ----------
    store : Store
        The database.
    kind : str
        Kind of artefacts.
    load : callable
        Reads one file.
    below : str
        A folder of their own below that of the kind, where no listing takes them for others.
    """

    def __init__(
        self, store: Store, kind: ArtefactKind, load: Callable[[Path], A], *, below: str = ""
    ) -> None:
        self._store = store
        self._kind = kind
        self._folder = store.artefact_dir(kind, below)
        self._load = load
        self._cache: dict[str, tuple[int, A]] = {}
        self._names: tuple[int | None, list[str]] = (None, [])
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """Names of what is there, sorted."""
        self._store.catch_up()
        stamp = folder_stamp(self._folder)
        kept = self._names
        if stamp is None or kept[0] != stamp:
            is_kept = is_settled(stamp)
            there = self._folder.glob(f"*{_SUFFIX}")
            kept = (stamp, sorted(path.name.removesuffix(_SUFFIX) for path in there))
            if is_kept:
                self._names = kept
        return list(kept[1])

    def get(self, name: str) -> A:
        """The artefact `name`, which is one of `names()`."""
        path = self._path(name)
        stamp = path.stat().st_mtime_ns
        with self._lock:
            cached = self._cache.get(name)
            if cached is None or cached[0] != stamp:
                cached = (stamp, self._read(path))
                self._cache[name] = cached
            return cached[1]

    def put(self, name: str, artefact: A) -> None:
        """Write `artefact` as `name`, replacing what was there."""
        with self._store.changing(self._kind):
            artefact.save(self._path(name))

    def keep(self, name: str, artefact: A) -> None:
        """The same of what was made to answer a question, and can be made again: a database that
        is only read answers without keeping it.
        """
        if not self._store.location.is_read_only:
            self.put(name, artefact)

    def remove(self, name: str) -> None:
        """Delete the artefact `name`; one that is gone already is passed over."""
        with self._store.changing(self._kind):
            self._path(name).unlink(missing_ok=True)

    def _read(self, path: Path) -> A:
        try:
            return self._load(path)
        except ArtefactError:
            if not self._store.location.mirror.refetch():
                raise
            return self._load(path)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{_SUFFIX}"


def find_current(shelf: ArtefactShelf[P], name: str, space: Space) -> P | None:
    """The artefact `name`, where it is there and was made from the vectors `space` holds now."""
    if name not in shelf.names():
        return None
    kept = shelf.get(name)
    return kept if kept.space_ref.fingerprint == space.fingerprint else None
