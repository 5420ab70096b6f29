"""Whether probes of two spaces say the same of the same picture (figure 3 of UNE).

Two probes that are both right agree because of the label alone. What is left of their correlation
among items of one class, where the label is the same for all, is agreement on *how much* of the
attribute a picture has: of that the claim that spaces are views of one speaks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, final

import numpy as np

from latentdb.arrays import BoolArray, FloatArray
from latentdb.report.blocks import Cell, Section, Table, number
from latentdb.report.probe_fits import Probed, SpaceProbes, probe_space
from latentdb.report.sample import Sample
from latentdb.report.study import AbstractFindings, Headlines

Pair = tuple[str, str]


@final
@dataclass(frozen=True)
class Correlation:
    """Of the held-out decisions of two probes of one attribute.

    Parameters
    ----------
    overall : float
        Pearson's, over all items.
    within : float
        Of what is left when each class's own mean is taken off.
    n : int
        Items.
    """

    overall: float
    within: float
    n: int

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary."""
        return dict(vars(self))


@final
@dataclass(frozen=True, eq=False)
class ProbeAgreement(AbstractFindings):
    """Correlations by pair of spaces and attribute."""

    pairs: Mapping[Pair, Mapping[str, Correlation]]
    spaces: tuple[str, ...]
    notes: tuple[str, ...]

    def mean(self, pair: Pair, which: str) -> float:
        """Mean of `overall` or `within` over attributes."""
        return float(np.mean([getattr(one, which) for one in self.pairs[pair].values()]))

    def to_json(self) -> dict[str, Any]:
        """Correlations by pair and attribute."""
        return {
            "pairs": [
                {
                    "spaces": list(pair),
                    "mean_overall": self.mean(pair, "overall"),
                    "mean_within": self.mean(pair, "within"),
                    "attributes": {name: one.to_json() for name, one in found.items()},
                }
                for pair, found in self.pairs.items()
            ]
        }

    def headlines(self) -> Headlines:
        """Mean correlations of every two spaces."""
        return {
            "probe scores, correlation": {
                " · ".join(pair): Cell(
                    f"{self.mean(pair, 'overall'):.2f}",
                    note=f"{self.mean(pair, 'within'):.2f} within one class",
                )
                for pair in self.pairs
            }
        }

    def section(self) -> Section:
        """Heat maps: spaces by spaces, then attributes by pairs."""
        n = next(iter(next(iter(self.pairs.values())).values())).n
        return Section(
            lead=(
                "Two probes of one attribute, each fitted in a space of its own, look at the same "
                f"{n:,} held-out pictures: how alike are their scores? Over all pictures, and "
                "among those of one class, where the label cannot make them agree. Unrelated "
                f"scores would give ± {2 / np.sqrt(n):.2f} at most, 19 times out of 20."
            ),
            blocks=[
                self._matrix("overall", "All pictures: mean over attributes."),
                self._matrix("within", "Among pictures of one class: mean over attributes."),
                self._by_attribute(),
            ],
            notes=self.notes,
        )

    def _matrix(self, which: str, caption: str) -> Table:
        def cell(a: str, b: str) -> Cell:
            if a == b:
                return Cell("1")
            value = self.mean((a, b) if (a, b) in self.pairs else (b, a), which)
            return number(value, 2, heat=value)

        rows = [[Cell(a), *(cell(a, b) for b in self.spaces)] for a in self.spaces]
        return Table(["", *self.spaces], rows, caption=caption, is_matrix=True)

    def _by_attribute(self) -> Table:
        names = list(dict.fromkeys(name for found in self.pairs.values() for name in found))
        rows = []
        for name in names:
            cells = [Cell(name)]
            for found in self.pairs.values():
                one = found.get(name)
                for value in (one.overall, one.within) if one else (None, None):
                    cells.append(number(value, 2, heat=value))
            rows.append(cells)
        return Table(
            ["attribute", *(["all", "one class"] * len(self.pairs))],
            rows,
            caption="By attribute.",
            groups=[("", 1), *((f"{a} · {b}", 2) for a, b in self.pairs)],
        )


def study_probe_agreement(sample: Sample) -> ProbeAgreement:
    """Correlate the probes of every two spaces.

    Raises
    ------
    NotEnoughDataError
        There is no attribute, or fewer than two spaces of at least 100 items.
    """
    sample.require_attributes()
    spaces = sample.having(spaces=2)
    probes = {name: probe_space(sample, name) for name in spaces}
    pairs = {(a, b): _correlations(probes[a], probes[b]) for a, b in combinations(spaces, 2)}
    return ProbeAgreement(pairs, tuple(spaces), tuple(sample.left_out()))


def _correlations(left: SpaceProbes, right: SpaceProbes) -> dict[str, Correlation]:
    """Correlation for each attribute that both spaces were probed for."""
    _, at_left, at_right = np.intersect1d(left.ids, right.ids, return_indices=True)
    return {
        name: _correlate(one, right.by_attribute[name].decisions[at_right], at_left)
        for name, one in left.by_attribute.items()
        if name in right.by_attribute
    }


def _correlate(one: Probed, others: FloatArray, at: np.ndarray[Any, Any]) -> Correlation:
    is_known = one.is_known[at]
    a, b = one.decisions[at][is_known], others[is_known]
    classes = one.is_positive[at][is_known]
    return Correlation(
        overall=pearson(a, b),
        within=pearson(_within(a, classes), _within(b, classes)),
        n=int(is_known.sum()),
    )


def _within(scores: FloatArray, is_positive: BoolArray) -> FloatArray:
    """Scores less the mean of their own class."""
    means = np.where(is_positive, scores[is_positive].mean(), scores[~is_positive].mean())
    left: FloatArray = scores - means
    return left


def pearson(a: FloatArray, b: FloatArray) -> float:
    """Correlation of two samples (n,)."""
    return float(np.corrcoef(a, b)[0, 1])
