"""Directions that leave others alone, in one of three senses.

A direction is a *movement* d (a difference of means, of two pictures, of two texts: what is added
to a vector) or a *reading* f (logistic, LDA: what is summed over one). With Σ the covariance of
the space, f = Σ⁻¹d reads best what d moves. To be orthogonal to nuisances B (columns) can mean

============  ==========  =============================================================
kind          zero        then
============  ==========  =============================================================
``readings``  Fᵀd = 0     moving along d changes no reading of a nuisance: F = Σ⁻¹B where
                          B are movements, B where they are readings
``scores``    BᵀΣd = 0    items' scores along d and B are uncorrelated: for ranking
``vectors``   Bᵀd = 0     the vectors are at right angles, as UNE has it
============  ==========  =============================================================

All nuisances are taken off jointly: one after the other would leave a part along the first. The
part taken off is the nearest one, in Euclid's length; of a movement that is to leave readings
alone it is in Mahalanobis' (dᵀΣ⁻¹d), so that what goes are nuisances' own movements ΣF.
docs/directions.md has the figures. In white noise the three are one.

References
----------
"The Universal Normal Embedding", 2026, arXiv 2603.21786 (``vectors``, for one nuisance).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final, get_args

import numpy as np
import scipy.linalg

from indexers.errors import ParameterError, ZeroVectorError
from latentdb.arrays import FloatArray, RealArray
from latentdb.artefacts import SpaceRef
from latentdb.directions.cost import Orthogonality
from latentdb.directions.covariance import ShrunkCovariance
from latentdb.directions.direction import Direction

# A unit vector of which less than this remains lies in the span of the nuisances.
_VANISHED = 1e-6
# Squares of sines below this are rounding: such nuisances depend on one another.
_DEPENDENT = 1e-12


@final
@dataclass(frozen=True)
class Nuisances:
    """What a direction is to leave alone, and in which sense.

    Parameters
    ----------
    directions : tuple of Direction
        Any number, of the direction's own space.
    kind : "readings", "scores" or "vectors"
    """

    directions: tuple[Direction, ...] = field(default=())
    kind: Orthogonality = "readings"

    def __post_init__(self) -> None:
        if self.kind not in get_args(Orthogonality):
            known = ", ".join(get_args(Orthogonality))
            raise ParameterError(f"unknown orthogonality {self.kind!r}: one of {known}")

    @property
    def names(self) -> tuple[str, ...]:
        """Of the directions."""
        return tuple(other.name for other in self.directions)


def orthogonal_part(
    vector: FloatArray,
    home: SpaceRef,
    nuisances: Nuisances,
    *,
    sample: RealArray,
    is_reading: bool,
) -> FloatArray:
    """Unit vector along what remains of `vector` once the nuisances are taken off.

    Parameters
    ----------
    vector : (dim,)
        Of any non-zero norm. Not modified.
    home : SpaceRef
        Its space.
    nuisances : Nuisances
        Those that depend on each other are allowed.
    sample : (n, dim)
        Of the space, which Σ is estimated from; "vectors" needs none of it.
    is_reading : bool
        Whether `vector` is a reading rather than a movement.

    Raises
    ------
    SpaceMismatchError
        A nuisance lives in another space.
    ZeroVectorError
        Nothing remains.
    """
    for other in nuisances.directions:
        other.space_ref.require_ref(home, artefact=f"direction {other.name!r}")
    unit = unit_of(vector)
    if not nuisances.directions:
        return unit
    zero, taken = _forms(nuisances, sample, is_reading=is_reading)
    # Twice is enough: the second pass takes off what rounding left of the first.
    gram = _inverse(zero.T @ taken)
    rest = unit - taken @ (gram @ (zero.T @ unit))
    rest -= taken @ (gram @ (zero.T @ rest))
    length = float(np.linalg.norm(rest))
    if length < _VANISHED:
        raise ZeroVectorError(
            f"nothing of the direction remains once {', '.join(nuisances.names)} are taken off: "
            "it lies in their span"
        )
    return unit_of(rest)


def _forms(
    nuisances: Nuisances, sample: RealArray, *, is_reading: bool
) -> tuple[FloatArray, FloatArray]:
    """Columns (dim, m) whose products with the direction are to vanish, and what is taken off."""
    B = np.stack([other.vector for other in nuisances.directions], axis=1)
    if nuisances.kind == "vectors":
        return B, B
    covariance = ShrunkCovariance.of_sample(sample)
    if nuisances.kind == "scores":
        zero = _scaled(covariance.times(B))
        return zero, zero
    are_readings = np.array([other.is_reading for other in nuisances.directions])
    zero = B.copy()
    if not are_readings.all():
        zero[:, ~are_readings] = covariance.solve(B[:, ~are_readings])
    zero = _scaled(zero)
    return (zero, zero) if is_reading else (zero, covariance.times(zero))


def unit_of(vector: FloatArray) -> FloatArray:
    """The vector (dim,) of length 1 along one of any non-zero length."""
    unit: FloatArray = vector / np.linalg.norm(vector)
    return unit


def _scaled(columns: FloatArray) -> FloatArray:
    """Columns of unit length, so that none counts for rounding beside another."""
    scaled: FloatArray = columns / np.linalg.norm(columns, axis=0)
    return scaled


def _inverse(gram: FloatArray) -> FloatArray:
    """Pseudo-inverse (m, m) of a Gram matrix whose columns may depend on one another."""
    return scipy.linalg.pinvh(gram, rtol=_DEPENDENT).astype(np.float64)
