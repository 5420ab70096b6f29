"""What is known of a report by its numbers alone: all that a client of a server has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final


@final
@dataclass(frozen=True)
class ReportFacts:
    """A `Report` read from its `report.json`; the names and their meanings are those of that class.

    Parameters
    ----------
    seconds : mapping of section to float
    absent : mapping of section to str
        Studies that could not be made, each with the reason.
    numbers : mapping
        Everything, as the file holds it.
    """

    seconds: Mapping[str, float]
    absent: Mapping[str, str]
    numbers: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Everything, as `report.json` holds it."""
        return dict(self.numbers)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ReportFacts:
        """Facts of what `Report.to_json` wrote."""
        sections: Mapping[str, Mapping[str, Any]] = data["sections"]
        return cls(
            seconds=dict(data["seconds"]),
            absent={name: one["absent"] for name, one in sections.items() if "absent" in one},
            numbers=dict(data),
        )
