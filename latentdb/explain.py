"""What each part of a question and each direction contributed to a hit.

Of a question q and a hit x the similarity is the cosine ⟨q, x⟩ / ‖q‖‖x‖, whatever the metric: one
minus the cosine distance, and what decides the angular part of a NAO distance. q is the sum of its
shares (`latentdb.compose`), so the cosine is the sum of theirs:

    similarity = base + Σ contributions,    contribution = ⟨share, x⟩ / ‖q‖‖x‖

`change` is another question: by how much the similarity would fall if the part were left out and
the others put together without it. Changes do not add up: parts that say the same can each be left
out at little cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from indexers.types import FloatArray
from latentdb.compose import Placed, Step, compose
from latentdb.errors import QueryError
from latentdb.explanation import Explanation, Term
from latentdb.model import Vectors
from latentdb.part import describe_parts
from latentdb.resolve import Resolved

T = TypeVar("T")


def explain(resolved: Resolved, hits: Vectors) -> list[Explanation]:
    """What every part and direction of a question did for each of some hits.

    Parameters
    ----------
    resolved : Resolved
    hits : (n, dim)
        Their vectors in the space that answered. Not modified.

    Returns
    -------
    list of Explanation
        One for each hit.
    """
    exact = hits.astype(np.float64)
    norms = np.linalg.norm(exact, axis=1, keepdims=True)
    units = exact / np.where(norms > 0.0, norms, 1.0)
    similarity = _cosines(units, resolved.vector)
    base = units @ resolved.whole.base / _norm(resolved.vector)
    columns = [_part_terms(resolved, at, units) for at in range(len(resolved.placed))]
    columns += [_step_terms(resolved, at, hits, units) for at in range(len(resolved.directions))]
    return [
        Explanation(
            float(similarity[row]), float(base[row]), tuple(terms[row] for terms in columns)
        )
        for row in range(len(hits))
    ]


def _part_terms(resolved: Resolved, at: int, units: FloatArray) -> list[Term]:
    """What part number `at` did for each hit."""
    one, moves = resolved.placed[at], resolved.moves_before_maps
    own = _cosines(units, one.carry(moves if one.part.weight > 0 else {}))
    given = units @ resolved.whole.shares[at] / _norm(resolved.vector)
    lost = _lost(resolved, units, _but(resolved.placed, at), resolved.directions)
    what = describe_parts((one.part,))
    return [
        Term(one.part.kind, what, float(own[row]), None, float(given[row]), lost[row])
        for row in range(len(units))
    ]


def _step_terms(resolved: Resolved, at: int, hits: Vectors, units: FloatArray) -> list[Term]:
    """What direction number `at` did for each hit."""
    one = resolved.directions[at]
    given = units @ resolved.whole.shares[len(resolved.placed) + at] / _norm(resolved.vector)
    lost = _lost(resolved, units, resolved.placed, _but(resolved.directions, at))
    where = [None] * len(hits) if one.direction is None else one.direction.project(hits).tolist()
    return [
        Term("direction", str(one), None, where[row], float(given[row]), lost[row])
        for row in range(len(units))
    ]


def _lost(
    resolved: Resolved, units: FloatArray, parts: Sequence[Placed], steps: Sequence[Step]
) -> list[float | None]:
    """What the similarity of each hit loses when only these parts and directions are asked."""
    if not any(one.part.weight > 0 for one in parts):
        return [None] * len(units)
    try:
        rest = compose(parts, steps, resolved.ground)
    except QueryError:  # what is left contradicts itself
        return [None] * len(units)
    lost: list[float | None] = (
        _cosines(units, resolved.vector) - _cosines(units, rest.vector)
    ).tolist()
    return lost


def _but(items: tuple[T, ...], at: int) -> tuple[T, ...]:
    return (*items[:at], *items[at + 1 :])


def _cosines(units: FloatArray, vector: Vectors) -> FloatArray:
    cosines: FloatArray = units @ vector.astype(np.float64) / _norm(vector)
    return cosines


def _norm(vector: Vectors) -> float:
    return float(np.linalg.norm(vector.astype(np.float64)))
