"""The items in the order of how much they have of an attribute, or of how typical they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from indexers.types import IdArray
from latentdb.catalog import Catalog
from latentdb.energy.columns import row_energies
from latentdb.errors import QueryError
from latentdb.filters import filter_ids
from latentdb.hits import hits_of
from latentdb.succession.routing import active
from latentdb.types import Answer

_SCAN_ROWS = 8192


def run_rank(
    catalog: Catalog,
    name: str,
    *,
    space: str | None = None,
    where: str | None = None,
    k: int = 10,
    descending: bool = True,
) -> Answer:
    """Items by their signed distance to a direction's boundary, the most so first.

    Parameters
    ----------
    catalog : Catalog
    name, space : str
        A fitted direction; its space is needed only when it was fitted in several.
    where, k, descending
        SQL condition on labels and quality; how many, at least 1; False puts the least so first.

    Returns
    -------
    Answer
        With metric "direction"; `distance` is minus the signed distance to the boundary in
        standard deviations (plus it when `descending` is false), so lower still comes first.

    Raises
    ------
    UnknownDirectionError, QueryError, FilterError, SpaceMismatchError
        See `Catalog.direction`; the condition cannot be understood; the direction was fitted on
        other vectors than the space holds now.
    """
    _require_count(k)
    store = catalog.store
    direction = catalog.direction(
        name, None if space is None else active(catalog.migrations, space, store)
    )
    home = store.space(direction.space)
    direction.require_space(home)
    # A crash may leave vectors without an item: only items can be hits.
    allowed = store.item_ids() if where is None else filter_ids(store, where, home.name)
    ids = np.empty(0, dtype=np.int64)
    order = np.empty(0)
    for rows in store.iter_vectors(home.name, _SCAN_ROWS):
        score = direction.project(rows.vectors)
        ids = np.concatenate([ids, rows.ids])
        order = np.concatenate([order, -score if descending else score])
        keep = np.isin(ids, allowed)
        ids, order = _foremost(ids[keep], order[keep], k)
    asked = {"kind": "rank", "value": direction.name, "k": k, "descending": descending}
    if where is not None:
        asked["where"] = where
    return Answer(home.name, "direction", True, asked, hits_of(store, ids, order))


def run_rank_by_energy(
    catalog: Catalog,
    space: str,
    *,
    where: str | None = None,
    k: int = 10,
    descending: bool = True,
) -> Answer:
    """Items by their marginal energy among all others of a space, the least typical first.

    Parameters
    ----------
    catalog : Catalog
    space : str
    where, k, descending
        SQL condition on labels and quality; how many, at least 1; False puts the lowest energy,
        the most typical, first.

    Returns
    -------
    Answer
        With metric "energy"; `distance` is minus the energy in nats per dimension (plus it when
        `descending` is false), so lower still comes first.

    Raises
    ------
    UnknownSpaceError, QueryError, FilterError, NotEnoughDataError
        See `latentdb.energy.columns.row_energies` for the last.
    """
    _require_count(k)
    store = catalog.store
    home = store.space(active(catalog.migrations, space, store))
    found = row_energies(store, home)
    order = -found.energy if descending else found.energy
    ids = found.ids
    if where is not None:
        keep = np.isin(ids, filter_ids(store, where, home.name))
        ids, order = ids[keep], order[keep]
    ids, order = _foremost(ids, order, k)
    asked = {"kind": "rank", "value": "energy", "k": k, "descending": descending}
    if where is not None:
        asked["where"] = where
    return Answer(home.name, "energy", True, asked, hits_of(store, ids, order))


def _require_count(k: int) -> None:
    if k < 1:
        raise QueryError(f"k is the number of hits, at least 1; got {k}")


def _foremost(
    ids: IdArray, order: NDArray[np.float64], k: int
) -> tuple[IdArray, NDArray[np.float64]]:
    """The `k` rows of least `order`, sorted."""
    first = np.argsort(order, kind="stable")[:k]
    return ids[first], order[first]
