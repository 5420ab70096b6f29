"""Items that may judge a direction: those that neither it nor anything behind it was fitted on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from latentdb.arrays import BoolArray, FloatArray, IdArray
from latentdb.artefacts import FittedOn
from latentdb.directions.draft import Judges
from latentdb.directions.facts import LABELLED
from latentdb.directions.orthogonal import Nuisances
from latentdb.directions.recipe import Recipe
from latentdb.directions.sources import Sourced
from latentdb.drawn import drawn
from latentdb.errors import NotEnoughDataError
from latentdb.held_out import split_by_item
from latentdb.stitch.from_store import paired_ids
from latentdb.store import Store
from latentdb.types import SpaceRows


def find_judges(
    store: Store, sourced: Sourced, recipe: Recipe, nuisances: Nuisances, corpus: SpaceRows
) -> Judges:
    """Labelled items that neither shaped the draft nor a map it went through; else the corpus.

    The column is the one asked for, else that of the direction it was carried from, where the
    items left have and lack it.

    Raises
    ------
    NotEnoughDataError
        A column was asked for, and they do not.
    LabelsError
        There is no such column, or it is not of two values.
    """
    asked = recipe.score_label
    column = asked or (sourced.origin.column if sourced.origin is not None else None)
    if column is not None:
        ids, has = _of_column(store, sourced, column, seed=recipe.seed)
        if has.any() and not has.all():
            vectors = store.vectors(sourced.draft.space.name, ids)
            return Judges(vectors, has, ids, column, labels_of(store, nuisances, ids))
        if asked is not None:
            raise NotEnoughDataError(
                f"label {asked!r} is to score direction {sourced.draft.name!r}, but of the items "
                f"that did not shape it {has.sum()} have it and {(~has).sum()} lack it: ingest "
                "more, or leave it unscored"
            )
    return Judges(
        corpus.vectors,
        None,
        corpus.ids,
        nuisance_labels=labels_of(store, nuisances, corpus.ids),
    )


def _of_column(
    store: Store, sourced: Sourced, column: str, *, seed: int
) -> tuple[IdArray, BoolArray]:
    """Items that nothing has seen and a label says something of, at most 20,000; what it says."""
    ids = store.vector_ids(sourced.draft.space.name)
    ids, has = labelled(store, column, ids[_is_unseen(store, sourced, ids)])
    chosen = np.isin(ids, drawn(ids, seed=seed))
    return ids[chosen], has[chosen]


def _is_unseen(store: Store, sourced: Sourced, ids: IdArray) -> BoolArray:
    """Which of `ids` (n,) neither the draft, nor its origin, nor a map was fitted on."""
    unseen: BoolArray = ~np.isin(ids, sourced.draft.ids)
    for one in sourced.maps:
        both = paired_ids(store, one.source, one.target)
        unseen &= ~np.isin(ids, _trained_on(both, one.fitted_on))
    origin = sourced.origin
    if origin is not None and origin.method in LABELLED:
        seen, has = labelled(store, origin.label, store.vector_ids(origin.space))
        unseen &= ~np.isin(ids, _trained_on(seen, origin.fitted_on, strata=has))
    return unseen


def _trained_on(ids: IdArray, fitted_on: FittedOn, strata: BoolArray | None = None) -> IdArray:
    """Which of `ids` a fit has seen, where it held out those of lowest hash.

    Where items came since, these are more than it was: the lowest hashes of all are some of the
    lowest hashes there were, or new.
    """
    if not fitted_on.n_held_out:
        return ids
    n = max(len(ids), fitted_on.n_train + fitted_on.n_held_out)
    is_held_out = split_by_item(
        ids, seed=fitted_on.seed, fraction=fitted_on.n_held_out / n, strata=strata
    )
    trained: IdArray = ids[~is_held_out]
    return trained


def labelled(store: Store, column: str, among: IdArray) -> tuple[IdArray, BoolArray]:
    """Items of `among` that a label of two values says something of, sorted, and what it says."""
    ids, values = store.binary_label(column)
    ids, at, _ = np.intersect1d(ids, among, return_indices=True)
    return ids, values[at]


def labels_of(store: Store, nuisances: Nuisances, ids: IdArray) -> Mapping[str, FloatArray]:
    """1, 0 or NaN for each of `ids` (n,), by the nuisances that a stored label is known of."""
    columns = {other.name: other.column for other in nuisances.directions}
    found = {}
    for name, column in columns.items():
        if column is None or column not in store.label_columns():
            continue
        there, has = labelled(store, column, ids)
        values = np.full(len(ids), np.nan)
        values[np.searchsorted(ids, there)] = has
        found[name] = values
    return found
