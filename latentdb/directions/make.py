"""A direction of a database, by a recipe: source, nuisances, and the items that judge it."""

from __future__ import annotations

from dataclasses import replace

from latentdb.catalog import Catalog
from latentdb.directions.complete import complete
from latentdb.directions.direction import Direction
from latentdb.directions.draft import Resampling
from latentdb.directions.fit import DirectionOptions, fit_direction
from latentdb.directions.judges import find_judges, labelled, labels_of
from latentdb.directions.orthogonal import Nuisances
from latentdb.directions.recipe import Recipe
from latentdb.directions.sources import source_of
from latentdb.drawn import sample_of
from latentdb.space import Space


def make_direction(catalog: Catalog, name: str, space: Space, recipe: Recipe) -> Direction:
    """The direction `name` of `space` that a recipe makes.

    Raises
    ------
    UnknownDirectionError, UnknownItemError, UnknownSpaceError, UnknownMapError
        A nuisance, an item, a space or a way to it is not there.
    LabelsError
        There is no such label, or it is not of two values.
    NotEnoughDataError
        Too few items on one side.
    QueryError, SpaceMismatchError, ZeroVectorError
        See the source in `latentdb.directions.sources`.
    """
    others = tuple(catalog.direction(other, space.name) for other in recipe.orthogonal_to)
    for other in others:
        other.require_space(space)
    nuisances = Nuisances(others, recipe.orthogonality or "readings")
    make = _of_label if recipe.label is not None else _of_other
    made = make(catalog, name, space, recipe, nuisances)
    return replace(made, recipe=recipe.to_json())


def _of_label(
    catalog: Catalog, name: str, space: Space, recipe: Recipe, nuisances: Nuisances
) -> Direction:
    """Fitted from the items that have both the label and a vector."""
    store = catalog.store
    assert recipe.label is not None
    ids, has = labelled(store, recipe.label, store.vector_ids(space.name))
    options = DirectionOptions(
        method=recipe.method or "mean_difference",
        seed=recipe.seed,
        label=recipe.label,
        nuisances=nuisances,
        nuisance_labels=labels_of(store, nuisances, ids),
    )
    vectors = store.vectors(space.name, ids)
    return fit_direction(vectors, has, name=name, space=space, ids=ids, options=options)


def _of_other(
    catalog: Catalog, name: str, space: Space, recipe: Recipe, nuisances: Nuisances
) -> Direction:
    """Made of another source, and scored where there is a label to score it by."""
    corpus = sample_of(catalog.store, space.name, seed=recipe.seed)
    sourced = source_of(catalog, name, space, recipe=recipe, corpus=corpus)
    return complete(
        sourced.draft,
        corpus=corpus.vectors,
        judges=find_judges(catalog.store, sourced, recipe, nuisances, corpus),
        nuisances=nuisances,
        resampling=Resampling(recipe.seed),
    )
