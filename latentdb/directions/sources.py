"""Drafts of directions that need no labels: of ids, a pair, two texts, or another space's own.

Each comes with the maps that it went through, and with the items that any of it has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, final

import numpy as np

from latentdb.arrays import IdArray, RealArray
from latentdb.catalog import Catalog
from latentdb.directions.carry import as_movement, as_reading, pull, push
from latentdb.directions.direction import Direction
from latentdb.directions.draft import MEDIAN, Draft, Share
from latentdb.directions.facts import LABELLED
from latentdb.directions.liked import from_ids
from latentdb.directions.pair import pair_direction
from latentdb.directions.recipe import Recipe
from latentdb.directions.text import text_movement
from latentdb.drawn import sample_of
from latentdb.errors import QueryError
from latentdb.space import Space
from latentdb.stitch.chain import find_chain
from latentdb.stitch.linear_map import LinearMap
from latentdb.types import SpaceRows


@final
@dataclass(frozen=True, eq=False)
class Sourced:
    """A draft and what stands behind it.

    Parameters
    ----------
    draft : Draft
    maps : tuple of LinearMap
        That it went through: they have seen items, if not labels.
    origin : Direction, optional
        That it was carried from.
    """

    draft: Draft
    maps: tuple[LinearMap, ...] = ()
    origin: Direction | None = None


def source_of(
    catalog: Catalog, name: str, space: Space, *, recipe: Recipe, corpus: SpaceRows
) -> Sourced:
    """The draft of a recipe whose source is no label.

    Parameters
    ----------
    catalog : Catalog
    name : str
    space : Space
        It will live in.
    recipe : Recipe
    corpus : SpaceRows
        Sample of that space.
    """
    return _SOURCES[recipe.source](catalog, name, space, recipe, corpus)


def _of_ids(
    catalog: Catalog, name: str, space: Space, recipe: Recipe, corpus: SpaceRows
) -> Sourced:
    sides = [catalog.store.vectors(space.name, list(ids)) for ids in (recipe.like, recipe.unlike)]
    ids = np.array([*recipe.like, *recipe.unlike], dtype=np.int64)
    return Sourced(from_ids(*sides, corpus=corpus.vectors, name=name, space=space, ids=ids))


def _of_pair(
    catalog: Catalog, name: str, space: Space, recipe: Recipe, corpus: SpaceRows
) -> Sourced:
    del corpus
    assert recipe.pair is not None
    start, end = recipe.pair
    method = recipe.pair_method or "difference"
    return Sourced(
        Draft(
            name=name,
            space=space,
            vector=pair_direction(catalog, space, start, end, method=method),
            method=f"pair_{method}",
            label=f"{start} → {end}",
            # The middle of two pictures says little of where the others part.
            boundary=MEDIAN,
            ids=np.array([start, end], dtype=np.int64),
        )
    )


def _of_text(
    catalog: Catalog, name: str, space: Space, recipe: Recipe, corpus: SpaceRows
) -> Sourced:
    del corpus
    assert recipe.text is not None
    towards, away = recipe.text
    vector, maps = text_movement(catalog, space, towards, away)
    label = f"{towards!r} − {away!r}"
    nothing = np.empty(0, dtype=np.int64)
    return Sourced(Draft(name, space, vector, "text", label, MEDIAN, nothing), maps)


def _carried(
    catalog: Catalog, name: str, space: Space, recipe: Recipe, corpus: SpaceRows
) -> Sourced:
    del corpus
    assert recipe.carry_from is not None
    home = catalog.store.space(recipe.carry_from)
    origin = catalog.direction(name, home.name)
    _require_carriable(origin, home, space)
    sample: RealArray = sample_of(catalog.store, home.name, seed=recipe.seed).vectors
    is_reading = (recipe.carry_as == "reading") if recipe.carry_as else origin.is_reading
    ends = (space, home) if is_reading else (home, space)
    chain = find_chain(catalog.maps.all(), *ends, spaces=catalog.spaces())
    vector = (
        pull(as_reading(origin, sample), chain)
        if is_reading
        else push(as_movement(origin, sample), chain)
    )
    draft = Draft(
        name=name,
        space=space,
        vector=vector,
        method="carried_reading" if is_reading else "carried_movement",
        label=f"{origin.label} in {home.name}",
        boundary=Share(float((origin.project(sample) <= 0).mean())),
        ids=_ids_of(origin),
        is_reading=is_reading,
    )
    return Sourced(draft, chain.maps, origin)


def _require_carriable(origin: Direction, home: Space, space: Space) -> None:
    """Raise QueryError unless carrying says more than making it in `space` itself would."""
    origin.require_space(home)
    if home.name == space.name:
        raise QueryError(f"direction {origin.name!r} lives in space {space.name!r} already")
    if origin.method not in LABELLED | {"ids", "pair_difference", "pair_svd"}:
        raise QueryError(
            f"direction {origin.name!r} of space {home.name!r} came through maps or from texts "
            f"itself: make it from its own source with --space {space.name}, which every map and "
            "text reaches as well"
        )


def _ids_of(origin: Direction) -> IdArray:
    """Items that shaped a direction one by one; those of a label are told by its split."""
    recipe: Mapping[str, list[int]] = origin.recipe or {}
    named = [*recipe.get("like", []), *recipe.get("unlike", []), *recipe.get("pair", [])]
    return np.array(named, dtype=np.int64)


_SOURCES: Final[Mapping[str, Callable[[Catalog, str, Space, Recipe, SpaceRows], Sourced]]] = {
    "like": _of_ids,
    "pair": _of_pair,
    "text": _of_text,
    "carry_from": _carried,
}
