"""What is known of a direction but its vector: all that a listing shows, and a client has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from latentdb.artefacts import FittedOn, SpaceRef
from latentdb.directions.cost import OrthogonalityCost
from latentdb.directions.scores import ProbeScore

# What is fitted from a label, and what of all methods is a reading; the others are movements.
LABELLED = frozenset({"logistic", "lda", "mean_difference"})
_READINGS = frozenset({"logistic", "lda", "carried_reading"})


@final
@dataclass(frozen=True)
class DirectionFacts:
    """A `Direction` without its vector; the names and their meanings are those of that class."""

    name: str
    space_ref: SpaceRef
    offset: float
    std: float
    method: str
    label: str
    fitted_on: FittedOn
    scores: ProbeScore | None = None
    orthogonal_to: tuple[str, ...] = ()
    boundary: str | None = None
    score_label: str | None = None
    cost: OrthogonalityCost | None = None
    recipe: Mapping[str, Any] | None = None

    @property
    def is_reading(self) -> bool:
        """Whether the vector is what is summed over an item, not what is added to one."""
        return self.method in _READINGS

    @property
    def column(self) -> str | None:
        """Label column that says which items have the attribute; None where none is known."""
        return self.label if self.method in LABELLED else self.score_label

    @property
    def space(self) -> str:
        """Name of its space, at the time it was fitted."""
        return self.space_ref.name

    @property
    def parameters(self) -> dict[str, Any]:
        """How it was made, and where its boundary lies."""
        return {
            "method": self.method,
            "label": self.label,
            "offset": self.offset,
            "std": self.std,
            "orthogonal_to": list(self.orthogonal_to),
            "boundary": self.boundary,
            "score_label": self.score_label,
            "cost": None if self.cost is None else self.cost.to_json(),
            "recipe": None if self.recipe is None else dict(self.recipe),
        }

    def to_json(self) -> dict[str, Any]:
        """What a listing of directions shows; `from_json` reads it back."""
        return {
            "name": self.name,
            "space": dict(vars(self.space_ref)),
            **self.parameters,
            "fitted_on": self.fitted_on.to_json(),
            "scores": None if self.scores is None else self.scores.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> DirectionFacts:
        """Facts written by `to_json`."""
        cost, scores, recipe = data["cost"], data["scores"], data["recipe"]
        return cls(
            name=data["name"],
            space_ref=SpaceRef(**data["space"]),
            offset=data["offset"],
            std=data["std"],
            method=data["method"],
            label=data["label"],
            fitted_on=FittedOn(**data["fitted_on"]),
            scores=None if scores is None else ProbeScore.from_json(scores),
            orthogonal_to=tuple(data["orthogonal_to"]),
            boundary=data["boundary"],
            score_label=data["score_label"],
            cost=None if cost is None else OrthogonalityCost.from_json(cost),
            recipe=None if recipe is None else dict(recipe),
        )
