"""Why an item is a hit: what each part of the question did for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final


@final
@dataclass(frozen=True)
class Term:
    """One part or direction, and what it did for one hit.

    Parameters
    ----------
    kind : "image", "id", "text", "vector" or "direction"
    what : str
        In words, such as `id 5`, `− 0.5·id 9` of a part to be unlike, or `hat +2`.
    similarity : float or None
        Cosine of the hit and this part alone; None of a direction.
    position : float or None
        Signed distance of the hit to the direction's boundary, in standard deviations; None of a
        part, and of a direction of another space than answers.
    contribution : float
        Its summand in the similarity of hit and question.
    change : float or None
        What the similarity would lose without it; None where nothing could be asked without it.
    """

    kind: str
    what: str
    similarity: float | None
    position: float | None
    contribution: float
    change: float | None


@final
@dataclass(frozen=True)
class Explanation:
    """Why one item is a hit.

    Parameters
    ----------
    similarity : float
        Cosine of hit and question.
    base : float
        Summand of what all pictures of the space share; 0 of a question of one part.
    terms : tuple of Term
        The parts, then the directions.
    """

    similarity: float
    base: float
    terms: tuple[Term, ...]

    def to_json(self) -> dict[str, Any]:
        """As a hit shows it."""
        return {
            "similarity": self.similarity,
            "base": self.base,
            "terms": [dict(vars(term)) for term in self.terms],
        }
