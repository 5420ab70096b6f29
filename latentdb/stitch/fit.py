"""Fit a map between two spaces in one pass, and score it on items that did not shape it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, final, get_args

import numpy as np
from numpy.typing import ArrayLike

from indexers.errors import DimensionError, ParameterError
from latentdb.arrays import FloatArray, RealArray, as_ids, as_matrix
from latentdb.artefacts import FittedOn, SpaceRef
from latentdb.errors import NotEnoughDataError
from latentdb.held_out import hash_ids
from latentdb.space import Space
from latentdb.stitch.base import MAX_VALIDATION, AbstractStitcher
from latentdb.stitch.cca import CcaStitcher
from latentdb.stitch.evaluate import MIN_HELD_OUT, MapScores, permuted_null, score_predictions
from latentdb.stitch.linear_map import LinearMap
from latentdb.stitch.procrustes import ProcrustesStitcher
from latentdb.stitch.reduced_rank import ReducedRankStitcher
from latentdb.stitch.ridge import RidgeStitcher
from latentdb.stitch.selection import Pairs
from latentdb.stitch.split import SplitMoments

MapMethod = Literal["ridge", "reduced_rank", "procrustes", "cca"]
Batch = tuple[ArrayLike, ArrayLike, ArrayLike]

_BATCH_ROWS = 8192
_STITCHERS: Mapping[MapMethod, Callable[[int], AbstractStitcher]] = {
    "ridge": lambda seed: RidgeStitcher(seed=seed),
    "reduced_rank": lambda seed: ReducedRankStitcher(seed=seed),
    "procrustes": lambda seed: ProcrustesStitcher(seed=seed),
    "cca": lambda seed: CcaStitcher(seed=seed),
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
        Maps fitted on unrelated pairs for the null; 0 leaves it out.
    n_resamples : int
        For the 95 % intervals.
    """

    held_out: float = 0.2
    max_held_out: int = 2000
    n_permutations: int = 19
    n_resamples: int = 500

    def counts(self, n: int) -> tuple[int, int]:
        """How many of `n` items are held out, and how many of the others choose strengths.

        Raises
        ------
        ParameterError
            `held_out` is no share.
        NotEnoughDataError
            Fewer than 11 would be held out.
        """
        if not 0.0 < self.held_out < 1.0:
            raise ParameterError(f"the share held out lies between 0 and 1, got {self.held_out}")
        n_held_out = round(min(self.held_out, self.max_held_out / max(n, 1)) * n)
        if n_held_out < MIN_HELD_OUT:
            raise NotEnoughDataError(
                f"a map needs {MIN_HELD_OUT} held-out items to be scored, and {n} items with "
                f"a vector in both spaces leave {n_held_out}: ingest more"
            )
        return n_held_out, min(round(0.2 * (n - n_held_out)), MAX_VALIDATION)

    @property
    def n_kept(self) -> int:
        """Rows that a stream must keep for any number of items."""
        return self.max_held_out + MAX_VALIDATION


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

    The split is by item and depends on ids and seed alone. Strengths are chosen on a validation
    part of the training items. The map that is kept is the one that was scored: it is not
    refitted on the held-out items, so that its scores stay true of it, and of chains it is part
    of.

    Parameters
    ----------
    X : (n, source_dim)
    Y : (n, target_dim)
        Row i is the same item as row i of X. Neither is modified.
    spaces : (Space, Space)
        Source and target.
    ids : (n,)
        Items' ids, distinct.
    method : "ridge", "reduced_rank", "procrustes" or "cca"
        How it is fitted.
    seed : int
        Of the split, the null and the resampling.
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
    source, target = spaces
    X = as_matrix(X, name=f"vectors of {source.name}", dim=source.dim)
    Y = as_matrix(Y, name=f"vectors of {target.name}", dim=target.dim)
    if len(X) != len(Y):
        raise DimensionError(f"{len(X)} vectors of {source.name}, {len(Y)} of {target.name}: pair")
    items = as_ids(ids, n=len(X))
    starts = range(0, len(items), _BATCH_ROWS)
    parts = (slice(start, start + _BATCH_ROWS) for start in starts)
    batches = ((items[part], X[part], Y[part]) for part in parts)
    return fit_map_stream(batches, spaces=spaces, method=method, seed=seed, options=options)


def fit_map_stream(
    batches: Iterable[Batch],
    *,
    spaces: tuple[Space, Space],
    method: MapMethod = "ridge",
    seed: int = 0,
    options: MapOptions = _DEFAULTS,
) -> LinearMap:
    """`fit_map` in one pass over batches (ids, X, Y), in memory that does not grow with them.

    The order and size of the batches do not matter but for rounding.
    """
    stream = new_stream(spaces, method=method, seed=seed, options=options)
    for ids, X, Y in batches:
        stream.update(ids, X, Y)
    return fit_from_stream(stream, spaces=spaces, method=method, options=options)


def new_stream(
    spaces: tuple[Space, Space],
    *,
    method: MapMethod = "ridge",
    seed: int = 0,
    options: MapOptions = _DEFAULTS,
) -> SplitMoments:
    """An empty stream for maps of `method`; ParameterError when there is no such method."""
    if method not in _STITCHERS:
        raise ParameterError(f"unknown method {method!r}: one of {', '.join(get_args(MapMethod))}")
    return SplitMoments(
        spaces[0].dim,
        spaces[1].dim,
        seed=seed,
        n_kept=options.n_kept,
        with_target_gram=_STITCHERS[method](seed).needs_target_gram,
    )


def fit_from_stream(
    stream: SplitMoments,
    *,
    spaces: tuple[Space, Space],
    method: MapMethod = "ridge",
    options: MapOptions = _DEFAULTS,
) -> LinearMap:
    """The map that the pairs seen so far give; the stream goes on afterwards as before.

    Raises
    ------
    NotEnoughDataError, DuplicateIdError
        Too few items, or one of them twice.
    """
    seed = stream.seed
    split = stream.split(*options.counts(stream.n))
    stitcher = _STITCHERS[method](seed).fit_moments(split.train, split.validation)
    n_held_out = len(split.held_out)
    return LinearMap(
        source_ref=SpaceRef.of(spaces[0]),
        target_ref=SpaceRef.of(spaces[1]),
        weight=stitcher.coef_.astype(np.float32),
        source_mean=stitcher.source_mean_,
        target_mean=stitcher.target_mean_,
        method=method,
        regularisation=stitcher.regularisation_,
        rank=stitcher.rank_,
        target_norm=stitcher.target_norm_,
        target_spread=stitcher.target_spread_,
        scores=_scores(stitcher, split.held_out, split.validation.Y, seed=seed, options=options),
        fitted_on=FittedOn(len(split.ids) - n_held_out, n_held_out, hash_ids(split.ids), seed),
    )


def _scores(
    stitcher: AbstractStitcher,
    held_out: Pairs,
    sample: RealArray,
    *,
    seed: int,
    options: MapOptions,
) -> MapScores:
    """Scores of a stitcher on held-out pairs, beside those of its null.

    Maps on permuted pairs would need all rows once more for each permutation. Permuting the
    pairing leaves XᵀX and YᵀY as they are and makes XᵀY a nearly Gaussian matrix whose
    covariance is their Kronecker product over n (the combinatorial central limit theorem), so
    that it is drawn instead: `sample`, training targets in a shuffled order, is paired with
    sources drawn from N(0, XᵀX). That needs no row but those of the sample.

    References
    ----------
    Hoeffding, "A combinatorial central limit theorem", Annals of Mathematical Statistics 1951.
    """
    scores = score_predictions(
        stitcher.predict(held_out.X),
        held_out.Y,
        mean=stitcher.target_mean_,
        spread=stitcher.target_spread_,
        seed=seed,
        n_resamples=options.n_resamples,
    )
    if not options.n_permutations:
        return scores
    rng = np.random.default_rng(seed)
    targets = sample.astype(np.float64)
    targets += stitcher.target_mean_ - targets.mean(axis=0)

    def unrelated(shuffled: FloatArray) -> FloatArray:
        drawn = stitcher.null_sources(len(shuffled), rng=rng)
        centred = (shuffled - stitcher.target_mean_) / np.sqrt(len(shuffled))
        return stitcher.with_cross_moment(drawn.T @ centred).predict(held_out.X)

    null = permuted_null(
        unrelated,
        targets,
        held_out.Y.astype(np.float64),
        seed=seed,
        n_permutations=options.n_permutations,
    )
    return replace(scores, null=null)
