"""Fisher's discriminant with a shrunk covariance: a reading that needs no penalty chosen.

Shrinkage acts on the raw coordinates. Within whitened ones it would change nothing: there the
within-class covariance is I − p(1−p)δδᵀ, δ the difference of the class means and p the share of
positives, so whatever multiple of I is added, δ is an eigenvector and the answer stays δ.
"""

from __future__ import annotations

import numpy as np

from latentdb.arrays import BoolArray, FloatArray, RealArray
from latentdb.directions.covariance import ShrunkCovariance


def discriminant(vectors: RealArray, is_positive: BoolArray) -> FloatArray:
    """Σ⁻¹(μ₁ − μ₀) (dim,), Σ the shrunk covariance within the two classes.

    Parameters
    ----------
    vectors : (n, dim)
        Not modified.
    is_positive : (n,) bool
        At least one row of each class.

    Raises
    ------
    NotEnoughDataError
        The rows of each class are all the same.

    References
    ----------
    Friedman, "Regularized discriminant analysis", Journal of the American Statistical
    Association 1989. Ledoit and Wolf, 2004 (the strength).
    """
    centred = vectors.astype(np.float64)
    means = [centred[side].mean(axis=0) for side in (is_positive, ~is_positive)]
    centred[is_positive] -= means[0]
    centred[~is_positive] -= means[1]
    solved = ShrunkCovariance.of(centred).solve((means[0] - means[1])[:, None])
    weight: FloatArray = solved[:, 0]
    return weight
