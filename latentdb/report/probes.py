"""The table of probes: every attribute in every space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from matplotlib.axes import Axes

from latentdb.held_out import Estimate
from latentdb.report.blocks import Cell, Drawing, Section, Table, auc_heat, estimate, percent
from latentdb.report.figure import SOFT, colour, draw
from latentdb.report.probe_fits import SpaceProbes, probe_space
from latentdb.report.sample import Sample
from latentdb.report.study import AbstractFindings, Headlines


@final
@dataclass(frozen=True, eq=False)
class Probes(AbstractFindings):
    """Probes of every space.

    Parameters
    ----------
    spaces : mapping of str to SpaceProbes
    mean_auc : mapping of str to Estimate
        Over attributes.
    shares : mapping of str to float
        Share of the labelled items that have each attribute.
    notes : tuple of str
    """

    spaces: Mapping[str, SpaceProbes]
    mean_auc: Mapping[str, Estimate]
    shares: Mapping[str, float]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Scores by space and attribute."""
        return {
            "share_positive": dict(self.shares),
            "spaces": {
                name: {
                    "mean_auc": self.mean_auc[name].to_json(),
                    "mean_balanced_accuracy": one.mean_balanced_accuracy(),
                    "attributes": {
                        attribute: probed.score.to_json()
                        for attribute, probed in one.by_attribute.items()
                    },
                }
                for name, one in self.spaces.items()
            },
        }

    def headlines(self) -> Headlines:
        """Mean AUC."""
        return {
            "mean AUC": {
                name: estimate(auc, heat=auc_heat(auc.value)) for name, auc in self.mean_auc.items()
            }
        }

    def section(self) -> Section:
        """AUC by attribute and space, drawn and as tables."""
        return Section(
            lead=(
                "What a linear classifier reads of each attribute: principal components, "
                "standardised, then logistic regression, scored on a fifth of the items that it "
                "never saw. An AUC of .5 is chance; balanced accuracy is the mean of both "
                "classes’, so that a rare attribute gives no credit. Intervals are 95 %, from "
                "resampling held-out items."
            ),
            blocks=[
                Drawing(
                    draw("probes", self._paint, height=1.0 + 0.34 * len(self.shares)),
                    "Held-out AUC with its interval.",
                ),
                self._table("auc", "AUC"),
                self._table("balanced_accuracy", "Balanced accuracy"),
            ],
            notes=self.notes,
        )

    def _paint(self, axes: list[Axes]) -> None:
        names = list(self.shares)
        for i, (space, one) in enumerate(self.spaces.items()):
            offset = 0.22 * (i - (len(self.spaces) - 1) / 2)
            aucs = {name: probed.score.auc for name, probed in one.by_attribute.items()}
            places = [names.index(name) + offset for name in aucs]
            axes[0].hlines(
                places,
                [auc.low for auc in aucs.values()],
                [auc.high for auc in aucs.values()],
                color=colour(i),
                alpha=0.45,
            )
            values = [auc.value for auc in aucs.values()]
            axes[0].plot(values, places, "o", color=colour(i), label=space)
        axes[0].axvline(0.5, color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
        axes[0].set_yticks(range(len(names)), names)
        axes[0].set_ylim(len(names) - 0.5, -0.5)
        axes[0].grid(False, axis="y")
        axes[0].set_xlabel("AUC")
        axes[0].legend(loc="lower left")

    def _table(self, score: str, title: str) -> Table:
        rows = []
        for attribute, share in self.shares.items():
            cells = [Cell(attribute), percent(share, digits=0)]
            for one in self.spaces.values():
                probed = one.by_attribute.get(attribute)
                value = getattr(probed.score, score) if probed else None
                cells.append(estimate(value, heat=auc_heat(value.value) if value else None))
            rows.append(cells)
        headings = ["attribute", "have it", *self.spaces]
        return Table(headings, rows, caption=f"{title}.", folded=score != "auc")


def study_probes(sample: Sample) -> Probes:
    """Probe every attribute in every space.

    Raises
    ------
    NotEnoughDataError
        There is no attribute, or no space of at least 100 items.
    """
    attributes = sample.require_attributes()
    spaces = {name: probe_space(sample, name) for name in sample.having()}
    probed = {name for one in spaces.values() for name in one.by_attribute}
    return Probes(
        spaces=spaces,
        mean_auc={name: one.mean_auc(seed=sample.seed) for name, one in spaces.items()},
        shares={a.name: float(a.values.mean()) for a in attributes if a.name in probed},
        notes=(*sample.attribute_notes, *sample.left_out()),
    )
