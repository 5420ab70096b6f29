"""What `Store.check` reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, final

FETCH: Final = "fetch it from a backup: latentdb check DB --repair --from-backup BACKUP"
RESTORE: Final = "restore the database from a backup: latentdb restore BACKUP NEW.ldb"
_NAMED: Final = 3


def listed(faults: Sequence[str]) -> str:
    """The first few of what was found, and how many more there are."""
    more = f"; and {len(faults) - _NAMED} more" if len(faults) > _NAMED else ""
    return "; ".join(faults[:_NAMED]) + more


@final
@dataclass(frozen=True)
class Problem:
    """Something that was found in the database.

    Parameters
    ----------
    kind : str
        A short stable code, such as "doubled_rows".
    table : str
        Where, such as "items" or "space_faces-clip".
    count : int
        How many rows.
    detail : str
        What it is, in a sentence.
    repairable : bool
        Whether `repair` mends it.
    severity : "fault" or "note"
        A note is no fault: items that await their vectors in a space, say.
    cure : str
        What to do about it where `repair` does not mend it; empty where nothing is needed.
    """

    kind: str
    table: str
    count: int
    detail: str
    repairable: bool
    severity: Literal["fault", "note"] = "fault"
    cure: str = ""
