"""A database as it was: a snapshot of it, or the versions that its tables had at a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from latentdb.errors import UnknownSnapshotError
from latentdb.store import schema
from latentdb.store.format import current_record
from latentdb.store.local_folder import LocalFolder
from latentdb.store.read_only import ReadOnly
from latentdb.store.snapshots import Snapshots
from latentdb.store.store import Store
from latentdb.store.tables import Tables


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
    store, moment = Store.open(uri), _moment(at)
    place = store.location
    if isinstance(place, LocalFolder):
        snapshots = Snapshots(store)
        if moment is None or at in snapshots.names():
            return Store.open(str(snapshots.folder(at)))
    elif moment is None:
        raise UnknownSnapshotError(
            f"{at!r} is no moment such as 2026-11-21T20:15, and only a database in a folder has "
            "snapshots"
        )
    assert moment is not None
    versions = _versions_at(Tables(place), moment, at)
    past = Store(ReadOnly(place, at, versions), current_record(place))
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
            since += timedelta(seconds=1)  # told without its fraction
            raise UnknownSnapshotError(
                f"table {name} is known since {history[0].committed_at:%Y-%m-%dT%H:%M:%SZ}, not at "
                f"{at}: older versions were dropped by compaction. Any moment from "
                f"{since:%Y-%m-%dT%H:%M:%SZ} on can be opened, and every snapshot"
            )
    return found
