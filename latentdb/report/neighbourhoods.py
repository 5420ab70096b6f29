"""Whether two spaces agree on who is near whom: mutual k nearest neighbours.

References
----------
Huh, Cheung, Wang and Isola, "The Platonic representation hypothesis", ICML 2024
(arXiv 2405.07987). Why a permuted null, and local agreement: arXiv 2602.14486.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final, final

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from latentdb.held_out import Estimate, mean_estimate, resample_counts
from latentdb.model import Vectors
from latentdb.report.blocks import Cell, Drawing, Section, Table, estimate, number, percent
from latentdb.report.figure import SOFT, colour, draw
from latentdb.report.sample import Sample
from latentdb.report.study import AbstractFindings, Headlines
from latentdb.stitch.evaluate import unit_rows
from latentdb.stitch.neighbours import MUTUAL_K, mutual_overlap

KS: Final = (1, 2, 5, MUTUAL_K, 20, 50)
_RESAMPLES: Final = 500


@final
@dataclass(frozen=True)
class Overlap:
    """Agreement of two spaces on the `k` nearest neighbours.

    Parameters
    ----------
    value : Estimate
        Mean share of an item's neighbours that both name; its interval is of resampled items.
    null_mean, null_max : float
        The same with the items of one space permuted.
    chance : float
        k/(n − 1).
    """

    value: Estimate
    null_mean: float
    null_max: float
    chance: float

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary."""
        return {**vars(self), "value": self.value.to_json()}


@final
@dataclass(frozen=True, eq=False)
class Neighbourhoods(AbstractFindings):
    """Agreement by pair of spaces and number of neighbours."""

    pairs: Mapping[tuple[str, str], Mapping[int, Overlap]]
    spaces: tuple[str, ...]
    n: int
    permutations: int
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Overlaps by pair and k."""
        return {
            "n": self.n,
            "permutations": self.permutations,
            "pairs": [
                {
                    "spaces": list(pair),
                    "by_k": {str(k): overlap.to_json() for k, overlap in found.items()},
                }
                for pair, found in self.pairs.items()
            ],
        }

    def headlines(self) -> Headlines:
        """Shared neighbours of every two spaces."""
        of = {" · ".join(pair): found[MUTUAL_K] for pair, found in self.pairs.items()}
        return {
            f"{MUTUAL_K} nearest in common": {
                name: Cell(percent(one.value.value).text, note=f"null {100 * one.null_mean:.2f} %")
                for name, one in of.items()
            }
        }

    def section(self) -> Section:
        """A heat map at k = 10, its null, and agreement against k."""
        return Section(
            lead=(
                f"Of the k nearest of {self.n:,} pictures by cosine in one space, how many are "
                f"among the k nearest in the other? Held against {self.permutations} permutations "
                "of the items of one of them, which is what spaces with nothing in common give."
            ),
            blocks=[
                self._matrix(),
                Drawing(
                    draw("neighbourhoods", self._paint),
                    "Shared neighbours against k; dashed, permuted items.",
                ),
                self._table(),
            ],
            notes=self.notes,
        )

    def _matrix(self) -> Table:
        def cell(a: str, b: str) -> Cell:
            if a == b:
                return Cell("1")
            overlap = self.pairs[(a, b) if (a, b) in self.pairs else (b, a)][MUTUAL_K]
            return number(overlap.value.value, heat=overlap.value.value)

        rows = [[Cell(a), *(cell(a, b) for b in self.spaces)] for a in self.spaces]
        caption = f"Share of the {MUTUAL_K} nearest that both spaces name."
        return Table(["", *self.spaces], rows, caption=caption, is_matrix=True)

    def _paint(self, axes: list[Axes]) -> None:
        for i, (pair, found) in enumerate(self.pairs.items()):
            values = [one.value.value for one in found.values()]
            nulls = [one.null_mean for one in found.values()]
            axes[0].plot(list(found), values, "o-", color=colour(i), label=" · ".join(pair))
            axes[0].plot(list(found), nulls, color=SOFT, linestyle=(0, (4, 3)), linewidth=1)
        axes[0].set_xscale("log")
        axes[0].set_yscale("log")
        axes[0].set_xticks(list(KS), [str(k) for k in KS])
        axes[0].minorticks_off()
        axes[0].set_xlabel("k")
        axes[0].set_ylabel("share of neighbours in common")
        axes[0].legend()

    def _table(self) -> Table:
        rows = [
            [
                Cell(" · ".join(pair)),
                estimate(found[MUTUAL_K].value),
                number(found[MUTUAL_K].null_mean, 4),
                number(found[MUTUAL_K].null_max, 4),
                Cell(f"{found[MUTUAL_K].value.value / found[MUTUAL_K].null_mean:.1f} ×"),
            ]
            for pair, found in self.pairs.items()
        ]
        headings = ["spaces", f"{MUTUAL_K} nearest in common", "null", "best of null", "over null"]
        return Table(headings, rows)


def study_neighbourhoods(sample: Sample) -> Neighbourhoods:
    """Agreement of every two spaces; NotEnoughDataError with fewer than two of 100 items."""
    spaces = sample.having(spaces=2)
    ids, views = sample.common(spaces)
    ks = [k for k in KS if k < len(ids) // 2]
    nearest = {
        name: ranked_neighbours(rows, max(ks)) for name, rows in zip(spaces, views, strict=True)
    }
    rng = sample.rng("neighbourhoods")
    order = [rng.permutation(len(ids)) for _ in range(sample.plan.permutations)]
    counts = resample_counts(len(ids), n_resamples=_RESAMPLES, rng=rng)
    pairs = {}
    for a, b in combinations(spaces, 2):
        pairs[a, b] = {
            k: Overlap(
                mean_estimate(mutual_overlap(nearest[a][:, :k], nearest[b][:, :k]), counts),
                *_null(nearest[a][:, :k], nearest[b][:, :k], order),
                chance=k / (len(ids) - 1),
            )
            for k in ks
        }
    return Neighbourhoods(
        pairs, tuple(spaces), len(ids), sample.plan.permutations, tuple(sample.left_out())
    )


def ranked_neighbours(vectors: Vectors, k: int) -> NDArray[np.intp]:
    """Positions (n, k) of the others most alike by cosine to each row (n, dim), nearest first."""
    unit = unit_rows(vectors.astype(np.float64)).astype(np.float32)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -np.inf)
    found = np.argpartition(-similarity, k - 1, axis=1)[:, :k]
    order = np.argsort(-np.take_along_axis(similarity, found, axis=1), axis=1, kind="stable")
    ranked: NDArray[np.intp] = np.take_along_axis(found, order, axis=1)
    return ranked


def _null(
    left: NDArray[np.intp], right: NDArray[np.intp], orders: list[NDArray[np.intp]]
) -> tuple[float, float]:
    """Mean and best overlap with the items of `right` permuted."""
    found = []
    for order in orders:
        # Item i takes the place of item order[i], and is called i by its neighbours too.
        renamed = np.empty_like(order)
        renamed[order] = np.arange(len(order))
        found.append(mutual_overlap(left, renamed[right[order]]).mean())
    return float(np.mean(found)), float(np.max(found))
