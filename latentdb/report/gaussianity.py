"""Whether a space's vectors are Gaussian: by random projections, and by dimension.

A random projection of many dimensions is close to Gaussian whatever it is of (the central limit
theorem), so that passing there says little; single dimensions tell more. Each pass rate stands
between that of a Gaussian of the same mean and covariance and that of two of them side by side.

References
----------
"The Universal Normal Embedding", 2026, arXiv 2603.21786: 5,000 projections of 250 samples each.
Diaconis and Freedman, "Asymptotics of graphical projection pursuit", Annals of Statistics 1984.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, final

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from scipy.special import ndtri

from latentdb.arrays import FloatArray
from latentdb.model import Vectors
from latentdb.report.blocks import Cell, Drawing, Section, Table, number, percent
from latentdb.report.figure import SOFT, colour, draw
from latentdb.report.normality import PassRates, pass_counts, rates
from latentdb.report.null import SEPARATION, bimodal, gaussian_twin
from latentdb.report.options import Plan
from latentdb.report.sample import MIN_ITEMS, Sample
from latentdb.report.study import AbstractFindings, Headlines

Population = Literal["vectors", "gaussian", "bimodal"]
# Tests that share one draw of items: many draws cost many small products.
_BLOCK: Final = 50
_POOLED: Final = 2_000_000
_AT_ONCE: Final = 1024
_TAIL: Final = np.array([0.001, 0.002, 0.005])
_LEVELS: Final = np.concatenate([_TAIL, np.linspace(0.01, 0.99, 99), 1.0 - _TAIL[::-1]])
# Columns number `block` of the rows at some places: what is tested.
_Columns = Callable[[Vectors, NDArray[np.intp], slice, np.random.Generator], Vectors]
_SHOWN: Final[Mapping[Population, str]] = {
    "vectors": "",
    "gaussian": "Gaussian of its covariance",
    "bimodal": "two of these",
}


@final
@dataclass(frozen=True, eq=False)
class SpaceGaussianity:
    """Tests of one space.

    Parameters
    ----------
    projections, dimensions : mapping of population to PassRates
        On random directions, and on the coordinates.
    skewness, excess_kurtosis : float
        Root mean square over dimensions, of all items.
    gaussian_skewness, gaussian_excess_kurtosis : float
        What as many Gaussian items give: √(6/n), √(24/n).
    quantiles : (n_levels,) float64
        Of all standardised coordinates together, at `_LEVELS`.
    n_constant : int
        Dimensions that do not vary, and are not tested.
    """

    projections: Mapping[Population, PassRates]
    dimensions: Mapping[Population, PassRates]
    skewness: float
    excess_kurtosis: float
    gaussian_skewness: float
    gaussian_excess_kurtosis: float
    quantiles: FloatArray
    n_constant: int

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary."""
        plain = dict(vars(self))
        for axes in ("projections", "dimensions"):
            plain[axes] = {name: one.to_json() for name, one in plain[axes].items()}
        return {**plain, "quantiles": self.quantiles.tolist()}


@final
@dataclass(frozen=True, eq=False)
class Gaussianity(AbstractFindings):
    """Tests of every space."""

    spaces: Mapping[str, SpaceGaussianity]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Pass rates by space, with the levels that quantiles are at."""
        found = {name: one.to_json() for name, one in self.spaces.items()}
        return {"spaces": found, "quantile_levels": _LEVELS.tolist()}

    def headlines(self) -> Headlines:
        """Pass rates of Anderson–Darling, on projections and on dimensions."""
        return {
            "Anderson–Darling pass": {
                name: Cell(
                    percent(one.projections["vectors"].anderson_darling).text,
                    note=f"dimensions {100 * one.dimensions['vectors'].anderson_darling:.1f} %",
                )
                for name, one in self.spaces.items()
            }
        }

    def section(self) -> Section:
        """Pass rates and what coordinates differ in."""
        first = next(iter(self.spaces.values())).projections["vectors"]
        return Section(
            lead=(
                f"Each test looks at {first.n_samples} items along one axis and says whether it "
                "can tell them from a Gaussian at the 5 % level; a Gaussian passes 95 % of the "
                "time. Beside each space: draws from a Gaussian of its own mean and covariance, "
                f"and two such Gaussians ±{SEPARATION:g} standard deviations of a projection "
                "apart. Random projections of many dimensions look Gaussian whatever they are "
                "of; single dimensions are the sharper test."
            ),
            blocks=[self._table(), self._drawing(), self._moments()],
            notes=self.notes,
        )

    def _table(self) -> Table:
        rows = []
        for name, one in self.spaces.items():
            for population, shown in _SHOWN.items():
                cells = [
                    percent(rate, heat=rate)
                    for axes in (one.projections, one.dimensions)
                    for rate in (
                        axes[population].anderson_darling,
                        axes[population].dagostino_pearson,
                        axes[population].shapiro_wilk,
                    )
                ]
                rows.append([Cell(name) if not shown else Cell("", note=shown), *cells])
        tests = ["Anderson–Darling", "D’Agostino–Pearson", "Shapiro–Wilk"]
        n = next(iter(self.spaces.values())).projections["vectors"].n_tests
        return Table(
            ["space", *tests, *tests],
            rows,
            caption="Share of tests passed.",
            groups=[("", 1), (f"{n:,} random projections", 3), ("dimensions", 3)],
        )

    def _moments(self) -> Table:
        rows = [
            [
                Cell(name),
                number(one.skewness),
                number(one.gaussian_skewness),
                number(one.excess_kurtosis),
                number(one.gaussian_excess_kurtosis),
            ]
            for name, one in self.spaces.items()
        ]
        headings = ["space", "skewness", "of a Gaussian", "excess kurtosis", "of a Gaussian"]
        return Table(headings, rows, caption="Root mean square over dimensions, all items.")

    def _drawing(self) -> Drawing:
        return Drawing(
            draw("quantiles", self._paint),
            "All standardised coordinates together, quantile by quantile, less those of a "
            "Gaussian: flat is Gaussian; up at the right and down at the left is heavy tails.",
        )

    def _paint(self, axes: list[Axes]) -> None:
        normal = ndtri(_LEVELS)
        for i, (name, one) in enumerate(self.spaces.items()):
            axes[0].plot(normal, one.quantiles - normal, color=colour(i), label=name)
        axes[0].axhline(0, color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
        axes[0].set_xlabel("quantile of a Gaussian, standard deviations")
        axes[0].set_ylabel("how far off")
        axes[0].legend()


def study_gaussianity(sample: Sample) -> Gaussianity:
    """Test every space of at least 100 items; NotEnoughDataError where there is none."""
    found = {
        name: _study(sample.rows(name).vectors, sample.plan, sample.rng("gaussianity", name))
        for name in sample.having()
    }
    notes = sample.left_out() + [
        f"{one.n_constant} dimensions of {name} do not vary and are not tested."
        for name, one in found.items()
        if one.n_constant
    ]
    return Gaussianity(found, tuple(notes))


def _study(vectors: Vectors, plan: Plan, rng: np.random.Generator) -> SpaceGaussianity:
    is_varying = np.ptp(vectors, axis=0) > 0
    rows = vectors[:, is_varying]
    twin = gaussian_twin(rows, plan.twin_rows, rng=rng)
    populations: dict[Population, Vectors] = {
        "vectors": rows,
        "gaussian": twin,
        "bimodal": bimodal(twin, rng=rng),
    }
    seed = int(rng.integers(2**31))
    dims = rng.permutation(rows.shape[1])[: plan.projections]
    n_samples = min(plan.samples, len(rows), plan.twin_rows)

    def tested(columns: _Columns, n_tests: int) -> dict[Population, PassRates]:
        # The same draws for each population, so that they differ in what is drawn from alone.
        return {
            name: _rates(one, columns, n_tests, n_samples, np.random.default_rng(seed))
            for name, one in populations.items()
        }

    mean, deviation, skewness, kurtosis = moments(rows)
    pooled = (rows[: max(MIN_ITEMS, _POOLED // rows.shape[1])] - mean) / deviation
    return SpaceGaussianity(
        projections=tested(_projected, plan.projections),
        dimensions=tested(lambda one, at, block, _: one[np.ix_(at, dims[block])], len(dims)),
        skewness=_rms(skewness),
        excess_kurtosis=_rms(kurtosis - 3.0),
        gaussian_skewness=float(np.sqrt(6.0 / len(rows))),
        gaussian_excess_kurtosis=float(np.sqrt(24.0 / len(rows))),
        quantiles=np.quantile(pooled, _LEVELS),
        n_constant=int((~is_varying).sum()),
    )


def moments(rows: Vectors) -> FloatArray:
    """Mean, deviation, skewness and kurtosis (4, dim) of each dimension, none of them constant."""
    found = np.empty((4, rows.shape[1]))
    # A block at a time: in float64, all of a wide space would take several times its memory.
    for start in range(0, rows.shape[1], _AT_ONCE):
        block = slice(start, start + _AT_ONCE)
        z = rows[:, block].astype(np.float64)
        found[0, block] = z.mean(axis=0)
        z -= found[0, block]
        found[1, block] = z.std(axis=0)
        z /= found[1, block]
        found[2:, block] = (z**3).mean(axis=0), (z**4).mean(axis=0)
    return found


def _rates(
    rows: Vectors,
    columns: _Columns,
    n_tests: int,
    n_samples: int,
    rng: np.random.Generator,
) -> PassRates:
    """Pass rates of `n_tests` columns, of another draw of `n_samples` rows every fifty."""
    counts = np.zeros(3)
    for start in range(0, n_tests, _BLOCK):
        at = rng.choice(len(rows), size=n_samples, replace=False)
        block = slice(start, min(start + _BLOCK, n_tests))
        counts += pass_counts(columns(rows, at, block, rng))
    return rates(counts, n_tests=n_tests, n_samples=n_samples)


def _projected(
    rows: Vectors, at: NDArray[np.intp], block: slice, rng: np.random.Generator
) -> Vectors:
    """The rows `at` on as many random directions as the block is long."""
    shape = (rows.shape[1], block.stop - block.start)
    on: Vectors = rows[at] @ rng.standard_normal(shape, dtype=np.float32)
    return on


def _rms(values: FloatArray) -> float:
    return float(np.sqrt((values**2).mean()))
