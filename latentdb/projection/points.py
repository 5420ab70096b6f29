"""Where the rows of a space lie in a plane: made once, kept, and brought up to date."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Final, TypedDict, Unpack

import numpy as np

from latentdb.arrays import IdArray
from latentdb.artefacts import SpaceRef
from latentdb.catalog import Catalog
from latentdb.errors import ArtefactError, QueryError, UnknownProjectionError
from latentdb.filters import filter_ids
from latentdb.held_out import item_hashes
from latentdb.model import Vectors
from latentdb.progress import Progress, silent
from latentdb.projection.components import Components, Rows, fit_components
from latentdb.projection.kept import KeptProjection, ProjectionShelf
from latentdb.projection.projected import Method, Projection2D
from latentdb.projection.umap_layout import UMAP_COMPONENTS, lay_out, require_umap
from latentdb.space import Space
from latentdb.store import Store
from latentdb.succession.routing import active

_LOG = logging.getLogger(__name__)
_BLOCK_ROWS: Final = 4096
# Rows that come or go turn the axes of most variance by next to nothing; more are fitted anew.
_TOLERATED_CHANGE: Final = 0.1
_UMAP_PASSES: Final = 4
# Of several threads that ask for what is not there yet, one makes it and the others take it.
_MAKING: Final = threading.Lock()


class ProjectOptions(TypedDict, total=False):
    """Keyword form of what `project` takes besides the space."""

    method: Method
    where: str | None
    limit: int | None
    seed: int
    again: bool
    only_kept: bool
    progress: Progress


def project(catalog: Catalog, space: str, **options: Unpack[ProjectOptions]) -> Projection2D:
    """The items of a space as points of a plane, from what is kept where that will do.

    "pca" is made of all rows in seconds; rows that come later are placed by the same axes, until
    they and those that went are a tenth. "umap" takes minutes and is made anew for any new row,
    unless `only_kept` is true.

    Parameters
    ----------
    catalog : Catalog
    space : str
    method : "pca" or "umap"
        "pca" where not given.
    where : str, optional
        SQL condition on labels and quality: which points are given. All rows shape the plane.
    limit : int, optional
        At most so many points, drawn by `seed` so that the same ones come again, and most of
        them after others came.
    seed : int
        Of that draw, and of "umap". 0 by default.
    again : bool
        Make it anew although what is kept would do.
    only_kept : bool
        Never make "umap": take what there is, without the rows that came since.
    progress : callable

    Raises
    ------
    UnknownSpaceError, FilterError, NotEnoughDataError
        No such space; the condition cannot be understood; fewer than two different rows.
    UnknownProjectionError
        `only_kept`, and no "umap" was made of the vectors that are there now.
    QueryError
        "umap" without umap-learn, another method, or a limit below 1.
    """
    method = options.get("method", "pca")
    if method not in ("pca", "umap"):
        raise QueryError(f"a projection is made by pca or umap, not by {method!r}")
    limit = options.get("limit")
    if limit is not None and limit < 1:
        raise QueryError(f"limit is the number of points, at least 1; got {limit}")
    store, seed = catalog.store, options.get("seed", 0)
    home = store.space(active(catalog.migrations, space, store))
    where = options.get("where")
    wanted = store.vector_ids(home.name) if where is None else filter_ids(store, where, home.name)
    kept = _current(store, home, method, options)
    at = np.flatnonzero(np.isin(kept.ids, wanted, assume_unique=True))
    count = len(at)
    if limit is not None and count > limit:
        first = np.argsort(item_hashes(kept.ids[at], seed), kind="stable")[:limit]
        at = at[np.sort(first)]
    explained = None if kept.axes is None else kept.axes.explained
    return Projection2D(
        space=home.name,
        method=method,
        ids=kept.ids[at],
        xy=kept.xy[at],
        explained=None if explained is None else (float(explained[0]), float(explained[1])),
        params=kept.params,
        fingerprint=home.fingerprint,
        count=count,
        n_missing=len(wanted) - count,
        created_at=kept.created_at,
    )


def _current(store: Store, space: Space, method: Method, options: ProjectOptions) -> KeptProjection:
    """A projection of the rows that are there now, or of those of them that it has."""
    if method == "pca":
        with _MAKING:
            found = _found(store, space, method, options)
            kept = None if found is None else _with_later(store, space, found)
            return kept or _made(store, space, _pca(store, space, options))
    kept = _found(store, space, method, options)
    if options.get("only_kept", False):
        if kept is None:
            raise UnknownProjectionError(
                f"no umap of the vectors of space {space.name!r} was made yet: project it with "
                'method="umap", or start that as a job'
            )
        return kept
    new = () if kept is None else np.setdiff1d(store.vector_ids(space.name), kept.ids)
    if kept is None or len(new) or kept.seed != options.get("seed", 0):
        return _made(store, space, _umap(store, space, options))
    return kept


def _found(
    store: Store, space: Space, method: Method, options: ProjectOptions
) -> KeptProjection | None:
    return None if options.get("again", False) else ProjectionShelf(store).find(space, method)


def _with_later(store: Store, space: Space, kept: KeptProjection) -> KeptProjection | None:
    """The same of the rows that are there now; None of too many others."""
    there = store.vector_ids(space.name)
    if np.array_equal(kept.ids, there):
        return kept
    left, new = np.isin(kept.ids, there), np.setdiff1d(there, kept.ids)
    n_changed = int((~left).sum()) + len(new)
    if kept.axes is None or kept.n_changed + n_changed > _TOLERATED_CHANGE * kept.n_fitted:
        return None
    placed = [kept.xy[left]]
    for start in range(0, len(new), _BLOCK_ROWS):
        block = store.vectors(space.name, new[start : start + _BLOCK_ROWS])
        placed.append(kept.axes.transform(block))
    ids = np.concatenate([kept.ids[left], new])
    return _made(store, space, kept.with_rows(ids, np.concatenate(placed), n_changed=n_changed))


def _made(store: Store, space: Space, made: KeptProjection) -> KeptProjection:
    """The projection, written where that is allowed: a database that is only read answers too."""
    shelf = ProjectionShelf(store)
    try:
        shelf.put(made)
    except ArtefactError as error:
        _LOG.warning("the projection is not kept: %s", error)
        return made
    return shelf.find(space, made.method) or made


def _pca(store: Store, space: Space, options: ProjectOptions) -> KeptProjection:
    seed, progress = options.get("seed", 0), options.get("progress", silent)
    axes, ids, xy = _components(store, space, 2, seed=seed, max_passes=12, progress=progress)
    return KeptProjection(SpaceRef.of(space), "pca", ids, xy, len(ids), seed, axes=axes)


def _umap(store: Store, space: Space, options: ProjectOptions) -> KeptProjection:
    require_umap()
    seed, progress = options.get("seed", 0), options.get("progress", silent)
    count = min(UMAP_COMPONENTS, space.dim)
    _, ids, rows = _components(
        store, space, count, seed=seed, max_passes=_UMAP_PASSES, progress=progress
    )
    xy, params = lay_out(rows, seed=seed, progress=progress)
    return KeptProjection(SpaceRef.of(space), "umap", ids, xy, len(ids), seed, params=params)


def _components(
    store: Store, space: Space, count: int, *, seed: int, max_passes: int, progress: Progress
) -> tuple[Components, IdArray, Vectors]:
    """Components of a space, its rows' ids, sorted, and their coordinates."""
    n, done = len(store.vector_ids(space.name)), 0
    at = -1

    def on_rows(more: int, step: int) -> None:
        nonlocal done, at
        done, at = (more, step) if step != at else (done + more, step)
        progress(done, n, "reading vectors" if step == 0 else f"finding the axes, pass {step}")

    def blocks() -> Iterator[Vectors]:
        return (rows.vectors for rows in store.iter_vectors(space.name, _BLOCK_ROWS))

    found = fit_components(
        Rows(n, space.dim, blocks), count, seed=seed, max_passes=max_passes, on_rows=on_rows
    )
    ids, coordinates = [], []
    for rows in store.iter_vectors(space.name, _BLOCK_ROWS):
        ids.append(rows.ids)
        coordinates.append(found.transform(rows.vectors))
    together, points = np.concatenate(ids), np.concatenate(coordinates)
    order = np.argsort(together)
    return found, together[order], points[order]
