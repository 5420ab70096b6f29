"""Fit a map between two spaces and score it on items that did not shape it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, final, get_args

import numpy as np
from numpy.typing import ArrayLike

from indexers.errors import DimensionError, ParameterError
from latentdb.arrays import BoolArray, FloatArray, IdArray, RealArray, as_ids, as_matrix
from latentdb.artefacts import FittedOn, SpaceRef
from latentdb.errors import NotEnoughDataError
from latentdb.held_out import hash_ids, split_by_item
from latentdb.space import Space
from latentdb.stitch.base import AbstractStitcher
from latentdb.stitch.evaluate import (
    MIN_HELD_OUT,
    MapScores,
    permuted_null,
    score_predictions,
    typical_spread,
)
from latentdb.stitch.linear_map import LinearMap
from latentdb.stitch.ridge import RidgeStitcher

MapMethod = Literal["ridge"]
_STITCHERS: dict[MapMethod, Callable[[int], AbstractStitcher]] = {
    "ridge": lambda seed: RidgeStitcher(seed=seed),
}


@final
@dataclass(frozen=True)
class MapOptions:
    """How a map is scored.

    Parameters
    ----------
    held_out : float
        Share of the items that only score the map.
    max_held_out : int
        At most so many, because recall compares each with all: 2,000 give it a standard error
        of about one point.
    n_permutations : int
        Maps fitted on permuted pairs for the null; 0 leaves it out.
    n_resamples : int
        For the 95 % intervals.
    """

    held_out: float = 0.2
    max_held_out: int = 2000
    n_permutations: int = 19
    n_resamples: int = 500


_DEFAULTS = MapOptions()


def fit_map(
    X: ArrayLike,
    Y: ArrayLike,
    *,
    spaces: tuple[Space, Space],
    ids: ArrayLike,
    method: MapMethod = "ridge",
    seed: int = 0,
    options: MapOptions = _DEFAULTS,
) -> LinearMap:
    """Map from `spaces[0]` to `spaces[1]`, fitted on the training items alone.

    The split is by item and depends on ids and seed alone. λ is chosen on a validation part of
    the training items. The map that is kept is the one that was scored: it is not refitted on
    the held-out items, so that its scores stay true of it, and of chains it is part of.

    Parameters
    ----------
    X : (n, source_dim)
    Y : (n, target_dim)
        Row i is the same item as row i of X. Neither is modified.
    spaces : (Space, Space)
        Source and target.
    ids : (n,)
        Items' ids, distinct.
    method : "ridge"
        How it is fitted.
    seed : int
        Of the split, the validation part, the permutations and the resampling.
    options : MapOptions

    Raises
    ------
    DimensionError, DtypeError, NonFiniteError, DuplicateIdError
        Rows, dimensions or ids do not fit together.
    NotEnoughDataError
        Fewer than 11 items would be held out (55 items, with a fifth held out).
    ParameterError
        No such method.
    """
    if method not in _STITCHERS:
        raise ParameterError(f"unknown method {method!r}: one of {', '.join(get_args(MapMethod))}")
    source, target = spaces
    X = as_matrix(X, name=f"vectors of {source.name}", dim=source.dim)
    Y = as_matrix(Y, name=f"vectors of {target.name}", dim=target.dim)
    if len(X) != len(Y):
        raise DimensionError(f"{len(X)} vectors of {source.name}, {len(Y)} of {target.name}: pair")
    items = as_ids(ids, n=len(X))
    is_test = _held_out(items, seed=seed, options=options)
    n_test = int(is_test.sum())
    targets = Y[~is_test].astype(np.float64)
    stitcher = _STITCHERS[method](seed).fit(X[~is_test], targets)
    return LinearMap(
        source_ref=SpaceRef.of(source),
        target_ref=SpaceRef.of(target),
        weight=stitcher.coef_.astype(np.float32),
        source_mean=stitcher.source_mean_,
        target_mean=stitcher.target_mean_,
        method=method,
        regularisation=stitcher.regularisation_,
        target_norm=float(np.linalg.norm(targets, axis=1).mean()),
        target_spread=typical_spread(targets, stitcher.target_mean_),
        scores=_scores(stitcher, targets, X[is_test], Y[is_test], seed=seed, options=options),
        fitted_on=FittedOn(len(items) - n_test, n_test, hash_ids(items), seed),
    )


def _held_out(items: IdArray, *, seed: int, options: MapOptions) -> BoolArray:
    """Mask of the items that only score the map."""
    fraction = min(options.held_out, options.max_held_out / max(len(items), 1))
    is_test = split_by_item(items, seed=seed, fraction=fraction)
    if is_test.sum() < MIN_HELD_OUT:
        raise NotEnoughDataError(
            f"a map needs {MIN_HELD_OUT} held-out items to be scored, and {len(items)} items with "
            f"a vector in both spaces leave {is_test.sum()}: ingest more"
        )
    return is_test


def _scores(
    stitcher: AbstractStitcher,
    targets: FloatArray,
    sources: RealArray,
    actual: RealArray,
    *,
    seed: int,
    options: MapOptions,
) -> MapScores:
    """Scores of a stitcher fitted to `targets` on held-out pairs, beside those of its null."""
    scores = score_predictions(
        stitcher.predict(sources),
        actual,
        mean=stitcher.target_mean_,
        spread=typical_spread(targets, stitcher.target_mean_),
        seed=seed,
        n_resamples=options.n_resamples,
    )
    if not options.n_permutations:
        return scores
    null = permuted_null(
        lambda shuffled: stitcher.refit(shuffled).predict(sources),
        targets,
        actual.astype(np.float64),
        seed=seed,
        n_permutations=options.n_permutations,
    )
    return replace(scores, null=null)
