"""How a strength or a rank is chosen: by what it finds among validation rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

import numpy as np

from latentdb.arrays import FloatArray, RealArray
from latentdb.stitch.evaluate import match_probability, restore_spread, unit_rows
from latentdb.stitch.moments import PairMoments

Selection = Literal["retrieval", "r2"]


@final
@dataclass(frozen=True, eq=False)
class Pairs:
    """Rows X (n, source_dim) and their partners Y (n, target_dim)."""

    X: RealArray
    Y: RealArray

    def __len__(self) -> int:
        return len(self.X)


def target_spread(moments: PairMoments, sample: RealArray) -> float:
    """Mean distance of the targets from their mean, (1/n)Σ‖y − ȳ‖.

    The moments hold only its root mean square; a sample (m, target_dim) of rows gives the ratio
    of the two, which varies little.
    """
    root_mean_square = float(np.sqrt(moments.target.square_sum / moments.n))
    distances = np.linalg.norm(sample.astype(np.float64) - moments.target.mean, axis=1)
    if not distances.any():
        return root_mean_square
    ratio = distances.mean() / np.sqrt((distances**2).mean())
    return root_mean_square * float(ratio)


@final
class Jury:
    """Validation rows that score candidates fitted to `moments`.

    Parameters
    ----------
    moments : PairMoments
        What the candidates are fitted to; the validation rows are not among them.
    validation : Pairs
    selection : "retrieval" or "r2"
        Recall costs a product of all rows with all for every candidate; "r2" leaves it out.
    """

    def __init__(
        self, moments: PairMoments, validation: Pairs, selection: Selection = "retrieval"
    ) -> None:
        self._wants_recall = selection == "retrieval"
        self.X: FloatArray = validation.X.astype(np.float64) - moments.source.mean
        self._mean = moments.target.mean
        self._actual: FloatArray = validation.Y.astype(np.float64)
        self._units = unit_rows(self._actual)
        self._spread = target_spread(moments, validation.Y)
        self._total = float(((self._actual - self._mean) ** 2).sum())

    def scores(self, predicted: FloatArray) -> tuple[float, float]:
        """Recall@10 of cosine search (NaN where not asked for) and R² of predictions.

        Parameters
        ----------
        predicted : (n, target_dim)
            Less the mean target.
        """
        answered = predicted + self._mean
        r2 = 1.0 - float(((self._actual - answered) ** 2).sum()) / self._total
        if not self._wants_recall:
            return float("nan"), r2
        restored = restore_spread(answered, mean=self._mean, spread=self._spread)
        similarity = unit_rows(restored) @ self._units.T
        return float(match_probability(similarity, k=10).mean()), r2


def choose(
    recall: FloatArray, r2: FloatArray, *, n_validation: int, selection: Selection = "retrieval"
) -> int:
    """Index of the candidate to take.

    "retrieval": of those whose recall is within one standard error of the best, which the rows
    cannot tell apart, the one of the best R². "r2": the best R².
    """
    if selection == "r2":
        return int(r2.argmax())
    best = float(recall.max())
    # By Agresti and Coull: where all partners are found the plain error is 0, and one miss in
    # thousands would decide over R².
    share = (best * n_validation + 2.0) / (n_validation + 4.0)
    error = np.sqrt(share * (1.0 - share) / n_validation)
    return int(np.where(recall >= best - error, r2, -np.inf).argmax())


def rank_grid(largest: int) -> list[int]:
    """Ranks to try, up to `largest` and with it: 1, 2, 3, 4, 6, 8, 12, 16, …."""
    steps = {int(scale * 2**power) for power in range(15) for scale in (1, 1.5)}
    return sorted({rank for rank in steps if rank < largest} | {largest})
