"""Angles between vectors, accurate at both ends of [0, π].

arccos of a dot product loses half of the digits near 0 and π: in float64 an angle of 1e-8 comes
out as 0, in float32 everything below 3e-4 does. Near the ends the chord is used instead (Kahan):
θ = 2·atan2(‖x̂ − ŷ‖, ‖x̂ + ŷ‖).
"""

from __future__ import annotations

import numpy as np

from indexers.errors import ZeroVectorError
from indexers.types import FloatArray

# |cos θ| above this (θ within .02 of 0 or π): arccos has lost a factor 1/θ² ≥ 2,500 of accuracy.
_STEEP_COSINE = 0.9998


def unit_rows(vectors: FloatArray, *, what: str, allow_zero: bool) -> tuple[FloatArray, FloatArray]:
    """Directions and norms of float64 rows.

    Parameters
    ----------
    vectors : (n, dim)
        Finite. Not modified.
    what : str
        Name of the argument, for the message.
    allow_zero : bool
        A row of norm zero gets direction zero instead of raising.

    Returns
    -------
    units : (n, dim) float64
    norms : (n,) float64

    Raises
    ------
    ZeroVectorError
        A row is zero and `allow_zero` is False.
    """
    # Scaled by the largest value first, so that squares neither overflow nor underflow.
    largest = np.abs(vectors).max(axis=1, initial=0.0)
    zero = largest == 0.0
    if not allow_zero and zero.any():
        raise ZeroVectorError.of_row(int(np.flatnonzero(zero)[0]), what)
    scaled = vectors / np.where(zero, 1.0, largest)[:, None]
    lengths = np.sqrt(np.einsum("ij,ij->i", scaled, scaled))
    units: FloatArray = scaled / np.where(zero, 1.0, lengths)[:, None]
    norms: FloatArray = lengths * largest
    return units, norms


def zero_vector_text(row: int, what: str) -> str:
    """What is said of a row without a direction."""
    return (
        f"expected vectors with a direction, got a zero vector in row {row} of {what}; leave it out"
    )


def angle_matrix(left: FloatArray, right: FloatArray) -> FloatArray:
    """Angles in radians, (n, m), between unit rows (n, dim) and (m, dim)."""
    cosines = left @ right.T
    angles: FloatArray = np.arccos(np.clip(cosines, -1.0, 1.0))
    first, second = np.nonzero(np.abs(cosines) > _STEEP_COSINE)
    step = max(1, (1 << 20) // max(left.shape[1], 1))
    for start in range(0, len(first), step):
        i, j = first[start : start + step], second[start : start + step]
        angles[i, j] = _chord_angles(left[i], right[j])
    return angles


def _chord_angles(left: FloatArray, right: FloatArray) -> FloatArray:
    apart = np.linalg.norm(left - right, axis=1)
    together = np.linalg.norm(left + right, axis=1)
    angles: FloatArray = 2.0 * np.arctan2(apart, together)
    return angles
