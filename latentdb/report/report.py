"""Report: what the studies of one database found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from latentdb.report.options import Plan, SectionName
from latentdb.report.study import Absent, AbstractFindings


@final
@dataclass(frozen=True, eq=False)
class Report:
    """What was found.

    Parameters
    ----------
    database : str
        Name of its folder.
    n_items : int
        All items of the database.
    spaces : mapping of str to dict
        What is looked at: kind, dimension, fingerprint, items in the sample.
    attributes : tuple of str
        What was probed.
    sections : mapping of SectionName to AbstractFindings or Absent
        In the order of the page.
    seconds : mapping of SectionName to float
        What each took.
    plan : Plan
    seed : int
    """

    database: str
    n_items: int
    spaces: Mapping[str, Mapping[str, Any]]
    attributes: tuple[str, ...]
    sections: Mapping[SectionName, AbstractFindings | Absent]
    seconds: Mapping[SectionName, float]
    plan: Plan
    seed: int

    @property
    def absent(self) -> dict[str, str]:
        """Studies that could not be made, each with the reason."""
        return {name: one.why for name, one in self.sections.items() if isinstance(one, Absent)}

    def to_json(self) -> dict[str, Any]:
        """Everything, as `report.json` holds it."""
        return {
            "database": self.database,
            "n_items": self.n_items,
            "seed": self.seed,
            "plan": vars(self.plan),
            "spaces": {name: dict(facts) for name, facts in self.spaces.items()},
            "attributes": list(self.attributes),
            "sections": {name: one.to_json() for name, one in self.sections.items()},
            "seconds": dict(self.seconds),
        }
