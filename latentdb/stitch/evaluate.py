"""Scores of a map on pairs it has not seen, beside what no map and a wrong map would get."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike

from indexers.errors import DimensionError
from latentdb.arrays import FloatArray, as_matrix
from latentdb.errors import NotEnoughDataError, WorthlessMapError
from latentdb.held_out import Estimate, mean_estimate, resample_counts
from latentdb.stitch.neighbours import mutual_overlap, nearest_others

MIN_HELD_OUT = 11
_ESTIMATES = (
    "r2",
    "cosine",
    "centred_cosine",
    "recall_at_1",
    "recall_at_10",
    "reverse_recall_at_1",
    "reverse_recall_at_10",
)
# Scores that files of version 0.1.0 do not have.
_LATER = ("recall_at_100", "reverse_recall_at_100", "mutual_knn")


@final
@dataclass(frozen=True)
class NullScores:
    """Maps fitted on permuted pairs, scored on true ones: what width and sample size alone give.

    Parameters
    ----------
    n_permutations : int
        Maps fitted.
    r2_max, centred_cosine_max, recall_at_10_max : float
        Best of them.
    recall_at_10_mean : float
        Their mean; near chance.
    mutual_knn_mean, mutual_knn_max : float, optional
        Mean and best overlap of neighbours; None in files of version 0.1.0.
    """

    n_permutations: int
    r2_max: float
    centred_cosine_max: float
    recall_at_10_mean: float
    recall_at_10_max: float
    mutual_knn_mean: float | None = None
    mutual_knn_max: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary of what was measured."""
        return {name: value for name, value in vars(self).items() if value is not None}


@final
@dataclass(frozen=True)
class MapScores:
    """Held-out scores of a map, with intervals from resampling items.

    Parameters
    ----------
    n_held_out : int
        Pairs scored; also the size of the gallery that recall is measured in.
    r2 : Estimate
        1 − squared error of the map over that of the mean-vector baseline, which always answers
        the mean target of the training pairs.
    cosine, centred_cosine : Estimate
        Mean cosine of prediction and truth, as they are and with the training mean taken off
        both. Only the second says something when targets lie off the origin.
    baseline_cosine : float
        Cosine of the mean-vector baseline; its R² and centred cosine are 0.
    recall_at_1, recall_at_10 : Estimate
        Share of mapped queries, restored as `restore_spread` does, whose own partner is among
        their 1 or 10 nearest by cosine: what a cosine search of the target space finds.
    reverse_recall_at_1, reverse_recall_at_10 : Estimate
        The same, asking with the target and searching the mapped sources.
    null : NullScores, optional
        None where no permuted maps were fitted.
    recall_at_100, reverse_recall_at_100 : Estimate, optional
        None of 100 pairs or fewer, where they would be 1.
    mutual_knn : Estimate, optional
        Share of the 10 nearest neighbours that the mapped queries among themselves and their
        partners among themselves agree on; its null is in `null`.
    """

    n_held_out: int
    r2: Estimate
    cosine: Estimate
    centred_cosine: Estimate
    baseline_cosine: float
    recall_at_1: Estimate
    recall_at_10: Estimate
    reverse_recall_at_1: Estimate
    reverse_recall_at_10: Estimate
    null: NullScores | None = None
    recall_at_100: Estimate | None = None
    reverse_recall_at_100: Estimate | None = None
    mutual_knn: Estimate | None = None

    def chance_at(self, k: int) -> float:
        """Recall@k of guessing, which is also that of the mean-vector baseline."""
        return min(1.0, k / self.n_held_out)

    @property
    def beats_null(self) -> bool:
        """Whether recall@10 and centred cosine are above every permuted map's, intervals included.

        In a gallery of fewer than 100 guessing finds too many partners for recall to tell, and
        centred cosine alone decides.

        Raises
        ------
        NotEnoughDataError
            No permuted maps were fitted.
        """
        if self.null is None:
            raise NotEnoughDataError("these scores have no permuted maps to compare with")
        null = self.null
        is_telling = self.chance_at(10) <= 0.1
        return self.centred_cosine.low > null.centred_cosine_max and (
            self.recall_at_10.low > null.recall_at_10_max or not is_telling
        )

    def require_beats_null(self, name: str) -> None:
        """Raise WorthlessMapError unless the map `name` beats its null; nothing without one."""
        if self.null is None or self.beats_null:
            return
        raise WorthlessMapError(
            f"the map {name} does no better than maps fitted on permuted pairs: recall@10 "
            f"{self.recall_at_10} against up to {self.null.recall_at_10_max:.3f}, centred cosine "
            f"{self.centred_cosine} against up to {self.null.centred_cosine_max:.3f}, on "
            f"{self.n_held_out} held-out items. It was not kept: ingest more items, try another "
            "--method or other spaces, or keep it all the same with --force (force=True)"
        )

    def summary(self) -> dict[str, float]:
        """The few numbers that belong beside an answer."""
        short = {
            "r2": self.r2.value,
            "centred_cosine": self.centred_cosine.value,
            "recall_at_10": self.recall_at_10.value,
            "chance_at_10": self.chance_at(10),
        }
        if self.null is not None:
            short["null_recall_at_10"] = self.null.recall_at_10_mean
        return short

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary; `from_json` reads it back."""
        return {
            "n_held_out": self.n_held_out,
            **{name: getattr(self, name).to_json() for name in _ESTIMATES},
            **{name: value.to_json() for name, value in self._later().items()},
            "baseline_cosine": self.baseline_cosine,
            "chance_at_1": self.chance_at(1),
            "chance_at_10": self.chance_at(10),
            "null": None if self.null is None else self.null.to_json(),
        }

    def _later(self) -> dict[str, Estimate]:
        """Those scores that not every file has, where they are there."""
        values = {name: getattr(self, name) for name in _LATER}
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> MapScores:
        """Scores written by `to_json`."""
        return cls(
            n_held_out=int(data["n_held_out"]),
            baseline_cosine=float(data["baseline_cosine"]),
            null=None if data["null"] is None else NullScores(**data["null"]),
            **{name: Estimate.from_json(data[name]) for name in _ESTIMATES},
            **{name: Estimate.from_json(data[name]) for name in _LATER if name in data},
        )


def unit_rows(vectors: FloatArray) -> FloatArray:
    """Rows scaled to norm 1; a zero row stays zero and is similar to nothing."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: FloatArray = vectors / np.where(norms == 0.0, 1.0, norms)
    return scaled


def restore_spread(predicted: FloatArray, *, mean: FloatArray, spread: float) -> FloatArray:
    """Predictions (n, target_dim) moved out from `mean` to the distance that targets have.

    Regularised predictions are conditional means and lie too near `mean`. Where the targets are
    off the origin, cosine then compares means: of 1,000 pairs in 40 dimensions, their mean five
    deviations off in each, the ridge of best R² finds 5 % of partners among its 10 nearest as it
    is, 28 % once restored (measured). Each row gets the same distance: in high dimension targets
    lie on a shell around their mean, and a row's own distance says little. A prediction that is
    the mean itself stays.
    """
    restored: FloatArray = mean + spread * unit_rows(predicted - mean)
    return restored


def typical_spread(targets: FloatArray, mean: FloatArray) -> float:
    """Mean distance of targets (n, target_dim) from their mean."""
    return float(np.linalg.norm(targets - mean, axis=1).mean())


def match_probability(similarity: FloatArray, *, k: int) -> FloatArray:
    """Chance (n,) that query i's own partner, column i, is among its `k` most similar columns.

    0 or 1, except where several columns are exactly as similar: then it is the expectation over
    the order they may come in, so that a constant answer scores chance and no more.

    Parameters
    ----------
    similarity : (n, n)
        Higher is nearer.
    k : int
        At least 1.
    """
    own = similarity.diagonal()[:, None]
    nearer = (similarity > own).sum(axis=1)
    tied = (similarity == own).sum(axis=1)
    chance: FloatArray = np.clip((k - nearer) / tied, 0.0, 1.0)
    return chance


def score_predictions(
    predicted: ArrayLike,
    actual: ArrayLike,
    *,
    mean: FloatArray,
    spread: float,
    seed: int = 0,
    n_resamples: int = 500,
) -> MapScores:
    """Scores of predictions for pairs that no part of the map has seen.

    Parameters
    ----------
    predicted, actual : (n, target_dim)
        Row i of one belongs to row i of the other. Recall takes n² float64 of memory.
    mean : (target_dim,)
        Mean target of the training pairs: what the baseline answers, and what is taken off for
        the centred cosine.
    spread : float
        `typical_spread` of the training targets, which recall restores.
    seed : int
        Of the resampling.
    n_resamples : int
        For the 95 % intervals.

    Raises
    ------
    DimensionError, DtypeError, NonFiniteError
        The two are not finite matrices of one shape.
    NotEnoughDataError
        Fewer than 11 pairs, or targets that all equal `mean`.
    """
    actual = as_matrix(actual, name="actual", dim=len(mean)).astype(np.float64)
    predicted = as_matrix(predicted, name="predicted", dim=len(mean)).astype(np.float64)
    if len(predicted) != len(actual):
        raise DimensionError(f"{len(predicted)} predictions for {len(actual)} targets: pair them")
    if len(actual) < MIN_HELD_OUT:
        raise NotEnoughDataError(
            f"recall@10 needs at least {MIN_HELD_OUT} held-out pairs, got {len(actual)}"
        )
    rng = np.random.default_rng(seed)
    counts = resample_counts(len(actual), n_resamples=n_resamples, rng=rng)
    error = ((actual - predicted) ** 2).sum(axis=1)
    baseline = ((actual - mean) ** 2).sum(axis=1)
    if not baseline.any():
        raise NotEnoughDataError("all held-out targets equal the mean: there is nothing to score")
    restored = restore_spread(predicted, mean=mean, spread=spread)
    near, true = unit_rows(restored), unit_rows(actual)
    similarity = near @ true.T

    def recall(similarity: FloatArray, k: int) -> Estimate:
        return mean_estimate(match_probability(similarity, k=k), counts)

    overlap = mutual_overlap(nearest_others(near), nearest_others(true))
    is_large = len(actual) > 100
    return MapScores(
        n_held_out=len(actual),
        r2=Estimate.of(
            1 - error.sum() / baseline.sum(), 1 - (counts @ error) / (counts @ baseline)
        ),
        cosine=mean_estimate(_row_cosine(predicted, actual), counts),
        centred_cosine=mean_estimate(_row_cosine(predicted - mean, actual - mean), counts),
        baseline_cosine=float((unit_rows(actual) @ unit_rows(mean[None])[0]).mean()),
        recall_at_1=recall(similarity, 1),
        recall_at_10=recall(similarity, 10),
        reverse_recall_at_1=recall(similarity.T, 1),
        reverse_recall_at_10=recall(similarity.T, 10),
        recall_at_100=recall(similarity, 100) if is_large else None,
        reverse_recall_at_100=recall(similarity.T, 100) if is_large else None,
        mutual_knn=mean_estimate(overlap, counts),
    )


def permuted_null(
    refit_predict: Callable[[FloatArray], FloatArray],
    targets: FloatArray,
    actual: FloatArray,
    *,
    seed: int,
    n_permutations: int,
) -> NullScores:
    """Scores of maps fitted on shuffled pairs.

    Parameters
    ----------
    refit_predict : callable
        Given training targets (n_train, target_dim), a map fitted to them and its predictions
        (n_held_out, target_dim) for the held-out sources.
    targets : (n_train, target_dim)
        Training targets, in their true order.
    actual : (n_held_out, target_dim)
        Held-out targets.
    seed, n_permutations : int
        19 permutations put a map that beats them all at p ≤ .05.
    """
    rng = np.random.default_rng(seed)
    mean = targets.mean(axis=0, dtype=np.float64)
    true = unit_rows(actual.astype(np.float64))
    spread = typical_spread(targets, mean)
    baseline = ((actual - mean) ** 2).sum()
    neighbours = nearest_others(true)
    found = np.empty((n_permutations, 4))
    for i in range(n_permutations):
        predicted = refit_predict(targets[rng.permutation(len(targets))])
        near = unit_rows(restore_spread(predicted, mean=mean, spread=spread))
        found[i] = (
            1.0 - ((actual - predicted) ** 2).sum() / baseline,
            _row_cosine(predicted - mean, actual - mean).mean(),
            match_probability(near @ true.T, k=10).mean(),
            mutual_overlap(nearest_others(near), neighbours).mean(),
        )
    best = found.max(axis=0)
    return NullScores(
        n_permutations=n_permutations,
        r2_max=float(best[0]),
        centred_cosine_max=float(best[1]),
        recall_at_10_mean=float(found[:, 2].mean()),
        recall_at_10_max=float(best[2]),
        mutual_knn_mean=float(found[:, 3].mean()),
        mutual_knn_max=float(best[3]),
    )


def _row_cosine(left: FloatArray, right: FloatArray) -> FloatArray:
    """Cosine (n,) of rows of the same number; 0 where one of them is zero."""
    cosine: FloatArray = (unit_rows(left) * unit_rows(right)).sum(axis=1)
    return cosine
