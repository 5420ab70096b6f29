"""Norms: what the chi law says of a Gaussian vector's, and setting one."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import poch

from indexers.errors import DimensionError, ParameterError, ZeroVectorError
from latentdb.geometry.kinds import Array, as_float64, in_memory, like


def chi_mean(dim: int) -> float:
    """Mean norm of a standard Gaussian vector: √2·Γ((dim+1)/2)/Γ(dim/2)."""
    return math.sqrt(2.0) * float(poch(_checked(dim) / 2.0, 0.5))


def chi_mode(dim: int) -> float:
    """Most likely norm of a standard Gaussian vector: √(dim − 1)."""
    return math.sqrt(_checked(dim) - 1.0)


def chi_std(dim: int) -> float:
    """Standard deviation of a standard Gaussian vector's norm; tends to √½."""
    return math.sqrt(_checked(dim) - chi_mean(dim) ** 2)


def _checked(dim: int) -> int:
    """`dim`, which is at least 1."""
    if dim < 1:
        raise ParameterError(f"a dimension is at least 1, got {dim}")
    return dim


def restore_norm(vectors: Array, norms: ArrayLike) -> Array:
    """`vectors` scaled to the given Euclidean norms, direction kept.

    Parameters
    ----------
    vectors : (dim,) or (n, dim)
        NumPy or torch, floating point. Not modified.
    norms : float, or (n,)
        At least 0; one for all, or one each.

    Returns
    -------
    as `vectors`
        Same shape, kind, dtype and device; computed in float64.

    Raises
    ------
    ZeroVectorError
        A vector has no direction.
    DimensionError
        The number of norms is not that of the vectors.
    ParameterError
        A norm is negative or not finite.
    DtypeError, NonFiniteError
    """
    exact = as_float64(vectors, what="vectors")
    wanted = np.asarray(in_memory(norms), dtype=np.float64)
    if wanted.ndim and wanted.shape != exact.shape[:-1]:
        raise DimensionError(
            f"expected one norm, or one for each vector {exact.shape[:-1]}, got {wanted.shape}"
        )
    if not (np.isfinite(wanted).all() and (wanted >= 0).all()):
        raise ParameterError("norms are finite and not negative")
    lengths = np.linalg.norm(exact, axis=-1)
    if not lengths.all():
        raise ZeroVectorError("a vector of norm zero has no direction to keep")
    return like(exact * (wanted / lengths)[..., None], vectors)
