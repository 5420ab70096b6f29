"""The Fréchet (Karcher) mean on the sphere of directions: least squared angles."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from indexers.metric.angles import angle_matrix, unit_rows
from indexers.types import FloatArray
from latentdb.geometry.descent import descend
from latentdb.geometry.errors import CutLocusError
from latentdb.geometry.kinds import Array, like
from latentdb.geometry.span import Span
from latentdb.geometry.weights import as_rows, as_weights

# A weighted mean of unit vectors shorter than this is rounding of float32, not a direction.
_CANCELLED = 1e-6
_FIRST_STEP = 0.1


def frechet_mean(vectors: Array, weights: ArrayLike | None = None) -> Array:
    """Direction of least Σ wᵢθᵢ², θᵢ the angle to each vector; norm the weighted mean norm.

    The minimum is the one reached from the direction of the mean unit vector: the only one where
    all seeds lie within 90° of some point, as a few seeds of noise do.

    Parameters
    ----------
    vectors : (n, dim)
        Of any non-zero norm. NumPy or torch, floating point. Not modified.
    weights : (n,), optional
        At least 0, not all 0; 1 each by default.

    Returns
    -------
    (dim,)
        Kind, dtype and device of `vectors`.

    Raises
    ------
    CutLocusError
        The unit vectors cancel, as two antipodal ones do: no single mean.
    ZeroVectorError
        A vector of norm zero has no direction.
    DimensionError, DtypeError, NonFiniteError, ParameterError

    References
    ----------
    Buss and Fillmore, "Spherical averages and applications to spherical splines and
    interpolation", ACM Transactions on Graphics 20(2), 2001.
    """
    rows = as_rows(vectors)
    shares = as_weights(weights, len(rows))
    rows, shares = rows[shares > 0], shares[shares > 0] / shares.sum()
    units, norms = unit_rows(rows, what="vectors", allow_zero=False)
    direction = _mean_direction(units, shares)
    return like(float(shares @ norms) * direction, vectors)


def mean_unit(units: FloatArray, shares: FloatArray) -> FloatArray:
    """Direction of the weighted mean of unit vectors (n, dim).

    Raises
    ------
    CutLocusError
        The mean is zero, up to the rounding of float32.
    """
    mean = shares @ units
    length = float(np.linalg.norm(mean))
    if length < _CANCELLED * float(shares.sum()):
        raise CutLocusError(
            "expected vectors whose directions have a middle, got ones that cancel (antipodal "
            "seeds, or seeds all around); leave one out, or weigh them differently"
        )
    return mean / length


def _mean_direction(units: FloatArray, shares: FloatArray) -> FloatArray:
    """Unit vector (dim,) of least Σ wᵢθᵢ²."""
    span = Span.of(units)
    seeds = span.coordinates

    def half_squares(point: FloatArray) -> tuple[float, FloatArray]:
        """½Σ wᵢθᵢ² at the direction of `point`, and its gradient: −Σ wᵢθᵢ·tᵢ/|point|."""
        length = float(np.linalg.norm(point))
        here = point / length
        angles = angle_matrix(here[None, :], seeds)[0]
        sines = np.sin(angles)
        # θ/sin θ is 1 at 0; at π the tangent itself vanishes.
        pull = shares * np.where(sines > 1e-12, angles / np.maximum(sines, 1e-12), 1.0)
        tangent = pull @ seeds
        tangent -= (tangent @ here) * here
        return 0.5 * float(shares @ angles**2), -tangent / length

    found = descend(half_squares, mean_unit(seeds, shares), scale=_FIRST_STEP).point
    direction = span.lift(found)
    return direction / float(np.linalg.norm(direction))
