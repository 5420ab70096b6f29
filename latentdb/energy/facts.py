"""What is known of a space's energies but each row's own: all that a listing shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, final

from latentdb.artefacts import SpaceRef

Method = Literal["exact", "neighbours"]
Schedule = Literal["exploding", "flow"]


@final
@dataclass(frozen=True)
class EnergyFacts:
    """A `SpaceEnergy` without its rows.

    Parameters
    ----------
    space_ref : SpaceRef
    rows, later_rows : int
        How many shaped it, and how many came later.
    mean, std : float
        Of the energies, in nats per dimension.
    quantiles : mapping of share to float
        Shares such as "0.05".
    schedule, deviation
        Those of `EnergyScale`.
    method, tolerance, max_width, is_certain, created_at
        Those of `SpaceEnergy`.
    """

    space_ref: SpaceRef
    rows: int
    later_rows: int
    mean: float
    std: float
    quantiles: Mapping[str, float]
    schedule: Schedule
    deviation: float
    method: Method
    tolerance: float
    max_width: float
    is_certain: bool
    created_at: str

    @property
    def parameters(self) -> dict[str, Any]:
        """How the energies were measured, and how surely."""
        return {
            "schedule": self.schedule,
            "deviation": self.deviation,
            "method": self.method,
            "tolerance": self.tolerance,
            "max_width": self.max_width,
            "is_certain": self.is_certain,
        }

    def to_json(self) -> dict[str, Any]:
        """What a listing shows; `from_json` reads it back."""
        return {
            "space": dict(vars(self.space_ref)),
            "rows": self.rows,
            "later_rows": self.later_rows,
            "mean": self.mean,
            "std": self.std,
            "quantiles": dict(self.quantiles),
            **self.parameters,
            "created_at": self.created_at or None,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> EnergyFacts:
        """Facts written by `to_json`."""
        return cls(
            space_ref=SpaceRef(**data["space"]),
            rows=data["rows"],
            later_rows=data["later_rows"],
            mean=data["mean"],
            std=data["std"],
            quantiles=dict(data["quantiles"]),
            schedule=data["schedule"],
            deviation=data["deviation"],
            method=data["method"],
            tolerance=data["tolerance"],
            max_width=data["max_width"],
            is_certain=data["is_certain"],
            created_at=data["created_at"] or "",
        )
