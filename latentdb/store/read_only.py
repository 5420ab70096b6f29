"""Places that are only read: past states of a database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import NoReturn, final

from latentdb.errors import StoreReadOnlyError
from latentdb.store.cut import RECORD
from latentdb.store.local_folder import LocalFolder
from latentdb.store.location import AbstractLocation
from latentdb.store.lock import AbstractWriterLock
from latentdb.store.mirror import AbstractMirror
from latentdb.store.problems import Problem
from latentdb.store.state import AbstractState
from latentdb.store.versions import AbstractVersions


def guarded(place: AbstractLocation) -> AbstractLocation:
    """The place; one that is only read where it is a snapshot."""
    is_snapshot = isinstance(place, LocalFolder) and (place.folder / RECORD).is_file()
    return ReadOnly(place, place.folder.name) if is_snapshot else place


@final
class ReadOnly(AbstractLocation):
    """A place that is only read.

    Parameters
    ----------
    place : AbstractLocation
        Whose files are read.
    at : str
        What it was asked for by.
    versions : mapping of str to int, or None
        Of each table; the latest where None.
    """

    is_read_only = True

    def __init__(
        self, place: AbstractLocation, at: str, versions: Mapping[str, int] | None = None
    ) -> None:
        self._at = at
        self._place = place
        self.uri = place.uri
        self.folder = place.folder
        self.lock = _NoLock(at)
        self.mirror = _Unchanging(place.mirror, at)
        self.versions = place.versions if versions is None else _Fixed(versions)

    def require_writable(self) -> None:
        """StoreReadOnlyError."""
        _refuse(self._at)

    def exists(self) -> bool:
        """As the base class says."""
        return self._place.exists()

    def read(self, name: str) -> str:
        """As the base class says."""
        return self._place.read(name)

    def write(self, name: str, text: str) -> None:  # noqa: ARG002
        """StoreReadOnlyError."""
        _refuse(self._at)

    def tables(self) -> tuple[str, dict[str, str] | None]:
        """As the base class says."""
        return self._place.tables()

    def create(self, build: Callable[[AbstractLocation], None]) -> None:  # noqa: ARG002
        """StoreReadOnlyError."""
        _refuse(self._at)

    def explain(self, told: str) -> str:
        """As the base class says."""
        return self._place.explain(told)

    def state(self) -> AbstractState:
        """As the base class says."""
        return self._place.state()


@final
class _NoLock(AbstractWriterLock):
    """Nobody may write."""

    def __init__(self, at: str) -> None:
        self._at = at

    def held(self) -> AbstractContextManager[None]:
        """StoreReadOnlyError."""
        _refuse(self._at)

    def require_kept(self) -> None:
        """StoreReadOnlyError."""
        _refuse(self._at)


@final
class _Unchanging(AbstractMirror):
    """Artefacts that nobody may change."""

    def __init__(self, mirror: AbstractMirror, at: str) -> None:
        self._mirror = mirror
        self._at = at

    def catch_up(self) -> None:
        """As the base class says."""
        self._mirror.catch_up()

    def changing(self, top: str) -> AbstractContextManager[None]:  # noqa: ARG002
        """StoreReadOnlyError."""
        _refuse(self._at)

    def refetch(self) -> bool:
        """As the base class says."""
        return self._mirror.refetch()

    def problems(self, *, repair: bool) -> list[Problem]:
        """As the base class says."""
        if repair:
            _refuse(self._at)
        return self._mirror.problems(repair=False)

    def sweep(self) -> None:
        """StoreReadOnlyError."""
        _refuse(self._at)


@final
class _Fixed(AbstractVersions):
    """The versions of a moment."""

    def __init__(self, versions: Mapping[str, int]) -> None:
        self._versions = versions

    def latest(self, name: str, ask: Callable[[], int]) -> int:  # noqa: ARG002
        """As the base class says; the same for ever."""
        return self._versions[name]

    def forget(self, name: str) -> None:
        """Nothing: no table is changed here."""

    def fixed(self, name: str) -> int | None:
        """As the base class says."""
        return self._versions[name]


def _refuse(at: str) -> NoReturn:
    raise StoreReadOnlyError(
        f"the database is open as it was at {at!r}, and nothing of that can change; open it "
        "without at= (or --at, $LATENTDB_AT) to change it"
    )
