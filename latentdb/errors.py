"""Every error the library raises, in one tree.

LatentDBError                        (indexers.errors)
├── DimensionError, MetricError, …   (indexers.errors, ValueError or OSError)
├── SpaceError
│   ├── UnknownSpaceError            KeyError
│   ├── SpaceExistsError             ValueError
│   ├── SpaceMismatchError           ValueError   two fingerprints met
│   └── SpaceSpecError               ValueError   a space spec that cannot be parsed
├── StoreError
│   ├── StoreNotFoundError           FileNotFoundError
│   ├── StoreExistsError             FileExistsError
│   ├── StoreFormatError             ValueError   written by a newer latentdb
│   ├── StoreLockedError             RuntimeError another process is writing
│   ├── StoreReadOnlyError           PermissionError  it is open as it was at some time
│   ├── UnknownSnapshotError         KeyError     no snapshot of that name, no such moment
│   ├── BackupError                  ValueError   a folder of backups that is damaged, or is none
│   └── StoreIOError                 OSError      what the storage layer reported
├── UnknownItemError                 KeyError
├── QueryError                       ValueError   contradictory or missing query parts
├── FilterError                      ValueError   a --where that cannot be evaluated
├── SourceError                      ValueError   an ingest source that cannot be read
├── LabelsError                      ValueError   a labels file that cannot be joined
├── PictureError                     ValueError   one picture; quarantined, the run goes on
├── ModelError                       RuntimeError a model that cannot be loaded or run
├── ClusterError                     RuntimeError work on several machines that cannot go on
├── ArtefactError                    ValueError   a map or direction file that is torn or foreign
├── UnknownMapError                  KeyError
├── WorthlessMapError                ValueError   a map that does not beat its null, not forced
├── UnknownDirectionError            KeyError
├── UnknownProjectionError           KeyError     a umap that was not made yet
├── MigrationError                   RuntimeError a step of a model upgrade out of turn
├── WireError                        ValueError   what came from a server cannot be read
├── RemoteError                      RuntimeError a server refused, for a reason of its own
│   ├── ServerUnreachableError       ConnectionError  no answer came
│   ├── ServerBusyError              RuntimeError it is full, also after waiting as it asked
│   └── AccessError                  PermissionError  no key, a wrong one, or one that may not
└── NotEnoughDataError               ValueError   too few rows to fit what was asked
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from indexers.errors import LatentDBError

__all__ = [
    "AccessError",
    "ArtefactError",
    "BackupError",
    "ClusterError",
    "FilterError",
    "LabelsError",
    "LatentDBError",
    "MigrationError",
    "ModelError",
    "NotEnoughDataError",
    "PictureError",
    "QueryError",
    "RemoteError",
    "ServerBusyError",
    "ServerUnreachableError",
    "SourceError",
    "SpaceError",
    "SpaceExistsError",
    "SpaceMismatchError",
    "SpaceSpecError",
    "StoreError",
    "StoreExistsError",
    "StoreFormatError",
    "StoreIOError",
    "StoreLockedError",
    "StoreNotFoundError",
    "StoreReadOnlyError",
    "UnknownDirectionError",
    "UnknownItemError",
    "UnknownMapError",
    "UnknownProjectionError",
    "UnknownSnapshotError",
    "UnknownSpaceError",
    "WireError",
    "WorthlessMapError",
]


class _PlainKeyError(LatentDBError, KeyError):
    """KeyError whose text is shown as written, not as a quoted repr."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class SpaceError(LatentDBError):
    """Something is wrong with a space or with mixing two of them."""


class UnknownSpaceError(SpaceError, _PlainKeyError):
    """No space of that name in the database, or no such bundled space."""

    @classmethod
    def among(cls, name: str, spaces: Iterable[str]) -> UnknownSpaceError:
        """An error that names the spaces there are."""
        there = ", ".join(sorted(spaces)) or "none yet; add one with latentdb init --space"
        return cls(f"no space {name!r} in this database; there are: {there}")


class SpaceExistsError(SpaceError, ValueError):
    """A space of that name exists with other settings."""


class SpaceMismatchError(SpaceError, ValueError):
    """Vectors of two fingerprints were about to be compared."""


class SpaceSpecError(SpaceError, ValueError):
    """The text that names a space and its model cannot be parsed."""


class StoreError(LatentDBError):
    """The database itself: where it is, its format, its locks."""


class StoreNotFoundError(StoreError, FileNotFoundError):
    """There is no database at that address."""


class StoreExistsError(StoreError, FileExistsError):
    """There is already something at that address."""


class StoreFormatError(StoreError, ValueError):
    """The database was written by a newer latentdb, or is not one."""


class StoreLockedError(StoreError, RuntimeError):
    """Another process is writing to the database."""


class StoreReadOnlyError(StoreError, PermissionError):
    """The database is open as it was at some time, and nothing of that can change."""


class UnknownSnapshotError(StoreError, _PlainKeyError):
    """No snapshot of that name, or a moment whose versions were dropped."""


class BackupError(StoreError, ValueError):
    """A folder of backups is damaged, is none, or lacks the backup asked for."""


class StoreIOError(StoreError, OSError):
    """The storage layer failed; its own words are in the text."""


class UnknownItemError(_PlainKeyError):
    """No item of that id, or it has no vector in the space asked for."""

    @classmethod
    def naming(cls, ids: Sequence[int], what: str) -> UnknownItemError:
        """An error that names some of the ids, which are not `what`."""
        some = ", ".join(str(one) for one in ids[:5])
        more = ", …" if len(ids) > 5 else ""
        return cls(f"{len(ids)} ids are not {what}: {some}{more}")


class QueryError(LatentDBError, ValueError):
    """The parts of a query contradict one another, or none was given."""


class FilterError(LatentDBError, ValueError):
    """A filter expression cannot be evaluated."""


class SourceError(LatentDBError, ValueError):
    """An ingest source does not exist or is of no known kind."""


class LabelsError(LatentDBError, ValueError):
    """A labels file cannot be read or joined."""


class PictureError(LatentDBError, ValueError):
    """One picture cannot be used; `reason` is a short stable code.

    Parameters
    ----------
    reason : str
        One of `latentdb.types.QuarantineReason`.
    message : str
        What was found, in a sentence.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message

    def __str__(self) -> str:
        return self.message


class ModelError(LatentDBError, RuntimeError):
    """A model cannot be loaded or run."""


class ClusterError(LatentDBError, RuntimeError):
    """No cluster can be reached, its machines do not fit, or too many of its workers died."""


class MigrationError(LatentDBError, RuntimeError):
    """A step of a model upgrade is out of turn, or its two spaces do not go together."""


class ArtefactError(LatentDBError, ValueError):
    """A stored map or direction is torn, foreign or of a newer format."""


class UnknownMapError(_PlainKeyError):
    """No map leads from one space to the other."""

    @classmethod
    def between(cls, source: str, target: str) -> UnknownMapError:
        """An error that says how to fit it."""
        return cls(
            f"no map leads from space {source!r} to space {target!r}: fit one with "
            f"latentdb stitch DB --from {source} --to {target}"
        )


class WorthlessMapError(LatentDBError, ValueError):
    """A map does no better on held-out items than maps fitted on permuted pairs."""


class UnknownProjectionError(_PlainKeyError):
    """A projection that takes long was not made yet."""


class UnknownDirectionError(_PlainKeyError):
    """No direction of that name in that space."""


class RemoteError(LatentDBError, RuntimeError):
    """A server refused a request for a reason that a database without a server does not have.

    Parameters
    ----------
    message : str
        What happened, in a sentence.
    code : str
        As the server calls it, such as "too-large"; empty where it called it nothing.
    status : int
        Of its answer; 0 where none came.
    """

    def __init__(self, message: str, *, code: str = "", status: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class ServerUnreachableError(RemoteError, ConnectionError):
    """A server cannot be reached, or its answer did not come."""


class ServerBusyError(RemoteError):
    """A server has no room for a request now, and had none when it was repeated."""


class AccessError(RemoteError, PermissionError):
    """A server wants a key, does not know the one given, or does not let it do this."""


class NotEnoughDataError(LatentDBError, ValueError):
    """Too few rows, or only one class, to fit what was asked."""


class WireError(LatentDBError, ValueError):
    """What came from a server is not what one of this version says."""
