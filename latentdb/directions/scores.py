"""How well a number separates two classes, with intervals from resampling within each class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from latentdb.arrays import BoolArray, FloatArray
from latentdb.errors import NotEnoughDataError
from latentdb.held_out import Estimate, resample_counts


@final
@dataclass(frozen=True)
class ProbeScore:
    """Held-out scores of a linear classifier.

    Parameters
    ----------
    auc : Estimate
        Chance that a random positive scores above a random negative; .5 says nothing.
    balanced_accuracy : Estimate
        Mean of the shares of positives and of negatives on their own side of the boundary: .5 is
        guessing, however rare the attribute.
    n_positive, n_negative : int
        Rows of each class, training and held-out together.
    n_held_out : int
        Rows scored.
    """

    auc: Estimate
    balanced_accuracy: Estimate
    n_positive: int
    n_negative: int
    n_held_out: int

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary; `from_json` reads it back."""
        return {
            "auc": self.auc.to_json(),
            "balanced_accuracy": self.balanced_accuracy.to_json(),
            "n_positive": self.n_positive,
            "n_negative": self.n_negative,
            "n_held_out": self.n_held_out,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ProbeScore:
        """Score written by `to_json`."""
        return cls(
            Estimate.from_json(data["auc"]),
            Estimate.from_json(data["balanced_accuracy"]),
            int(data["n_positive"]),
            int(data["n_negative"]),
            int(data["n_held_out"]),
        )


def score_ranking(
    scores: FloatArray, is_positive: BoolArray, *, seed: int = 0, n_resamples: int = 500
) -> tuple[Estimate, Estimate]:
    """AUC, and balanced accuracy with the boundary at 0, each with its 95 % interval.

    Parameters
    ----------
    scores : (n,)
        Higher is more positive; ties count half in the AUC.
    is_positive : (n,) bool
    seed, n_resamples : int
        Positives and negatives are resampled apart, so that no resample lacks a class.

    Raises
    ------
    NotEnoughDataError
        One class is absent.
    """
    positive, negative = class_weights(is_positive, seed=seed, n_resamples=n_resamples)
    above, below = scores[is_positive], scores[~is_positive]
    auc = weighted_auc(above, below, positive, negative)
    right = positive @ (above > 0) / len(above) + negative @ (below <= 0) / len(below)
    accuracy = 0.5 * right
    return Estimate.of(auc[0], auc[1:]), Estimate.of(accuracy[0], accuracy[1:])


def class_weights(
    is_positive: BoolArray, *, seed: int, n_resamples: int
) -> tuple[FloatArray, FloatArray]:
    """Weights of the positives and of the negatives; NotEnoughDataError where a class is absent."""
    n_positive, n_negative = int(is_positive.sum()), int((~is_positive).sum())
    if not n_positive or not n_negative:
        raise NotEnoughDataError(
            f"an AUC needs both classes, got {n_positive} positive and {n_negative} negative rows"
        )
    rng = np.random.default_rng(seed)
    return item_weights(n_positive, n_resamples, rng), item_weights(n_negative, n_resamples, rng)


def item_weights(n: int, n_resamples: int, rng: np.random.Generator) -> FloatArray:
    """Ones, which is the sample itself, then resamples: (1 + n_resamples, n)."""
    return np.vstack([np.ones(n), resample_counts(n, n_resamples=n_resamples, rng=rng)])


def weighted_auc(
    above: FloatArray, below: FloatArray, positive: FloatArray, negative: FloatArray
) -> FloatArray:
    """Mann–Whitney U over its maximum, for each row of item weights."""
    order = np.argsort(below)
    below = below[order]
    # Weight of the negatives under each positive: strictly, and counting ties; mean of the two.
    cumulated = np.pad(np.cumsum(negative[:, order], axis=1), ((0, 0), (1, 0)))
    strictly = cumulated[:, np.searchsorted(below, above, side="left")]
    at_most = cumulated[:, np.searchsorted(below, above, side="right")]
    wins = (positive * (strictly + at_most)).sum(axis=1) / 2.0
    auc: FloatArray = wins / (len(above) * len(below))
    return auc
