"""A direction of a database, by a recipe: source, nuisances, and the items that judge it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from latentdb.arrays import BoolArray, FloatArray, IdArray
from latentdb.catalog import Catalog
from latentdb.directions.complete import complete
from latentdb.directions.direction import Direction
from latentdb.directions.draft import Judges, Resampling
from latentdb.directions.fit import DirectionOptions, fit_direction
from latentdb.directions.orthogonal import Nuisances
from latentdb.directions.recipe import Recipe
from latentdb.directions.sources import Sourced, drawn, sample_of, source_of
from latentdb.held_out import split_by_item
from latentdb.space import Space
from latentdb.stitch.from_store import paired_ids
from latentdb.store import Store
from latentdb.types import SpaceRows


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
    ids, has = _labelled(store, recipe.label, store.vector_ids(space.name))
    options = DirectionOptions(
        method=recipe.method or "mean_difference",
        seed=recipe.seed,
        label=recipe.label,
        nuisances=nuisances,
        nuisance_labels=_nuisance_labels(store, nuisances, ids),
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
        judges=_judges(catalog.store, sourced, recipe, nuisances, corpus),
        nuisances=nuisances,
        resampling=Resampling(recipe.seed),
    )


def _judges(
    store: Store, sourced: Sourced, recipe: Recipe, nuisances: Nuisances, corpus: SpaceRows
) -> Judges:
    """Labelled items that neither shaped the draft nor a map it went through; else the corpus.

    The column is the one asked for, else that of the direction it was carried from.
    """
    column = recipe.score_label
    if column is None and sourced.origin is not None:
        column = sourced.origin.column
    if column is None:
        has = _nuisance_labels(store, nuisances, corpus.ids)
        return Judges(corpus.vectors, None, corpus.ids, nuisance_labels=has)
    space = sourced.draft.space.name
    ids = store.vector_ids(space)
    ids, is_positive = _labelled(store, column, ids[_is_unseen(store, sourced, ids)])
    chosen = np.isin(ids, drawn(ids, seed=recipe.seed))
    ids, is_positive = ids[chosen], is_positive[chosen]
    has = _nuisance_labels(store, nuisances, ids)
    return Judges(store.vectors(space, ids), is_positive, ids, column, has)


def _is_unseen(store: Store, sourced: Sourced, ids: IdArray) -> BoolArray:
    """Which of `ids` (n,) neither the draft, nor its origin, nor a map was fitted on."""
    unseen: BoolArray = ~np.isin(ids, sourced.draft.ids)
    for one in sourced.maps:
        both = paired_ids(store, one.source, one.target)
        unseen &= ~np.isin(ids, _trained_on(both, one.fitted_on.seed, one.fitted_on.n_held_out))
    origin = sourced.origin
    if origin is not None and origin.column is not None and origin.scores is not None:
        seen, has = _labelled(store, origin.column, store.vector_ids(origin.space))
        share = origin.scores.n_held_out / len(seen)
        held_out = split_by_item(seen, seed=origin.fitted_on.seed, fraction=share, strata=has)
        unseen &= ~np.isin(ids, seen[~held_out])
    return unseen


def _trained_on(ids: IdArray, seed: int, n_held_out: int) -> IdArray:
    """Items of a map's that it did not hold out.

    Where items came since, these are more than it was: the lowest hashes of all are some of the
    lowest hashes there were, or new.
    """
    if not n_held_out:
        return ids
    is_held_out = split_by_item(ids, seed=seed, fraction=n_held_out / len(ids))
    trained: IdArray = ids[~is_held_out]
    return trained


def _labelled(store: Store, column: str, among: IdArray) -> tuple[IdArray, BoolArray]:
    """Items of `among` that a label of two values says something of, sorted, and what it says."""
    ids, values = store.binary_label(column)
    ids, at, _ = np.intersect1d(ids, among, return_indices=True)
    return ids, values[at]


def _nuisance_labels(store: Store, nuisances: Nuisances, ids: IdArray) -> Mapping[str, FloatArray]:
    """1, 0 or NaN for each of `ids` (n,), by the nuisances that a stored label is known of."""
    columns = {other.name: other.column for other in nuisances.directions}
    found = {}
    for name, column in columns.items():
        if column is None or column not in store.label_columns():
            continue
        there, has = _labelled(store, column, ids)
        values = np.full(len(ids), np.nan)
        values[np.searchsorted(ids, there)] = has
        found[name] = values
    return found
