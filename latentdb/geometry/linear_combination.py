"""LOL: linear combinations of Gaussian latents that are Gaussian latents again."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from indexers.checks import check_real
from indexers.errors import DimensionError, ParameterError, ZeroVectorError
from indexers.types import FloatArray
from latentdb.geometry.kinds import Array, in_memory, like
from latentdb.geometry.weights import as_rows


def linear_combination(vectors: Array, weights: ArrayLike, *, is_correlated: bool = False) -> Array:
    """Latent with the law of its seeds, in the direction of Σ wᵢxᵢ.

    For independent seeds xᵢ ~ N(μ, Σ), z = (1 − α/√β)·μ + Σ wᵢxᵢ/√β with α = Σwᵢ and β = Σwᵢ² is
    of the law N(μ, Σ) itself; here μ = 0, the law of diffusion noise, so z = Σ wᵢxᵢ/√β. Its norm
    is as likely as a seed's, not restored to one value.

    Parameters
    ----------
    vectors : (n, dim)
        The seeds xᵢ. NumPy or torch, floating point. Not modified.
    weights : (n,)
        wᵢ, of any sign, not all 0. Their common scale does not matter.
    is_correlated : bool
        The seeds are not independent (they are inversions of like pictures, say): divide by
        √(wᵀGw), G = X·Xᵀ/dim, their measured covariance, in place of the identity that √β stands
        for. Every result then has the norm √dim exactly.

    Returns
    -------
    (dim,)
        Kind, dtype and device of `vectors`. Zero where the weighted seeds cancel exactly.

    Raises
    ------
    DimensionError, DtypeError, NonFiniteError, ParameterError
    ZeroVectorError
        `is_correlated`, and the weighted seeds cancel: no direction to keep.

    References
    ----------
    Bodin, Stere, Margineantu, Ek, Moss, "Linear combinations of latents in generative models:
    subspaces and beyond", ICLR 2025, arXiv 2408.08558.
    """
    rows = as_rows(vectors)
    values = check_real(in_memory(weights), what="weights")
    if values.shape != (len(rows),):
        raise DimensionError(
            f"expected one weight for each vector, ({len(rows)},), got {values.shape}"
        )
    if not values.any():
        raise ParameterError("expected weights of which one is not 0, got only zeros")
    return like(lol_points(rows, values[None, :], is_correlated=is_correlated)[0], vectors)


def lol_points(rows: FloatArray, weights: FloatArray, *, is_correlated: bool = False) -> FloatArray:
    """Combinations (m, dim) of `rows` (n, dim) by `weights` (m, n), none of them all zero."""
    # One scale for all, so that neither sum overflows.
    scaled = weights / np.abs(weights).max(axis=1, keepdims=True)
    combined: FloatArray = scaled @ rows
    if not is_correlated:
        combined /= np.linalg.norm(scaled, axis=1, keepdims=True)
        return combined
    # wᵀGw = |Σ wᵢxᵢ|²/dim.
    lengths = np.linalg.norm(combined, axis=1, keepdims=True)
    if not lengths.all():
        raise ZeroVectorError(
            "expected seeds whose weighted sum has a direction, got a sum of zero; change the "
            "weights, or leave is_correlated out"
        )
    combined *= math.sqrt(rows.shape[1]) / lengths
    return combined
