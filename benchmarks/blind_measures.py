"""How good samples are: distances between sets, and how many runs ended where."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist

from indexers.types import FloatArray

NEAR, FAR = 0.25, 5.0
"""Distances to data of unit scale within which a run has converged, and beyond which it is lost."""


def ends(found: FloatArray, data: FloatArray) -> dict[str, float]:
    """Distances from where runs ended (n, dim) to the nearest of `data`: quantiles and shares."""
    distances = KDTree(data).query(found)[0]
    return {
        "near": float((distances <= NEAR).mean()),
        "far": float((distances > FAR).mean()),
        "median": float(np.median(distances)),
        "ninth_decile": float(np.quantile(distances, 0.9)),
    }


def energy_distance(first: FloatArray, second: FloatArray) -> float:
    """√(2·E‖x−y‖ − E‖x−x'‖ − E‖y−y'‖) of two sets of points; two draws of one law are above 0."""
    within = cdist(first, first).mean() + cdist(second, second).mean()
    return float(np.sqrt(2 * cdist(first, second).mean() - within))


def frechet_distance(first: FloatArray, second: FloatArray) -> float:
    """‖m−m'‖² + tr(S + S' − 2(SS')^½) of Gaussians fitted to two sets (n, dim)."""
    apart = first.mean(axis=0) - second.mean(axis=0)
    # S = XᵀX, so that the eigenvalues of SS' are the squared singular values of XX'ᵀ.
    one, other = ((rows - rows.mean(axis=0)) / np.sqrt(len(rows) - 1) for rows in (first, second))
    common = np.linalg.svd(one @ other.T, compute_uv=False).sum()
    return float(apart @ apart + np.square(one).sum() + np.square(other).sum() - 2 * common)


def rms(rows: FloatArray) -> float:
    """Root of the mean square of the elements."""
    return float(np.sqrt(np.mean(np.square(rows))))
