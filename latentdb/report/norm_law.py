"""The law of a space's norms: chi's, that of its own Gaussian, or neither.

N(0, I) in d dimensions lies on a shell: its norm is chi distributed, mean √2 Γ((d+1)/2)/Γ(d/2),
deviation close to 1/√2. Inverted noise is somewhat off that shell, which the `fitted` prior of NAO
makes up for: a Gaussian law of the mean and deviation that the norms have.

References
----------
Samuel et al., "Norm-guided latent space exploration for text-to-image generation", NeurIPS 2023,
arXiv 2306.08687.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
from matplotlib.axes import Axes
from scipy.stats import chi, ks_2samp, kstest, norm

from latentdb.arrays import FloatArray
from latentdb.geometry import chi_mean, chi_std
from latentdb.report.blocks import Cell, Drawing, Section, Table, number
from latentdb.report.figure import INK, SOFT, draw, shades
from latentdb.report.null import gaussian_twin
from latentdb.report.sample import Sample
from latentdb.report.study import AbstractFindings, Headlines

_BINS: Final = 48
# Below this spread of norms, relative to their mean, they were scaled to one length.
_EQUAL: Final = 1e-4


@final
@dataclass(frozen=True)
class Fit:
    """Kolmogorov–Smirnov distance of the norms to a law, and the chance of as large a one."""

    distance: float
    p_value: float

    def to_json(self) -> dict[str, float]:
        """Plain dictionary."""
        return dict(vars(self))


@final
@dataclass(frozen=True, eq=False)
class SpaceNorms:
    """Norms of one space.

    Parameters
    ----------
    is_noise : bool
        Only noise is to be N(0, I); an encoder's vectors have a mean and a scale of their own.
    norms : (n,) float64
    twin_norms : (m,) float64
        Of a Gaussian of the same mean and covariance.
    dim : int
    """

    is_noise: bool
    norms: FloatArray
    twin_norms: FloatArray
    dim: int

    @property
    def mean(self) -> float:
        """Mean norm."""
        return float(self.norms.mean())

    @property
    def deviation(self) -> float:
        """Standard deviation of the norm."""
        return float(self.norms.std(ddof=1))

    @property
    def is_constant(self) -> bool:
        """Whether vectors were scaled to one length, so that norms have no law."""
        return self.deviation < _EQUAL * self.mean

    def fits(self) -> dict[str, Fit]:
        """How far the norms are from each law that they may be held against."""
        if self.is_constant:
            return {}
        found = {
            "fitted": kstest(self.norms, norm(self.mean, self.deviation).cdf),
            "gaussian": ks_2samp(self.norms, self.twin_norms),
        }
        if self.is_noise:
            found["chi"] = kstest(self.norms, chi(self.dim).cdf)
        return {name: Fit(float(one.statistic), float(one.pvalue)) for name, one in found.items()}

    def to_json(self) -> dict[str, Any]:
        """Moments, fits and the histogram."""
        density, edges = np.histogram(self.norms, bins=_BINS, density=True)
        return {
            "dim": self.dim,
            "mean": self.mean,
            "deviation": self.deviation,
            "chi_mean": chi_mean(self.dim),
            "chi_deviation": chi_std(self.dim),
            "gaussian_mean": float(self.twin_norms.mean()),
            "gaussian_deviation": float(self.twin_norms.std(ddof=1)),
            "is_constant": self.is_constant,
            "kolmogorov_smirnov": {name: fit.to_json() for name, fit in self.fits().items()},
            "histogram": {"density": density.tolist(), "edges": edges.tolist()},
        }


@final
@dataclass(frozen=True, eq=False)
class NormLaw(AbstractFindings):
    """Norms of every space."""

    spaces: Mapping[str, SpaceNorms]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Norms by space."""
        return {"spaces": {name: one.to_json() for name, one in self.spaces.items()}}

    def headlines(self) -> Headlines:
        """Mean and deviation, beside chi's for noise."""
        return {
            "norm": {
                name: Cell(
                    f"{one.mean:.2f} ± {one.deviation:.2f}",
                    note=f"chi {chi_mean(one.dim):.2f} ± {chi_std(one.dim):.2f}"
                    if one.is_noise
                    else "",
                )
                for name, one in self.spaces.items()
            }
        }

    def section(self) -> Section:
        """Densities beside the laws, and how far off they are."""
        return Section(
            lead=(
                "White noise has norms of the chi law. Held against it, for noise, and for every "
                "space against a Gaussian of its own mean and covariance (which has wider norms "
                "the fewer directions hold the variance) and against a Gaussian law fitted to "
                "the norms, NAO’s fitted prior. D is the Kolmogorov–Smirnov distance, 0 for the "
                "same law; p of the fitted law is too large, since it was fitted."
            ),
            blocks=[*self._drawings(), self._table()],
            notes=self.notes,
        )

    def _drawings(self) -> list[Drawing]:
        varying = {name: one for name, one in self.spaces.items() if not one.is_constant}
        shade = shades(self.spaces)

        def paint(axes: list[Axes]) -> None:
            for panel, (name, one) in zip(axes, varying.items(), strict=True):
                _paint(panel, name, one, shade[name])

        caption = (
            "Density of the norms (filled), of a Gaussian of the same mean and covariance "
            "(dashed), fitted (line) and, for noise, chi’s (dotted)."
        )
        return [Drawing(draw("norms", paint, panels=len(varying)), caption)] if varying else []

    def _table(self) -> Table:
        rows = []
        for name, one in self.spaces.items():
            fits = one.fits()
            rows.append(
                [
                    Cell(name),
                    _moments(one.mean, one.deviation),
                    _moments(one.twin_norms.mean(), one.twin_norms.std(ddof=1)),
                    _moments(chi_mean(one.dim), chi_std(one.dim)) if one.is_noise else Cell("–"),
                    *(_fit(fits.get(law)) for law in ("chi", "gaussian", "fitted")),
                ]
            )
        headings = [
            "space", "norm", "its Gaussian’s", "chi’s",
            "D to chi", "D to its Gaussian", "D to fitted",
        ]  # fmt: skip
        return Table(headings, rows)


def _moments(mean: float, deviation: float) -> Cell:
    return Cell(f"{mean:.3f} ± {deviation:.3f}")


def _fit(fit: Fit | None) -> Cell:
    if fit is None:
        return Cell("–")
    p = f"p {fit.p_value:.3f}" if fit.p_value >= 0.001 else "p < 0.001"
    return Cell(number(fit.distance).text, note=p)


def _paint(axes: Axes, name: str, one: SpaceNorms, shade: str) -> None:
    axes.hist(one.norms, bins=_BINS, density=True, color=shade, alpha=0.28)
    shown = [one.norms.min(), one.norms.max()]
    if one.is_noise:
        shown += [chi_mean(one.dim) + side * chi_std(one.dim) for side in (-4, 4)]
    r = np.linspace(min(shown), max(shown), 400)
    twin = norm(one.twin_norms.mean(), one.twin_norms.std(ddof=1))
    axes.plot(r, norm(one.mean, one.deviation).pdf(r), color=shade, label="fitted")
    axes.plot(r, twin.pdf(r), color=SOFT, linestyle=(0, (5, 3)), label="its Gaussian")
    if one.is_noise:
        law = chi(one.dim).pdf(r)
        axes.plot(r, law, color=INK, linestyle=(0, (1, 1.5)), label="chi")
    axes.set_title(name)
    axes.set_xlabel("norm")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.legend()


def study_norm_law(sample: Sample) -> NormLaw:
    """Norms of every space of at least 100 items; NotEnoughDataError where there is none."""
    found = {}
    for name in sample.having():
        vectors = sample.rows(name).vectors
        rng = sample.rng("norm_law", name)
        twin = gaussian_twin(vectors, sample.plan.twin_rows, rng=rng)
        found[name] = SpaceNorms(
            is_noise=sample.spaces[name].kind == "noise",
            norms=np.linalg.norm(vectors.astype(np.float64), axis=1),
            twin_norms=np.linalg.norm(twin.astype(np.float64), axis=1),
            dim=vectors.shape[1],
        )
    equal = [name for name, one in found.items() if one.is_constant]
    notes = [
        f"The vectors of {name} are scaled to one length: their norms have no law."
        for name in equal
    ]
    return NormLaw(found, (*sample.left_out(), *notes))
