"""One point that is like some vectors and unlike others, on the sphere of their directions."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from indexers.checks import check_real
from indexers.errors import DimensionError, ParameterError
from indexers.types import FloatArray
from latentdb.geometry.errors import CutLocusError
from latentdb.geometry.frechet_mean import frechet_mean
from latentdb.geometry.kinds import in_memory
from latentdb.geometry.lines import angle_between
from latentdb.geometry.weights import as_rows

# Unit vectors nearer to one another than this differ by rounding of float32.
_ROUNDING_RAD = 1e-6


def blend(vectors: ArrayLike, weights: ArrayLike) -> FloatArray:
    """Coefficients of the vectors in the point that is like those of positive weight.

    c is the Fréchet mean of the vectors of positive weight (P their sum), n that of the others
    (N the sum of their sizes), φ the angle from c to −n, the opposite of n. The point lies on the
    geodesic that leads from n through c to −n, beyond c by t·φ:

        exp_c(−t·(φ/θ)·log_c n) = [sin((1 − t)φ)·c − sin(tφ)·n] / sin φ,
        t = N / (P + N),    θ = π − φ

    To be unlike a vector is thus to be like its opposite, with the same weight.

    Parameters
    ----------
    vectors : (n, dim)
        Of any non-zero norm, about the centre of the sphere. Not modified.
    weights : (n,)
        Any but 0, at least one of them positive. Their common scale does not matter.

    Returns
    -------
    (n,) float64
        `coefficients @ vectors` is the point; its norm is the weighted mean norm of the vectors of
        positive weight.

    Raises
    ------
    CutLocusError
        The directions of one sign cancel, or c and n are one direction, from which every way
        leads to the opposite.
    ZeroVectorError
        A vector of norm zero has no direction.
    ParameterError, DimensionError, DtypeError, NonFiniteError

    References
    ----------
    Pennec, "Intrinsic statistics on Riemannian manifolds", Journal of Mathematical Imaging and
    Vision 25, 2006 (means, exponential and logarithm on manifolds).
    """
    rows = as_rows(vectors)
    values = check_real(in_memory(weights), what="weights")
    if values.shape != (len(rows),):
        raise DimensionError(
            f"expected one weight for each vector, ({len(rows)},), got {values.shape}"
        )
    is_liked = values > 0
    if not is_liked.any() or not values.all():
        raise ParameterError(
            f"expected weights other than 0, at least one of them positive, got {values.tolist()}"
        )
    towards = _mean_coefficients(rows, is_liked, values)
    liked = values[is_liked]
    norm = float(liked @ np.linalg.norm(rows[is_liked], axis=1)) / float(liked.sum())
    if is_liked.all():
        return norm * towards
    away = _mean_coefficients(rows, ~is_liked, -values)
    angle = angle_between(towards @ rows, -(away @ rows))
    if angle > math.pi - _ROUNDING_RAD:
        raise CutLocusError(
            "what it is to be like and what it is to be unlike are the same direction, so no way "
            "leads from the one that is away from the other; leave one of them out"
        )
    if angle < _ROUNDING_RAD:
        return norm * towards
    share = -values[~is_liked].sum() / np.abs(values).sum()
    beyond = math.sin((1.0 - share) * angle) * towards - math.sin(share * angle) * away
    point: FloatArray = norm * beyond / math.sin(angle)
    return point


def _mean_coefficients(rows: FloatArray, chosen: np.ndarray, weights: FloatArray) -> FloatArray:
    """Coefficients (n,) of the unit vector along the Fréchet mean of the chosen rows."""
    mean = frechet_mean(rows[chosen], weights[chosen])
    coefficients = np.zeros(len(rows))
    # The mean lies in the span of its seeds: the least squares leave nothing.
    found, *_ = np.linalg.lstsq(rows[chosen].T, mean / np.linalg.norm(mean), rcond=None)
    coefficients[chosen] = found
    return coefficients
