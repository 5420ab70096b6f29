"""How the parts of a question become one vector: about the middle of the space, on its sphere.

Half of the vectors' length in an encoder's space is often the mean of all of them, which says
nothing about any picture. Angles are therefore taken about that mean, where pictures lie all
around; in a noise space they are taken about the origin, where noise is centred by its law. There
parts of positive weight meet in their Fréchet mean and the question moves away from the others,
towards their opposite, along the geodesic (`latentdb.geometry.blend`), at the norm that its parts
have, or that a prior holds likeliest. Directions move the result. A question of one part is that
part's vector.

Every step is linear in the vectors, so that the question is a sum with one summand, or *share*,
for each part and each direction, and one for the middle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np

from indexers.types import FloatArray
from latentdb.directions.direction import Direction
from latentdb.errors import QueryError
from latentdb.geometry.blend import blend
from latentdb.geometry.errors import CutLocusError
from latentdb.model import Vectors
from latentdb.part import Part, describe_parts


@final
class Placed(NamedTuple):
    """A part in the space that answers.

    Parameters
    ----------
    part : Part
    carry : callable of a mapping from name to strength
        Its vector (dim,) float32 there, moved along these directions of the space where it was
        born before any map; a direction that was not fitted there raises.
    steps : dict
        How it came there, as JSON.
    """

    part: Part
    carry: Callable[[Mapping[str, float]], Vectors]
    steps: dict[str, Any]


@final
@dataclass(frozen=True, eq=False)
class Step:
    """A move along a direction by `strength` standard deviations.

    `direction` is of the space that answers, and None where the parts of positive weight are
    moved in the space where each was born, before its map.
    """

    name: str
    strength: float
    direction: Direction | None

    def __str__(self) -> str:
        return f"{self.name} {self.strength:+g}"


@final
class Ground(NamedTuple):
    """Where parts are put together.

    Parameters
    ----------
    centre : (dim,) float64
        What angles are taken about.
    norm : float, optional
        Of the result; None for that of its parts of positive weight about the centre.
    """

    centre: FloatArray
    norm: float | None = None


@final
class Composed(NamedTuple):
    """A question as one vector, and what that is the sum of.

    Attributes
    ----------
    vector : (dim,) float32
    base : (dim,) float64
        Share of the middle of the space; zero of a question of one part.
    shares : list of (dim,) float64
        Those of the parts, then of the directions, in their order.
    """

    vector: Vectors
    base: FloatArray
    shares: list[FloatArray]


def compose(placed: Sequence[Placed], steps: Sequence[Step], ground: Ground) -> Composed:
    """Put parts together, and move the result.

    Parameters
    ----------
    placed : sequence of Placed
        At least one of positive weight.
    steps : sequence of Step
        Taken in this order; those before the maps first.
    ground : Ground
        Of no effect on a question of one part.

    Raises
    ------
    QueryError
        The parts contradict one another.
    UnknownDirectionError
        A step before the maps is of no direction of the space where a part was born.
    """
    if len(placed) == 1 and not steps:
        vector = placed[0].carry({})
        return Composed(vector, np.zeros(len(vector)), [vector.astype(np.float64)])
    stages = np.stack([_stages(one, steps) for one in placed])
    coefficients, base = _coefficients(placed, stages[:, -1], ground)
    parts = coefficients[:, None] * (stages[:, 0] - base)
    moves = np.tensordot(coefficients, np.diff(stages, axis=1), axes=1)
    shares = [*parts, *moves]
    vector = (base + np.sum(shares, axis=0)).astype(np.float32)
    return _moved(Composed(vector, base, shares), steps)


def _stages(one: Placed, steps: Sequence[Step]) -> FloatArray:
    """The part's vector, and after each step (1 + n_steps, dim).

    A step in the space that answers comes later, and parts to be unlike stay where they are.
    """
    stages, moves = [one.carry({})], dict[str, float]()
    for step in steps:
        if step.direction is None and one.part.weight > 0:
            moves[step.name] = step.strength
            stages.append(one.carry(moves))
        else:
            stages.append(stages[-1])
    return np.stack(stages).astype(np.float64)


def _coefficients(
    placed: Sequence[Placed], rows: FloatArray, ground: Ground
) -> tuple[FloatArray, FloatArray]:
    """What each part counts about the middle, and that middle."""
    if len(placed) == 1:
        return np.ones(1), np.zeros(rows.shape[1])
    about = rows - ground.centre
    try:
        coefficients = blend(about, np.array([one.part.weight for one in placed]))
    except CutLocusError as error:
        asked = describe_parts(tuple(one.part for one in placed))
        raise QueryError(f"the parts of {asked} cannot be put together: {error}") from error
    if ground.norm is not None:
        coefficients *= ground.norm / np.linalg.norm(coefficients @ about)
    return coefficients, ground.centre


def _moved(start: Composed, steps: Sequence[Step]) -> Composed:
    """The question after the steps in the space that answers, its norm kept."""
    vector, base, shares = start.vector, start.base, list(start.shares)
    first = len(shares) - len(steps)
    for at, step in enumerate(steps, start=first):
        if step.direction is None:
            continue
        moved = step.direction.move(vector[None], step.strength)[0]
        added = step.strength * step.direction.std * step.direction.vector
        # Keeping the norm scales what was there by as much as what is added.
        scale = float(np.linalg.norm(moved) / np.linalg.norm(vector + added))
        base, shares = scale * base, [scale * share for share in shares]
        shares[at] = shares[at] + scale * added
        vector = moved
    return Composed(vector, base, shares)
