"""Fit a shared space to a store, fill it with vectors, and say which maps lead into it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import reduce
from typing import TypedDict, Unpack

import numpy as np

from indexers.errors import DuplicateIdError
from latentdb.arrays import FloatArray, IdArray, RealArray
from latentdb.artefact_shelf import ArtefactShelf
from latentdb.artefacts import FittedOn, SpaceRef
from latentdb.errors import QueryError, SpaceExistsError
from latentdb.held_out import hash_ids
from latentdb.model import Vectors
from latentdb.shared_space import SharedSpace
from latentdb.stitch.evaluate import MapScores, permuted_null, score_predictions, typical_spread
from latentdb.stitch.fit import MapOptions
from latentdb.stitch.from_store import BATCH_ROWS
from latentdb.stitch.gcca import Gcca, new_view_stream, stacked, views_of
from latentdb.stitch.linear_map import LinearMap
from latentdb.stitch.ridge import RidgeStitcher
from latentdb.store import Store
from latentdb.types import SpaceRows

_OPTIONS = MapOptions()


class FitOptions(TypedDict, total=False):
    """Keyword form of what `fit_shared` takes besides its members."""

    name: str
    dim: int | None
    seed: int


class ShareOptions(FitOptions, total=False):
    """Keyword form of what `share_spaces` takes besides its members."""

    force: bool


def shared_shelf(store: Store) -> ArtefactShelf[SharedSpace]:
    """The shared spaces that a database keeps."""
    return ArtefactShelf(store, "shared", SharedSpace.load)


def share_spaces(
    store: Store, members: Sequence[str], *, force: bool = False, **options: Unpack[FitOptions]
) -> tuple[SharedSpace, list[LinearMap]]:
    """Fit what `members` share, keep it as a space, and store every item's vector in it.

    It is fitted on the items that have a vector in all members; every item with one in any of
    them gets the mean of its projections.

    Parameters
    ----------
    store : Store
    members, options
        See `fit_shared`, for what is returned as well.
    force : bool
        Keep it though a member finds the others no better than its null.

    Raises
    ------
    SpaceExistsError
        There is a space of that name already.
    WorthlessMapError
        A member shares nothing with the others; nothing is stored.
    UnknownSpaceError, QueryError, DuplicateIdError, NotEnoughDataError
        As `fit_shared`.
    """
    name = options.get("name", "shared")
    if name in store.spaces():
        raise SpaceExistsError(
            f"there is a space {name!r} already: give the new one another --name"
        )
    shared, maps = fit_shared(store, members, **options)
    if not force:
        for one in maps:
            one.scores.require_beats_null(f"{one.source} → {name}")
    store.add_space(shared.space)
    shared_shelf(store).put(name, shared)
    fill_shared(store)
    return shared, maps


def fit_shared(
    store: Store,
    members: Sequence[str],
    *,
    name: str = "shared",
    dim: int | None = None,
    seed: int = 0,
) -> tuple[SharedSpace, list[LinearMap]]:
    """What `members` share, from one pass over the items that have a vector in all of them.

    Parameters
    ----------
    store : Store
        Only read.
    members : sequence of str
        Two or more spaces.
    name : str
        Of the new space.
    dim : int, optional
        Its dimension; see `Gcca`.
    seed : int
        Of the split and the null.

    Returns
    -------
    SharedSpace
    list of LinearMap
        From every member to it. Each is scored on held-out items against the mean of the *other*
        members' projections, so that no vector is found by itself.

    Raises
    ------
    UnknownSpaceError, QueryError, DuplicateIdError
        The members are not two or more different spaces of the store.
    NotEnoughDataError
        Too few items have vectors in all of them.
    """
    if len(members) < 2:
        raise QueryError("a shared space is that of two or more: give --space A --space B ...")
    if len(set(members)) < len(members):
        raise DuplicateIdError(f"a space is given twice: {', '.join(members)}")
    spaces = [store.space(member) for member in members]
    dims = [space.dim for space in spaces]
    stream = new_view_stream(dims, seed=seed, n_kept=_OPTIONS.n_kept)
    for ids, views in _common_batches(store, members):
        stream.update(ids, *stacked(views))
    split = stream.split(*_OPTIONS.counts(stream.n))
    validation = views_of(split.validation.X, split.validation.Y, dims)
    held_out = views_of(split.held_out.X, split.held_out.Y, dims)
    fitted = Gcca(dim, seed=seed).fit_moments(split.train, dims, validation=validation)
    n_held_out = len(split.held_out)
    shared = SharedSpace(
        name=name,
        members=[SpaceRef.of(space) for space in spaces],
        weights=[weight.astype(np.float32) for weight in fitted.weights_],
        means=fitted.means_,
        eigenvalues=fitted.eigenvalues_,
        relative=fitted.relative_,
        scores={},
        fitted_on=FittedOn(stream.n - n_held_out, n_held_out, hash_ids(split.ids), seed),
    )
    maps = [_map_of(shared, i, validation, held_out) for i in range(len(members))]
    return replace(shared, scores={one.source: one.scores.to_json() for one in maps}), maps


def fill_shared(store: Store) -> int:
    """Give items that have none yet their vector in every shared space; how many were written.

    A vector is made once, of the views that the item has then.
    """
    shelf, written = shared_shelf(store), 0
    for name in shelf.names():
        if name not in store.spaces():
            continue
        shared = shelf.get(name)
        present = {ref.name: store.vector_ids(ref.name) for ref in shared.members}
        anywhere = reduce(np.union1d, present.values())
        for ids in _chunks(np.setdiff1d(anywhere, store.vector_ids(name), assume_unique=True)):
            rows = SpaceRows(ids, _mean_projection(store, shared, ids))
            store.write_batch(items=[], sources=[], vectors={name: rows}, quarantine=[])
            written += len(ids)
    return written


def _mean_projection(store: Store, shared: SharedSpace, ids: IdArray) -> Vectors:
    """Mean (n, dim) float32 of the projections of the views that each of `ids` has."""
    total = np.zeros((len(ids), shared.dim))
    count = np.zeros(len(ids))
    for ref in shared.members:
        has = np.isin(ids, store.vector_ids(ref.name))
        if has.any():
            total[has] += shared.project(ref.name, store.vectors(ref.name, ids[has]))
            count[has] += 1
    mean: Vectors = (total / count[:, None]).astype(np.float32)
    return mean


def _common_batches(
    store: Store, members: Sequence[str]
) -> Iterator[tuple[IdArray, list[RealArray]]]:
    """Items with a vector in all members, batch by batch, with their vectors in each."""
    common = reduce(np.intersect1d, [store.vector_ids(member) for member in members])
    for rows in store.iter_vectors(members[0], BATCH_ROWS):
        is_common = np.isin(rows.ids, common)
        ids = rows.ids[is_common]
        if len(ids):
            others = [store.vectors(member, ids) for member in members[1:]]
            yield ids, [rows.vectors[is_common], *others]


def _map_of(
    shared: SharedSpace, at: int, validation: Sequence[RealArray], held_out: Sequence[RealArray]
) -> LinearMap:
    """The projection of member `at` as a map, scored against the other members' mean."""
    member = shared.members[at]
    everyone = _means(shared, validation)
    spread = typical_spread(everyone, np.zeros(shared.dim))
    return LinearMap(
        source_ref=member,
        target_ref=SpaceRef.of(shared.space),
        weight=shared.weights[at],
        source_mean=shared.means[at],
        target_mean=np.zeros(shared.dim),
        method="gcca",
        regularisation=shared.relative,
        target_norm=spread,
        target_spread=spread,
        scores=_scores(shared, at, validation, held_out),
        fitted_on=shared.fitted_on,
        rank=shared.dim,
    )


def _scores(
    shared: SharedSpace, at: int, validation: Sequence[RealArray], held_out: Sequence[RealArray]
) -> MapScores:
    """Scores of member `at`, and of ridge maps from it to the validation rows' shuffled others."""
    seed, mean = shared.fitted_on.seed, np.zeros(shared.dim)
    X, targets = validation[at], _means(shared, validation, without=at)
    actual = _means(shared, held_out, without=at)
    scores = score_predictions(
        shared.project(shared.members[at].name, held_out[at]),
        actual,
        mean=mean,
        spread=typical_spread(targets, mean),
        seed=seed,
        n_resamples=_OPTIONS.n_resamples,
    )
    exact = X.astype(np.float64)
    centred = exact - exact.mean(axis=0)
    ridge = RidgeStitcher([shared.relative * float((centred**2).sum()) / X.shape[1]])
    ridge.fit(exact, targets)

    def unrelated(shuffled: FloatArray) -> FloatArray:
        return ridge.with_cross_moment(centred.T @ shuffled).predict(held_out[at])

    null = permuted_null(
        unrelated, targets, actual, seed=seed, n_permutations=_OPTIONS.n_permutations
    )
    return replace(scores, null=null)


def _means(
    shared: SharedSpace, views: Sequence[RealArray], *, without: int | None = None
) -> FloatArray:
    """Mean projection (n, dim) of all views, or of all but one."""
    projected = [
        shared.project(ref.name, rows)
        for i, (ref, rows) in enumerate(zip(shared.members, views, strict=True))
        if i != without
    ]
    mean: FloatArray = np.mean(projected, axis=0)
    return mean


def _chunks(ids: IdArray) -> Iterator[IdArray]:
    for start in range(0, len(ids), BATCH_ROWS):
        yield ids[start : start + BATCH_ROWS]
