"""Which of several directions is meant by a name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from latentdb.directions.direction import Direction
from latentdb.directions.facts import DirectionFacts
from latentdb.errors import QueryError, UnknownDirectionError

T = TypeVar("T", Direction, DirectionFacts)


def choose_direction(
    there: Sequence[T], name: str, space: str | None, *, retired: frozenset[str] = frozenset()
) -> T:
    """The direction `name`, in `space` where it was fitted in several.

    Parameters
    ----------
    there : sequence of Direction or of DirectionFacts
        All there are.
    name : str
    space : str or None
    retired : frozenset of str
        Spaces that others took the place of: theirs is meant where no other is.

    Raises
    ------
    UnknownDirectionError
        There is none; the text names those there are.
    QueryError
        A space must be named.
    """
    found = [one for one in there if one.name == name and space in (None, one.space)]
    if not found:
        names = ", ".join(f"{one.name} in {one.space}" for one in there) or "none yet"
        at = f" in space {space!r}" if space else ""
        raise UnknownDirectionError(
            f"no direction {name!r}{at}; there are: {names}. Fit one with "
            f"latentdb direction DB {name} --space S --label COLUMN"
        )
    found = [one for one in found if one.space not in retired] or found
    if len(found) > 1:
        raise QueryError(
            f"direction {name!r} was fitted in {', '.join(one.space for one in found)}: name "
            "one with --space"
        )
    return found[0]
