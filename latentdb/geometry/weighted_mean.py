"""The weighted mean: the centre of straight lines. Of noise it is too short to be noise."""

from __future__ import annotations

from numpy.typing import ArrayLike

from latentdb.geometry.kinds import Array, like
from latentdb.geometry.weights import as_rows, as_weights


def weighted_mean(vectors: Array, weights: ArrayLike | None = None) -> Array:
    """Σ wᵢxᵢ / Σ wᵢ.

    The mean of n independent noises of dimension d has a norm near √(d/n), off the shell where
    noise is; `restore_norm` puts it back.

    Parameters
    ----------
    vectors : (n, dim)
        NumPy or torch, floating point. Not modified.
    weights : (n,), optional
        At least 0, not all 0; 1 each by default.

    Returns
    -------
    (dim,)
        Kind, dtype and device of `vectors`.

    Raises
    ------
    DimensionError, DtypeError, NonFiniteError, ParameterError
    """
    rows = as_rows(vectors)
    shares = as_weights(weights, len(rows))
    # Divided first, so that the sum cannot overflow.
    return like((shares / shares.sum()) @ rows, vectors)
