"""Fit the law of a chain's residuals by streaming over the stored pairs.

The covariance's leading eigenvectors come from a randomised range finder with power iterations
(Halko, Martinsson and Tropp, "Finding structure with randomness", SIAM Review 2011, algorithm
4.4), each product with the covariance being one pass over the pairs: memory is that of one batch
and of rank × dim.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import final

import numpy as np

from indexers.errors import ParameterError
from latentdb.arrays import FloatArray, IdArray, RealArray
from latentdb.artefacts import FittedOn
from latentdb.errors import NotEnoughDataError
from latentdb.held_out import hash_ids, split_by_item
from latentdb.imagine.law import (
    ResidualLaw,
    ResidualScores,
    conditional_mean,
    mahalanobis,
    map_hash,
)
from latentdb.stitch.chain import MapChain

Batches = Callable[[], Iterable[tuple[IdArray, RealArray, RealArray]]]

_MIN_ROWS = 20
# What so many pairs hold out of a single map.
_MIN_HELD_OUT = 4
_OVERSAMPLING = 10
_POWER_ITERATIONS = 2
_BALANCING_STEPS = 20
# Of the mean variance: a coordinate that the axes explain whole keeps a little of its own.
_LEAST_DIAGONAL = 1e-6


@final
@dataclass(frozen=True)
class LawOptions:
    """How a residual law is fitted.

    Parameters
    ----------
    max_rank : int
        Most axes; ranks tried are this, its half, quarter and so on, and 0.
    seed : int
        Of the range finder.
    """

    max_rank: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        if self.max_rank < 0:
            raise ParameterError(f"max_rank is at least 0, got {self.max_rank}")

    def ranks(self, dim: int, n: int) -> tuple[int, ...]:
        """Ranks tried for `n` residuals of dimension `dim`, ascending."""
        largest = min(self.max_rank, dim - 1, n - 1)
        tried = {0}
        while largest > 0:
            tried.add(largest)
            largest //= 2
        return tuple(sorted(tried))


_DEFAULTS = LawOptions()


@final
@dataclass(frozen=True, eq=False)
class _Shape:
    """Leading axes (rank, dim), variances (rank,) along them and of coordinates (dim,)."""

    axes: FloatArray
    along: FloatArray
    coordinates: FloatArray

    def split(self, rank: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Axes, their variances Λ and the diagonal D of the law of this rank.

        Λ and D are those under which the variance along every axis u, Λ + uᵀDu, and that of every
        coordinate are the residuals' own: a fixed point, which a few steps reach.
        """
        axes, least = self.axes[:rank], _LEAST_DIAGONAL * self.coordinates.mean()
        squared, variances = axes**2, self.along[:rank]
        for _ in range(_BALANCING_STEPS):
            diagonal = np.maximum(self.coordinates - variances @ squared, least)
            variances = np.maximum(self.along[:rank] - squared @ diagonal, least)
        return axes, variances, np.maximum(self.coordinates - variances @ squared, least)


def fit_residual_law(
    batches: Batches, chain: MapChain, *, options: LawOptions = _DEFAULTS
) -> ResidualLaw:
    """The law of y − chain(x) over stored pairs.

    Axes are fitted on the items that the maps were fitted on, and the law's size and rank chosen
    on those that no map was. A ridge shrinks all residuals it was fitted on by one factor, since
    it smooths every coordinate by the same matrix, and the scale that the held-out ones give
    undoes that; the rank is the one under which they are likeliest.

    The law of a chain is of its own residuals, from one end to the other. That of its last map
    alone would leave out what the maps before it lost, which the last one spreads over its target.

    Parameters
    ----------
    batches : callable
        Gives an iterable of (ids (m,), X (m, source_dim), Y (m, target_dim)), the same pairs at
        each call; it is called a few times.
    chain : MapChain
        One map, or several.
    options : LawOptions

    Raises
    ------
    NotEnoughDataError
        Fewer than 20 pairs, or fewer than 4 of them held out, or no residual at all.
    """
    ids = np.concatenate([np.empty(0, np.int64), *(ids for ids, _, _ in batches())])
    if len(ids) < _MIN_ROWS:
        raise NotEnoughDataError(
            f"a residual law is fitted on at least {_MIN_ROWS} pairs, got {len(ids)}: ingest more"
        )
    held_out = _held_out_of(chain, ids)

    def residuals(*, is_held_out: bool) -> Iterator[FloatArray]:
        for items, X, Y in batches():
            of_part = np.isin(items, held_out) == is_held_out
            if of_part.any():
                predicted = conditional_mean(chain, X[of_part].astype(np.float64))
                yield Y[of_part].astype(np.float64) - predicted

    n_train = len(ids) - len(held_out)
    dim = chain.maps[-1].target_ref.dim
    ranks = options.ranks(dim, n_train)
    shape = _shape(lambda: residuals(is_held_out=False), (n_train, dim), ranks[-1], options)
    scores = _scores(shape, residuals(is_held_out=True), ranks)
    best = ranks[int(np.argmax(scores.log_likelihoods))]
    axes, variances, diagonal = shape.split(best)
    return ResidualLaw(
        source_ref=chain.maps[0].source_ref,
        target_ref=chain.maps[-1].target_ref,
        map_hash=map_hash(chain),
        axes=axes.astype(np.float32),
        variances=scores.inflation * variances,
        diagonal=scores.inflation * diagonal,
        fitted_on=FittedOn(n_train, len(held_out), hash_ids(ids), options.seed),
        scores=scores,
    )


def _held_out_of(chain: MapChain, ids: IdArray) -> IdArray:
    """Those of `ids` that shaped no map, sorted: the maps' own splits, by their seeds and shares.

    Items that came since join either side. Maps of one seed hold out the same items.
    """
    is_held_out = np.ones(len(ids), dtype=np.bool_)
    for one in chain.maps:
        facts = one.fitted_on
        share = facts.n_held_out / (facts.n_held_out + facts.n_train)
        is_held_out &= split_by_item(ids, seed=facts.seed, fraction=share)
    if is_held_out.sum() < _MIN_HELD_OUT:
        raise NotEnoughDataError(
            f"{is_held_out.sum()} of {len(ids)} pairs were held out by every map of the chain "
            f"{' → '.join(chain.names)}, expected at least {_MIN_HELD_OUT}: fit its maps with one "
            "--seed"
        )
    held_out: IdArray = np.sort(ids[is_held_out])
    return held_out


def _shape(
    residuals: Callable[[], Iterable[FloatArray]],
    size: tuple[int, int],
    rank: int,
    options: LawOptions,
) -> _Shape:
    """Leading eigenvectors of the covariance of `size` residuals, read a few times."""
    n, dim = size
    width = min(rank + _OVERSAMPLING, dim) if rank else 0
    rng = np.random.default_rng(options.seed)
    basis = np.linalg.qr(rng.standard_normal((dim, width)))[0]
    for _ in range(_POWER_ITERATIONS if width else 0):
        product = np.zeros_like(basis)
        for rows in residuals():
            product += rows.T @ (rows @ basis)
        basis = np.linalg.qr(product)[0]
    squares, inner = np.zeros(dim), np.zeros((width, width))
    for rows in residuals():
        squares += (rows**2).sum(axis=0)
        projected = rows @ basis
        inner += projected.T @ projected
    if not squares.any():
        raise NotEnoughDataError("the maps predict every pair exactly: there is no residual")
    along, turned = np.linalg.eigh(inner / n)
    order = np.argsort(along)[::-1][:rank]
    axes = (basis @ turned[:, order]).T
    # Directions without variance, of pairs that lie in fewer dimensions than asked, are no axes.
    is_real = along[order] > _LEAST_DIAGONAL * squares.mean() / n
    return _Shape(axes[is_real], along[order][is_real], squares / n)


def _scores(
    shape: _Shape, residuals: Iterable[FloatArray], ranks: tuple[int, ...]
) -> ResidualScores:
    """Scale and likelihood of each rank on held-out residuals, in one pass over them."""
    dim = len(shape.coordinates)
    tried = tuple(dict.fromkeys(min(rank, len(shape.along)) for rank in ranks))
    laws = [shape.split(rank) for rank in tried]
    n, square, sums, determinants = 0, 0.0, np.zeros(len(laws)), np.zeros(len(laws))
    for rows in residuals:
        n += len(rows)
        square += float((rows**2).sum())
        for i, law in enumerate(laws):
            distances, determinants[i] = mahalanobis(rows, *law)
            sums[i] += distances.sum()
    trace = float(shape.coordinates.sum())
    inflation = square / n / trace
    scaled = dim * np.log(2 * np.pi * inflation)
    values = -0.5 * (scaled + determinants + sums / n / inflation) / dim
    return ResidualScores(
        n_held_out=n,
        inflation=inflation,
        ranks=tried,
        log_likelihoods=tuple(float(value) for value in values),
        isotropic=float(-0.5 * (np.log(2 * np.pi * inflation * trace / dim) + 1.0)),
    )
