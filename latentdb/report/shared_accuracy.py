"""What the leading coordinates that spaces share say of attributes, against their number k.

The shared space is that of generalised CCA, fitted without labels and without the items that the
probes are scored on. Its first k coordinates are those that the spaces agree on most; beside them
stand the k leading principal components of one space alone.

References
----------
"The Universal Normal Embedding", 2026, arXiv 2603.21786: MAXVAR generalised CCA, k from 16 to 512.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
from matplotlib.axes import Axes

from latentdb.arrays import FloatArray, RealArray
from latentdb.directions.probe import WhitenedBasis
from latentdb.held_out import Estimate, split_by_item
from latentdb.report.blocks import Cell, Drawing, Section, Table, auc_heat, estimate
from latentdb.report.figure import INK, colour, draw
from latentdb.report.probe_fits import fit_probes
from latentdb.report.sample import Sample
from latentdb.report.study import AbstractFindings, Headlines
from latentdb.stitch.gcca import Gcca

ALL: Final = "all spaces"
_FEW: Final = 16
# Wider spaces are first brought to so many principal components: GCCA takes the cube of its width.
_MAX_WIDTH: Final = 1024


@final
@dataclass(frozen=True)
class Accuracy:
    """Of the probes on k coordinates, means over attributes."""

    auc: Estimate
    balanced_accuracy: float

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary."""
        return {"auc": self.auc.to_json(), "balanced_accuracy": self.balanced_accuracy}


@final
@dataclass(frozen=True, eq=False)
class SharedAccuracy(AbstractFindings):
    """Accuracy against k.

    Parameters
    ----------
    shared : mapping of str to mapping of int to Accuracy
        By where the coordinates come from, `ALL` for the mean of all projections, and k.
    principal : mapping of str to mapping of int to Accuracy
        Of as many principal components of one space.
    eigenvalues : (k,) float64
        How much the spaces agree on each coordinate, at most their number.
    relative : float
        Strength of the regularisation that was chosen.
    n, n_held_out : int
        Items, and those that only score.
    notes : tuple of str
    """

    shared: Mapping[str, Mapping[int, Accuracy]]
    principal: Mapping[str, Mapping[int, Accuracy]]
    eigenvalues: FloatArray
    relative: float
    n: int
    n_held_out: int
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Accuracies by source and k."""

        def plain(found: Mapping[str, Mapping[int, Accuracy]]) -> dict[str, Any]:
            return {
                name: {str(k): one.to_json() for k, one in by_k.items()}
                for name, by_k in found.items()
            }

        return {
            "n": self.n,
            "n_held_out": self.n_held_out,
            "relative": self.relative,
            "eigenvalues": self.eigenvalues.tolist(),
            "shared": plain(self.shared),
            "principal_components": plain(self.principal),
        }

    def headlines(self) -> Headlines:
        """AUC of a few shared coordinates beside as many principal components."""
        ks = list(self.shared[ALL])
        k = _FEW if _FEW in ks else ks[-1]
        return {
            f"AUC, {k} shared coordinates": {
                name: Cell(
                    f"{self.shared[name][k].auc.value:.3f}",
                    note=f"{k} principal: {by_k[k].auc.value:.3f}",
                    heat=auc_heat(self.shared[name][k].auc.value),
                )
                for name, by_k in self.principal.items()
            }
        }

    def section(self) -> Section:
        """AUC against k, drawn and as a table."""
        return Section(
            lead=(
                "If the spaces are views of one, the coordinates they agree on should carry the "
                "attributes. Generalised CCA finds them without a label; probes then see only the "
                "first k, computed from all spaces or from one of them. Dashed: as many principal "
                "components of that space, which owe nothing to the others."
            ),
            blocks=[
                Drawing(
                    draw("shared-accuracy", self._paint, panels=2, height=4.6),
                    "Means over attributes on held-out items: AUC and balanced accuracy.",
                ),
                self._table(),
            ],
            notes=self.notes,
        )

    def _paint(self, axes: list[Axes]) -> None:
        shades = {ALL: INK, **{name: colour(i) for i, name in enumerate(self.principal)}}
        for source, by_k in self.shared.items():
            _line(axes, by_k, shades[source], "o-", label=source)
        for source, by_k in self.principal.items():
            _line(axes, by_k, shades[source], "--", label="")
        ks = list(self.shared[ALL])
        for one, label in zip(axes, ("AUC", "balanced accuracy"), strict=True):
            one.set_xscale("log", base=2)
            one.set_xticks(ks, [str(k) for k in ks])
            one.minorticks_off()
            one.set_xlabel("k")
            one.set_ylabel(label)
        axes[0].legend()

    def _table(self) -> Table:
        columns = [
            *((f"{name}", by_k) for name, by_k in self.shared.items()),
            *((f"{name}", by_k) for name, by_k in self.principal.items()),
        ]
        rows = []
        for k in self.shared[ALL]:
            cells = [Cell(str(k))]
            for _, by_k in columns:
                auc = by_k[k].auc if k in by_k else None
                cells.append(estimate(auc, heat=auc_heat(auc.value) if auc else None))
            rows.append(cells)
        return Table(
            ["k", *(name for name, _ in columns)],
            rows,
            caption="Mean AUC.",
            groups=[
                ("", 1),
                ("shared coordinates, from", len(self.shared)),
                ("principal components of", len(self.principal)),
            ],
        )


def _line(
    axes: list[Axes], by_k: Mapping[int, Accuracy], shade: str, style: str, *, label: str
) -> None:
    ks = list(by_k)
    width = 1.1 if style == "--" else 1.8
    values = [one.auc.value for one in by_k.values()]
    axes[0].plot(ks, values, style, color=shade, label=label or None, linewidth=width)
    accuracies = [one.balanced_accuracy for one in by_k.values()]
    axes[1].plot(ks, accuracies, style, color=shade, linewidth=width)


def study_shared_accuracy(sample: Sample) -> SharedAccuracy:
    """Probe the first k shared coordinates of all spaces.

    Raises
    ------
    NotEnoughDataError
        There is no attribute, or fewer than two spaces of at least 100 items in common.
    """
    sample.require_attributes()
    spaces = sample.having(spaces=2)
    ids, views = sample.common(spaces)
    is_test = split_by_item(ids, seed=sample.seed)
    narrow = [_narrowed(view, ~is_test, seed=sample.seed) for view in views]
    most = min(*(view.shape[1] for view in narrow), max(sample.plan.shared_dims))
    gcca = Gcca(most, seed=sample.seed).fit([view[~is_test] for view in narrow])
    projected = {name: gcca.transform(i, narrow[i]) for i, name in enumerate(spaces)}
    sources = {ALL: np.mean(list(projected.values()), axis=0), **projected}
    ks = [k for k in sample.plan.shared_dims if k <= most]

    def accuracy(vectors: RealArray, k: int) -> Accuracy:
        found = fit_probes(vectors, sample.attributes, ids=ids, n_components=k, seed=sample.seed)
        return Accuracy(found.mean_auc(seed=sample.seed), found.mean_balanced_accuracy())

    return SharedAccuracy(
        shared={name: {k: accuracy(rows[:, :k], k) for k in ks} for name, rows in sources.items()},
        principal={
            name: {k: accuracy(view, k) for k in ks}
            for name, view in zip(spaces, views, strict=True)
        },
        eigenvalues=gcca.eigenvalues_,
        relative=gcca.relative_,
        n=len(ids),
        n_held_out=int(is_test.sum()),
        notes=tuple(sample.left_out()),
    )


def _narrowed(view: RealArray, is_train: np.ndarray[Any, Any], *, seed: int) -> RealArray:
    """The leading 1,024 principal components of a wider view, not whitened; others as they are."""
    if view.shape[1] <= _MAX_WIDTH:
        return view
    basis = WhitenedBasis.of(view[is_train], n_components=_MAX_WIDTH, seed=seed)
    return basis.features(view) * basis.scale
