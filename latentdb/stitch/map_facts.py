"""What is known of a map but its weights: all that a listing shows, and a client has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from latentdb.artefacts import FittedOn, SpaceRef
from latentdb.stitch.evaluate import MapScores


@final
@dataclass(frozen=True)
class MapFacts:
    """A `LinearMap` without its arrays; the names and their meanings are those of that class."""

    source_ref: SpaceRef
    target_ref: SpaceRef
    method: str
    regularisation: float
    target_norm: float
    target_spread: float
    scores: MapScores
    fitted_on: FittedOn
    rank: int | None = None

    @property
    def source(self) -> str:
        """Name of the space it leads from, at the time it was fitted."""
        return self.source_ref.name

    @property
    def target(self) -> str:
        """Name of the space it leads to, at the time it was fitted."""
        return self.target_ref.name

    @property
    def parameters(self) -> dict[str, str | float | None]:
        """How it was fitted, and the lengths that its answers are restored to."""
        return {
            "method": self.method,
            "regularisation": self.regularisation,
            **({} if self.rank is None else {"rank": self.rank}),
            "target_norm": self.target_norm,
            "target_spread": self.target_spread,
        }

    def to_json(self) -> dict[str, Any]:
        """What a listing of maps shows; `from_json` reads it back."""
        return {
            "source": dict(vars(self.source_ref)),
            "target": dict(vars(self.target_ref)),
            **self.parameters,
            "fitted_on": self.fitted_on.to_json(),
            "scores": self.scores.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> MapFacts:
        """Facts written by `to_json`."""
        return cls(
            source_ref=SpaceRef(**data["source"]),
            target_ref=SpaceRef(**data["target"]),
            method=data["method"],
            regularisation=data["regularisation"],
            target_norm=data["target_norm"],
            target_spread=data["target_spread"],
            scores=MapScores.from_json(data["scores"]),
            fitted_on=FittedOn(**data["fitted_on"]),
            rank=data.get("rank"),
        )
