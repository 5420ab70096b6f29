"""What a job is, and how it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeAlias, final

State: TypeAlias = Literal["queued", "running", "done", "failed", "cancelled"]
OVER: Final[tuple[State, ...]] = ("done", "failed", "cancelled")


@final
@dataclass(frozen=True)
class Progress:
    """How far a job is; `total` is None where it is not known."""

    done: int = 0
    total: int | None = None
    message: str = ""


@final
@dataclass(frozen=True)
class Job:
    """One piece of long work, as its file holds it.

    Parameters
    ----------
    id : str
        Hexadecimal.
    kind : str
        One of `api.jobs.kinds.KINDS`.
    arguments : mapping
        JSON; what it was asked for.
    created_at, started_at, finished_at : str or None
        ISO 8601, UTC, microseconds.
    state : State
        What is over stays as it is.
    result : JSON value
        Of a job that is done.
    error : mapping of str or None
        `code` and `detail` of a job that failed.
    runners : tuple of str
        Who took it up, the last one last.
    deaths : int
        How many of them died over it.
    key : str or None
        SHA-256 of what makes a repeated request the same one.
    """

    id: str
    kind: str
    arguments: Mapping[str, Any]
    created_at: str
    state: State = "queued"
    result: Any = None
    error: Mapping[str, str] | None = None
    started_at: str | None = None
    finished_at: str | None = None
    runners: tuple[str, ...] = field(default=())
    deaths: int = 0
    key: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in OVER

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Job:
        """What `to_json` gave."""
        known = {one.name: data[one.name] for one in fields(cls) if one.name in data}
        return cls(**{**known, "runners": tuple(data["runners"])})

    def shown(self, progress: Progress) -> dict[str, Any]:
        """What clients are told of it."""
        return {
            "id": self.id,
            "kind": self.kind,
            "state": self.state,
            "arguments": self.arguments,
            "progress": asdict(progress),
            "result": self.result,
            "error": self.error,
            "created_at": self.created_at,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
        }


def now() -> str:
    """The time, as jobs write it."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
