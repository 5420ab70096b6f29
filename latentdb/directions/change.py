"""What a figure was before something was done to a direction, and what it is after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from latentdb.arrays import BoolArray, FloatArray
from latentdb.directions.scores import class_weights, item_weights, weighted_auc
from latentdb.errors import NotEnoughDataError
from latentdb.held_out import Estimate


@final
@dataclass(frozen=True)
class Change:
    """A figure before and after something was done, on the same resamples of the same items.

    Parameters
    ----------
    before, after : Estimate
    difference : Estimate
        After less before; its interval is narrower than theirs, the items being the same.
    """

    before: Estimate
    after: Estimate
    difference: Estimate

    @classmethod
    def of(cls, before: FloatArray, after: FloatArray) -> Change:
        """From values (1 + n_resamples,) each, the first on the sample itself."""
        return cls(*(Estimate.of(a[0], a[1:]) for a in (before, after, after - before)))

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary; `from_json` reads it back."""
        return {name: estimate.to_json() for name, estimate in vars(self).items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Change:
        """Change written by `to_json`."""
        return cls(*(Estimate.from_json(data[name]) for name in ("before", "after", "difference")))


def auc_change(
    before: FloatArray,
    after: FloatArray,
    is_positive: BoolArray,
    *,
    seed: int = 0,
    n_resamples: int = 500,
) -> Change:
    """AUC of one ranking (n,) and of another (n,) of the same items; see `score_ranking`."""
    positive, negative = class_weights(is_positive, seed=seed, n_resamples=n_resamples)
    return Change.of(
        *(
            weighted_auc(scores[is_positive], scores[~is_positive], positive, negative)
            for scores in (before, after)
        )
    )


def correlation_change(
    before: FloatArray,
    after: FloatArray,
    other: FloatArray,
    *,
    seed: int = 0,
    n_resamples: int = 500,
) -> Change:
    """Pearson correlation with `other` (n,) of `before` and of `after`.

    Raises
    ------
    NotEnoughDataError
        Fewer than two items, or one of the three is constant.
    """
    weights = item_weights(len(other), n_resamples, np.random.default_rng(seed))
    return Change.of(*(_weighted_correlation(one, other, weights) for one in (before, after)))


def _weighted_correlation(x: FloatArray, y: FloatArray, weights: FloatArray) -> FloatArray:
    """Correlation for each row of item weights (1 + n_resamples, n), which sums to n."""
    if not (len(x) > 1 and x.std() > 0.0 and y.std() > 0.0):
        raise NotEnoughDataError(f"{len(x)} items do not vary enough for a correlation")
    share = weights / len(x)
    # Standardised first, so that the sums below do not cancel.
    x, y = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()
    mean_x, mean_y = share @ x, share @ y
    covariance = share @ (x * y) - mean_x * mean_y
    variances = (share @ x**2 - mean_x**2) * (share @ y**2 - mean_y**2)
    correlation: FloatArray = covariance / np.sqrt(np.maximum(variances, np.finfo(float).tiny))
    return correlation
