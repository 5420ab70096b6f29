"""What every study gives: numbers as JSON, a section of the page, figures for its summary."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from latentdb.report.blocks import Cell, Section

# Column of the summary to its row, a space or two joined by " · ", to what is shown.
Headlines = Mapping[str, Mapping[str, Cell]]


class AbstractFindings(ABC):
    """What one study found."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """All numbers, as values that JSON can hold; none is NaN."""

    @abstractmethod
    def section(self) -> Section:
        """How it is shown."""

    def headlines(self) -> Headlines:
        """What the summary at the top of the page says of spaces, or of two of them."""
        return {}


@final
@dataclass(frozen=True)
class Absent:
    """A study that could not be made of this database, and why."""

    why: str

    def to_json(self) -> dict[str, Any]:
        """The reason."""
        return {"absent": self.why}
