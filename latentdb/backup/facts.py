"""What is known of backups."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, TypeAlias, final

from latentdb.progress import Progress

#: Path, size, and tag or time of a file: it stays as long as the content does.
Mark: TypeAlias = tuple[str, int, str | int]


@final
class Tally:
    """Counts bytes, and tells of them; safe for several threads.

    Parameters
    ----------
    progress : Progress
    total : int
        How many there are.
    doing : str
        What is done to them.
    """

    def __init__(self, progress: Progress, total: int, doing: str) -> None:
        self._progress = progress
        self._total = total
        self._doing = doing
        self._done = 0
        self._lock = threading.Lock()

    def __call__(self, more: int) -> None:
        """So many more are done."""
        with self._lock:
            self._done += more
            self._progress(self._done, self._total, self._doing)


class KeptFile(NamedTuple):
    """One file of a backup.

    Attributes
    ----------
    path : str
        Below the database, with "/".
    bytes : int
    mtime_ns : int
        When it was last changed.
    blake2b : str
        Of its content, 64 hexadecimal digits: the name it is kept under.
    tag : str
        What tells its content in an object store: the ETag of an object, or the SHA-256 of an
        artefact. Empty for a file of a folder.
    """

    path: str
    bytes: int
    mtime_ns: int
    blake2b: str
    tag: str = ""

    @property
    def mark(self) -> Mark:
        """A file of the same mark is taken for the same without being read."""
        return self.path, self.bytes, self.tag or self.mtime_ns


@final
@dataclass(frozen=True)
class Backup:
    """One backup, as its file holds it.

    Parameters
    ----------
    id : str
        Such as `000007`: they are counted, since clocks go back.
    created_at : str
        When the database was as it is here; ISO 8601, UTC.
    database : str
        Where it lay.
    items : int
    spaces : tuple of str
    files : tuple of KeptFile
    written_by : str
        Version of latentdb.
    """

    id: str
    created_at: str
    database: str
    items: int
    spaces: tuple[str, ...]
    files: tuple[KeptFile, ...]
    written_by: str

    @property
    def total_bytes(self) -> int:
        """Of all its files."""
        return sum(file.bytes for file in self.files)

    @property
    def info(self) -> BackupInfo:
        """The same without the files."""
        return BackupInfo(
            id=self.id,
            created_at=self.created_at,
            database=self.database,
            items=self.items,
            spaces=self.spaces,
            files=len(self.files),
            total_bytes=self.total_bytes,
        )


@final
@dataclass(frozen=True)
class BackupInfo:
    """One backup; fields as in `Backup`, `files` their number."""

    id: str
    created_at: str
    database: str
    items: int
    spaces: tuple[str, ...]
    files: int
    total_bytes: int

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return asdict(self)


@final
@dataclass(frozen=True)
class BackupSummary:
    """What a backup did.

    Parameters
    ----------
    backup : BackupInfo
    new_files, new_bytes : int
        What was copied; the rest was there from before.
    pruned : tuple of str
        Ids of the backups that were deleted.
    freed_bytes : int
        What that freed.
    seconds : float
    """

    backup: BackupInfo
    new_files: int
    new_bytes: int
    pruned: tuple[str, ...]
    freed_bytes: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return asdict(self)


@final
@dataclass(frozen=True)
class RestoreSummary:
    """What was restored, and where to."""

    backup: BackupInfo
    uri: str
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return asdict(self)
