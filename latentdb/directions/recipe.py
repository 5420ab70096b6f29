"""What a direction is made from: exactly one source, and how it is made orthogonal and scored."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, TypedDict, cast, final, get_args

from latentdb.directions.cost import Orthogonality
from latentdb.directions.direction import Direction
from latentdb.directions.fit import DirectionMethod
from latentdb.directions.pair import PairMethod
from latentdb.errors import QueryError

CarriedAs = Literal["movement", "reading"]

_SOURCES: Final = ("label", "like", "pair", "text", "carry_from")
# What each option is for, so that none is accepted and ignored.
_NEEDS: Final = {
    "unlike": "like",
    "method": "label",
    "pair_method": "pair",
    "carry_as": "carry_from",
    "orthogonality": "orthogonal_to",
}


class RecipeParts(TypedDict, total=False):
    """Keyword form of `Recipe`."""

    label: str | None
    like: Sequence[int]
    unlike: Sequence[int]
    pair: tuple[int, int] | None
    text: tuple[str, str] | None
    carry_from: str | None
    method: DirectionMethod | None
    pair_method: PairMethod | None
    carry_as: CarriedAs | None
    orthogonal_to: Sequence[str]
    orthogonality: Orthogonality | None
    score_label: str | None
    seed: int


@final
@dataclass(frozen=True)
class Recipe:
    """How to make a direction; one of the first five sources, `unlike` going with `like`.

    Parameters
    ----------
    label : str
        Column of two values: fitted by `method`, scored on the items held out.
    like, unlike : sequence of int
        Ids of items: from the mean of those not liked (of all, where none are given) to that of
        those liked.
    pair : (int, int)
        Ids of two items: from the first to the second, by `pair_method`.
    text : (str, str)
        What it leads to and what it leads away from, such as "a smiling face" and "a face".
    carry_from : str
        Space with a direction of the same name, which is carried over through the maps there are.
    method : "mean_difference", "lda" or "logistic"
        Of a label; mean_difference where not given.
    pair_method : "difference" or "svd"
        Of a pair.
    carry_as : "movement" or "reading"
        As what it is carried; as what it is, where not given.
    orthogonal_to : sequence of str
        Directions of the same space that it is to leave alone.
    orthogonality : "readings", "scores" or "vectors"
        In which sense; "readings" where not given. See `latentdb.directions.orthogonal`.
    score_label : str
        Column that scores a direction made without labels. One carried from a label's is scored
        by that.
    seed : int
        Of the held-out split, of samples and resamples.

    Raises
    ------
    QueryError
        No source or several, an item twice, or an option that the source has no use for.
    """

    label: str | None = None
    like: Sequence[int] = ()
    unlike: Sequence[int] = ()
    pair: tuple[int, int] | None = None
    text: tuple[str, str] | None = None
    carry_from: str | None = None
    method: DirectionMethod | None = None
    pair_method: PairMethod | None = None
    carry_as: CarriedAs | None = None
    orthogonal_to: Sequence[str] = ()
    orthogonality: Orthogonality | None = None
    score_label: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        given = [name for name in _SOURCES if getattr(self, name)]
        if len(given) != 1:
            came = " and ".join(given) if given else "none of them"
            raise QueryError(
                f"a direction is made from exactly one of {', '.join(_SOURCES)}; got {came}"
            )
        for option, needed in _NEEDS.items():
            if getattr(self, option) and not getattr(self, needed):
                raise QueryError(f"{option} goes with {needed}, which was not given")
        if self.pair is not None and self.pair[0] == self.pair[1]:
            raise QueryError(f"a pair is two different items; got {self.pair[0]} twice")
        if self.label is not None and self.score_label is not None:
            raise QueryError(
                "score_label is for directions made without labels; one of a label is scored on "
                "items held out from it"
            )

    @property
    def source(self) -> str:
        """Which of the five it is made from."""
        return next(name for name in _SOURCES if getattr(self, name))

    def to_json(self) -> dict[str, Any]:
        """Arguments that make it again: those that are not the defaults."""
        given = {one.name: getattr(self, one.name) for one in fields(self)}
        return {
            name: list(value) if isinstance(value, list | tuple) else value
            for name, value in given.items()
            if value not in (None, (), [], 0)
        }

    def to_options(self) -> str:
        """The same as options of `latentdb direction`."""
        words: list[str] = []
        for name, value in self.to_json().items():
            option = f"--{name.replace('_', '-')}"
            if name in ("pair", "text"):
                words += [option, *(str(one) for one in value)]
            else:
                for one in value if isinstance(value, list) else [value]:
                    words += [option, str(one)]
        return shlex.join(words)


def recipe_of(direction: Direction) -> Recipe | None:
    """What makes a direction again, None where it is not known.

    One that an earlier version wrote is known where it was fitted from a label; it was orthogonal
    in the sense of vectors, there being no other.
    """
    if direction.recipe is not None:
        return Recipe(**direction.recipe)
    if direction.method not in get_args(DirectionMethod):
        return None
    return Recipe(
        label=direction.label,
        method=cast(DirectionMethod, direction.method),
        orthogonal_to=direction.orthogonal_to,
        orthogonality="vectors" if direction.orthogonal_to else None,
        seed=direction.fitted_on.seed,
    )
