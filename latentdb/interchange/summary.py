"""What an import and an export did."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, final


@final
@dataclass
class SpaceCounts:
    """Rows of one file of vectors, by what became of them.

    `present` were there from an earlier run, `duplicates` are of an item that an earlier row of
    the file is of, `quarantined` hold no usable vector.
    """

    rows: int = 0
    added: int = 0
    present: int = 0
    duplicates: int = 0
    quarantined: int = 0


@final
@dataclass
class ImportSummary:
    """What one import did.

    `items` that the rows are of, `added` of them new to the database, `with_picture` of those new
    ones with a picture; `spaces` by name.
    """

    dataset: str
    items: int = 0
    added: int = 0
    with_picture: int = 0
    spaces: dict[str, SpaceCounts] = field(default_factory=dict)
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return asdict(self)


@final
@dataclass
class ExportSummary:
    """What one export wrote: the folder, its files, `rows` by space, `items` in all.

    `left_out` are items that qualify and have no vector in some space of a format whose rows are
    in one order.
    """

    folder: str
    format: str
    items: int = 0
    left_out: int = 0
    spaces: dict[str, int] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return asdict(self)
