"""What making a direction orthogonal cost it, and what it took off: kept with the direction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, final

from latentdb.directions.change import Change

Orthogonality = Literal["readings", "scores", "vectors"]


@final
@dataclass(frozen=True)
class TakenOff:
    """How one nuisance goes along with the direction, before and after.

    Parameters
    ----------
    name : str
        Of the nuisance.
    correlation : Change
        Of items' projections on the direction with those on the nuisance.
    label : str, optional
        Column that says which items have the nuisance; None where none is known.
    label_correlation : Change, optional
        Of items' projections on the direction with that column.
    """

    name: str
    correlation: Change
    label: str | None = None
    label_correlation: Change | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary; `from_json` reads it back."""
        of_label = self.label_correlation
        return {
            "name": self.name,
            "correlation": self.correlation.to_json(),
            "label": self.label,
            "label_correlation": None if of_label is None else of_label.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TakenOff:
        """What `to_json` wrote."""
        of_label = data["label_correlation"]
        return cls(
            data["name"],
            Change.from_json(data["correlation"]),
            data["label"],
            None if of_label is None else Change.from_json(of_label),
        )


@final
@dataclass(frozen=True)
class OrthogonalityCost:
    """What orthogonality did to a direction.

    Parameters
    ----------
    kind : "readings", "scores" or "vectors"
        What is zero now; see `latentdb.directions.orthogonal`.
    n_items : int
        It was measured on: the held-out ones where there are scores, else a sample of the space.
    auc : Change, optional
        None where no label scores the direction.
    nuisances : tuple of TakenOff
    """

    kind: Orthogonality
    n_items: int
    auc: Change | None
    nuisances: tuple[TakenOff, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary; `from_json` reads it back."""
        return {
            "kind": self.kind,
            "n_items": self.n_items,
            "auc": None if self.auc is None else self.auc.to_json(),
            "nuisances": [one.to_json() for one in self.nuisances],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> OrthogonalityCost:
        """What `to_json` wrote."""
        return cls(
            data["kind"],
            int(data["n_items"]),
            None if data["auc"] is None else Change.from_json(data["auc"]),
            tuple(TakenOff.from_json(one) for one in data["nuisances"]),
        )
