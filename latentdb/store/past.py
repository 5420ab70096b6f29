"""A database as it was: a snapshot of it, or the versions that its tables had at a moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import NoReturn, final

from latentdb.errors import StoreReadOnlyError, UnknownSnapshotError
from latentdb.store import schema
from latentdb.store.format import current_record
from latentdb.store.location import AbstractLocation, LocalFolder, locate
from latentdb.store.lock import AbstractWriterLock
from latentdb.store.mirror import AbstractMirror
from latentdb.store.problems import Problem
from latentdb.store.snapshots import Snapshots
from latentdb.store.state import AbstractState
from latentdb.store.store import Store
from latentdb.store.tables import Tables
from latentdb.store.versions import AbstractVersions


def open_past(uri: str, at: str) -> Store:
    """Open a database as it was, for reading.

    Parameters
    ----------
    uri : str
    at : str
        Name of a snapshot; else a moment, ISO 8601 and in UTC where it names no zone. At a moment
        the tables are as they were, as far back as compaction has left their versions; maps,
        directions and other artefacts are those of now, which only a snapshot keeps.

    Raises
    ------
    UnknownSnapshotError
        No snapshot of that name, and no moment whose versions are still there.
    StoreNotFoundError, StoreFormatError
        See `Store.open`.
    """
    store = Store.open(uri)
    place = store.location
    if isinstance(place, LocalFolder):
        moment = _moment(at)
        snapshots = Snapshots(store)
        if moment is None or at in snapshots.names():
            place = locate(str(snapshots.folder(at)))
            return Store(_Past(place, at, None), current_record(place))
    else:
        moment = _moment(at)
        if moment is None:
            raise UnknownSnapshotError(
                f"{at!r} is no moment such as 2026-11-21T20:15, and a database in an object store "
                "has no snapshots"
            )
    versions = _versions_at(Tables(place), moment, at)
    past = Store(_Past(place, at, versions), current_record(place))
    for name in past.spaces():
        if schema.space_table(name) not in versions:
            raise UnknownSnapshotError(
                f"space {name!r} was dropped since {at}, and its vectors with it; open a snapshot"
            )
    return past


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _versions_at(tables: Tables, moment: datetime, at: str) -> dict[str, int]:
    """The version that each table had; those that were made later are left out."""
    found = {}
    for name in tables.names():
        history = tables.history(name)
        before = [one for one in history if one.committed_at <= moment]
        if before:
            found[name] = before[-1].number
        elif history[0].number > 1 or name in schema.KEYS:
            since = max(tables.history(one)[0].committed_at for one in tables.names())
            raise UnknownSnapshotError(
                f"table {name} is known since {history[0].committed_at:%Y-%m-%dT%H:%M:%SZ}, not at "
                f"{at}: older versions were dropped by compaction. Any moment from "
                f"{since:%Y-%m-%dT%H:%M:%SZ} on can be opened, and every snapshot"
            )
    return found


@final
class _Past(AbstractLocation):
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
        self, place: AbstractLocation, at: str, versions: Mapping[str, int] | None
    ) -> None:
        self._place = place
        self.uri = place.uri
        self.folder = place.folder
        self.lock = _NoLock(at)
        self.mirror = _Unchanging(place.mirror, at)
        self.versions = place.versions if versions is None else _Fixed(versions)

    def exists(self) -> bool:
        """As the base class says."""
        return self._place.exists()

    def read(self, name: str) -> str:
        """As the base class says."""
        return self._place.read(name)

    def write(self, name: str, text: str) -> None:  # noqa: ARG002
        """StoreReadOnlyError."""
        self.lock.held()

    def tables(self) -> tuple[str, dict[str, str] | None]:
        """As the base class says."""
        return self._place.tables()

    def create(self, build: Callable[[AbstractLocation], None]) -> None:  # noqa: ARG002
        """StoreReadOnlyError."""
        self.lock.held()

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
