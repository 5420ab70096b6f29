"""The version file `latentdb.json`, and the steps from an older version to this one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import final

from latentdb.errors import StoreFormatError, StoreNotFoundError
from latentdb.store.location import AbstractLocation
from latentdb.store.migrations import STEPS, Step
from latentdb.store.tables import Tables

FORMAT_FILE = "latentdb.json"
CURRENT_FORMAT = STEPS[-1].number


@final
@dataclass(frozen=True)
class FormatRecord:
    """What `latentdb.json` says.

    Parameters
    ----------
    format : int
        Number of the last migration that was applied.
    minimum_reader : int
        The lowest format that a program must know to read this database without error.
    created_at : str
        ISO 8601, UTC.
    """

    format: int
    minimum_reader: int
    created_at: str

    @classmethod
    def empty(cls) -> FormatRecord:
        """Record of a place to which no step has been applied."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(format=0, minimum_reader=0, created_at=now)

    @classmethod
    def read(cls, place: AbstractLocation) -> FormatRecord:
        """Record of a database.

        Raises
        ------
        FileNotFoundError
            There is no `latentdb.json`.
        StoreFormatError
            It is there and cannot be understood.
        """
        try:
            data = json.loads(place.read(FORMAT_FILE))
            return cls(int(data["format"]), int(data["minimum_reader"]), str(data["created_at"]))
        except (ValueError, KeyError, TypeError) as error:
            raise StoreFormatError(
                f"{place.uri}/{FORMAT_FILE} is not the version file of a latentdb database "
                f"({error}); restore it from a copy: "
                f'{{"format": {CURRENT_FORMAT}, "minimum_reader": 1, ...}}'
            ) from error

    def write(self, place: AbstractLocation) -> None:
        """Replace the version file in one step: a reader sees the old one or the new one."""
        place.write(FORMAT_FILE, json.dumps(asdict(self), indent=2))

    @property
    def is_old(self) -> bool:
        """Whether steps of this program have not been applied yet."""
        return self.format < CURRENT_FORMAT

    def require_readable(self, place: AbstractLocation) -> None:
        """Raise StoreFormatError when this program is too old to read the database."""
        if self.minimum_reader > CURRENT_FORMAT:
            raise StoreFormatError(
                f"{place.uri} has format {self.format} and needs a latentdb that reads format "
                f"{self.minimum_reader}; this one reads up to {CURRENT_FORMAT}: upgrade with "
                "pip install --upgrade latentdb"
            )

    def require_writable(self, place: AbstractLocation) -> None:
        """Raise StoreFormatError when this program may read the database but not change it."""
        if self.format > CURRENT_FORMAT:
            raise StoreFormatError(
                f"{place.uri} has format {self.format}; this latentdb can read it, but writes "
                f"format {CURRENT_FORMAT} only: upgrade with pip install --upgrade latentdb"
            )


def migrate(
    place: AbstractLocation,
    tables: Tables,
    record: FormatRecord,
    *,
    steps: Sequence[Step] = STEPS,
) -> FormatRecord:
    """Apply the steps that the database lacks, in order; the caller holds the writer's lock.

    The version file is written after each step, so a step that was interrupted is applied
    again: steps are idempotent.
    """
    for step in steps:
        if step.number <= record.format:
            continue
        step.apply(tables)
        reader = step.number if step.breaks_readers else record.minimum_reader
        record = replace(record, format=step.number, minimum_reader=reader)
        record.write(place)
    return record


def make_empty(place: AbstractLocation) -> None:
    """Write an empty database of the current format."""
    migrate(place, Tables(place), FormatRecord.empty())


def current_record(place: AbstractLocation) -> FormatRecord:
    """Record of a database, after the steps that it lacks; errors as `Store.open`."""
    try:
        record = FormatRecord.read(place)
    except FileNotFoundError as error:
        what = "is not a latentdb database" if place.exists() else "does not exist"
        raise StoreNotFoundError(
            f"{place.uri} {what}; create one with: latentdb init {place.uri}"
        ) from error
    record.require_readable(place)
    if record.is_old:
        with place.lock.held():
            record = migrate(place, Tables(place), FormatRecord.read(place))
    return record
