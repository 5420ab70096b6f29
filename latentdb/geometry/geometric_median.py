"""The geometric median under the norm-aware metric: NAO's centroid."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from indexers.metric.nao import NaoMetric
from indexers.metric.polar import far_field_or_none
from indexers.metric.priors import AbstractPrior, AbstractRadialPrior, NoPrior
from indexers.types import FloatArray
from latentdb.geometry.descent import Minimum, descend
from latentdb.geometry.distance_sum import DistanceSum
from latentdb.geometry.frechet_mean import mean_unit
from latentdb.geometry.geodesic import geodesic_points
from latentdb.geometry.kinds import Array, like
from latentdb.geometry.span import Span
from latentdb.geometry.weights import as_rows, as_weights

# Up to this many seeds each is tried as the median itself; of more, those likeliest to be it.
_TRIED_SEEDS = 1024
_NEAREST_TRIED = 16
# Shares of the distance to the nearest seed: a first step, and a seed's own neighbourhood.
_FIRST_STEP = 0.01
_BASIN = 0.01
# Sums that differ by less are equal.
_ROUNDING = 1e-14


def geometric_median(
    vectors: Array,
    weights: ArrayLike | None = None,
    *,
    prior: AbstractPrior,
    with_likelihood: bool = False,
) -> Array:
    """Point c of least Σ wᵢ·f(c, xᵢ), f the NAO distance: the NAO centroid.

    Where all seeds are far apart it has the norm r* of the shell and the direction of the
    spherical geometric median. Near seeds are solved by the exact f and its exact gradient, over
    norm and direction, in their span. A seed that weighs more than half is the median, exactly.
    Of two seeds of one weight every point between them is one: the middle of the path is taken.

    F has several local minima where seeds are spread widely. They are looked for from the shell,
    from the mean and from the best seed, and the least found is taken: no seed, and no point near
    the answer, has a smaller sum. (Of more than 1,024 seeds, only the heaviest and those nearest
    the answer are tried as the answer.)

    Parameters
    ----------
    vectors : (n, dim)
        NumPy or torch, floating point. Not modified.
    weights : (n,), optional
        At least 0, not all 0; 1 each by default.
    prior : ChiPrior, FittedPrior or NoPrior
        With `NoPrior` only angles count, and the norm is the weighted mean norm.
    with_likelihood : bool
        Add −log p(‖c‖) to the sum, as the authors' program does. Weights then count as they are,
        not only among themselves.

    Returns
    -------
    (dim,)
        Kind, dtype and device of `vectors`; computed in float64.

    Raises
    ------
    CutLocusError
        The seeds' directions cancel, as two antipodal ones of one weight do: no single median.
    ZeroVectorError
        A vector of norm zero under `NoPrior`.
    DimensionError, DtypeError, NonFiniteError, ParameterError, MetricError

    References
    ----------
    Samuel et al., "Norm-guided latent space exploration for text-to-image generation", NeurIPS
    2023, arXiv 2306.08687.
    Fletcher, Venkatasubramanian, Joshi, "The geometric median on Riemannian manifolds with
    application to robust atlas estimation", NeuroImage 45(1), 2009.
    Vardi and Zhang, "The multivariate L1-median and associated data depth", PNAS 97(4), 2000.
    """
    rows = as_rows(vectors)
    shares = as_weights(weights, len(rows))
    rows, shares = rows[shares > 0], shares[shares > 0]
    # Refuses what the distance refuses, in its words.
    NaoMetric(prior).rows(rows[0], rows)
    if not (with_likelihood and isinstance(prior, AbstractRadialPrior)):
        if 2.0 * shares.max() > shares.sum():
            return like(_with_norm_of(prior, rows[int(shares.argmax())], rows, shares), vectors)
        if len(rows) == 2:
            return like(geodesic_points(rows[0], rows[1], np.array([0.5]), prior)[0], vectors)
    span = Span.of(rows)
    total = DistanceSum(prior, span.coordinates, shares, with_likelihood=with_likelihood)
    median = span.lift(_median(total, prior))
    return like(_with_norm_of(prior, median, rows, shares), vectors)


def _with_norm_of(
    prior: AbstractPrior, point: FloatArray, rows: FloatArray, shares: FloatArray
) -> FloatArray:
    """`point`; without a prior only its direction, at the weighted mean norm."""
    if isinstance(prior, AbstractRadialPrior):
        return point
    norm = float(shares @ np.linalg.norm(rows, axis=1)) / float(shares.sum())
    scaled: FloatArray = point * (norm / float(np.linalg.norm(point)))
    return scaled


def _median(total: DistanceSum, prior: AbstractPrior) -> FloatArray:
    """Where the sum is least."""
    has_side = total.norms > 0
    if not has_side.any():
        return np.zeros(total.seeds.shape[1])
    units, shares = total.units[has_side], total.weights[has_side]
    angles_alone = DistanceSum(NoPrior(), units, shares)
    middle = mean_unit(units, shares)
    direction = _least(angles_alone, [middle]).point
    direction = direction / float(np.linalg.norm(direction))
    if not isinstance(prior, AbstractRadialPrior):
        return direction
    mean_norm = float(total.weights @ total.norms) / float(total.weights.sum())
    far = far_field_or_none(prior)
    # The median itself where every seed is far from it.
    on_shell = (mean_norm if far is None else far.shell.radius) * direction
    best = _least(total, [on_shell, mean_norm * middle])
    at_home = total(on_shell)[0]
    return on_shell if at_home <= best.value * (1.0 + _ROUNDING) else best.point


def _least(total: DistanceSum, starts: list[FloatArray]) -> Minimum:
    """The least of the minima reached from the starts and from the best seed.

    A start that is a minimum itself ends the search of the others.
    """
    number, at_seed = _best_seed(total, starts[0])
    holds, others = total.holds_at_seed(number)
    until = _in_basin_of(total, number) if holds else None
    found = [at_seed]
    for start in starts:
        scale = _FIRST_STEP * _distance_to_next(total, start)
        found.append(descend(total, start, scale=scale, until=until))
        if found[-1].point is start:
            break
    best = min(found, key=lambda minimum: minimum.value)
    if best is at_seed and not holds:
        step = _FIRST_STEP * _distance_to_next(total, at_seed.point)
        beside = at_seed.point - (step / float(np.linalg.norm(others))) * others
        best = min(at_seed, descend(total, beside, scale=step), key=lambda minimum: minimum.value)
    return best


def _distance_to_next(total: DistanceSum, point: FloatArray) -> float:
    """Distance from a point to the nearest seed elsewhere."""
    apart = np.linalg.norm(total.seeds - point, axis=1)
    return float(apart[apart > 0].min(initial=float(np.linalg.norm(point)) or 1.0))


def _best_seed(total: DistanceSum, guess: FloatArray) -> tuple[int, Minimum]:
    """The seed at which the sum is least; of very many, of those near `guess` and the heaviest."""
    tried = np.arange(len(total.weights))
    if len(tried) > _TRIED_SEEDS:
        near = np.argpartition(total.units @ guess, -_NEAREST_TRIED)[-_NEAREST_TRIED:]
        tried = np.append(near, total.weights.argmax())
    values = total.at_seeds(tried)
    number = int(tried[values.argmin()])
    return number, Minimum(total.seeds[number], float(values.min()))


def _in_basin_of(total: DistanceSum, number: int) -> Callable[[FloatArray], bool]:
    """Whether a point is so near a seed, for which the sum is a local minimum, that it ends there.

    Near means a share of the distance to the next seed: within it the others pull evenly.
    """
    home = total.seeds[number]
    radius = _BASIN * _distance_to_next(total, home)
    return lambda point: float(np.linalg.norm(point - home)) < radius
