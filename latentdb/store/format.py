"""The version file `latentdb.json`, and the steps from an older version to this one."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import final

from latentdb.errors import StoreFormatError
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
        """Record of a folder to which no step has been applied."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(format=0, minimum_reader=0, created_at=now)

    @classmethod
    def read(cls, folder: Path) -> FormatRecord:
        """Record of a database.

        Raises
        ------
        FileNotFoundError
            There is no `latentdb.json`.
        StoreFormatError
            It is there and cannot be understood.
        """
        path = folder / FORMAT_FILE
        text = path.read_text(encoding="utf-8")
        try:
            data = json.loads(text)
            return cls(int(data["format"]), int(data["minimum_reader"]), str(data["created_at"]))
        except (ValueError, KeyError, TypeError) as error:
            raise StoreFormatError(
                f"{path} is not the version file of a latentdb database ({error}); restore it "
                f'from a copy: {{"format": {CURRENT_FORMAT}, "minimum_reader": 1, ...}}'
            ) from error

    def write(self, folder: Path) -> None:
        """Replace the version file in one step: a reader sees the old one or the new one."""
        path = folder / FORMAT_FILE
        temporary = path.with_suffix(".json.new")
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)

    @property
    def is_old(self) -> bool:
        """Whether steps of this program have not been applied yet."""
        return self.format < CURRENT_FORMAT

    def require_readable(self, folder: Path) -> None:
        """Raise StoreFormatError when this program is too old to read the database."""
        if self.minimum_reader > CURRENT_FORMAT:
            raise StoreFormatError(
                f"{folder} has format {self.format} and needs a latentdb that reads format "
                f"{self.minimum_reader}; this one reads up to {CURRENT_FORMAT}: upgrade with "
                "pip install --upgrade latentdb"
            )

    def require_writable(self, folder: Path) -> None:
        """Raise StoreFormatError when this program may read the database but not change it."""
        if self.format > CURRENT_FORMAT:
            raise StoreFormatError(
                f"{folder} has format {self.format}; this latentdb can read it, but writes "
                f"format {CURRENT_FORMAT} only: upgrade with pip install --upgrade latentdb"
            )


def migrate(
    folder: Path, tables: Tables, record: FormatRecord, *, steps: Sequence[Step] = STEPS
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
        record.write(folder)
    return record
