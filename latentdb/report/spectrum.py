"""The spectrum of a space's covariance, beside that of white noise of the same total variance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
from matplotlib.axes import Axes

from latentdb.arrays import FloatArray
from latentdb.directions.probe import PCA_COMPONENTS
from latentdb.model import Vectors
from latentdb.report.blocks import Cell, Drawing, Section, Table, number, percent
from latentdb.report.figure import SOFT, colour, draw
from latentdb.report.marchenko_pastur import MarchenkoPastur
from latentdb.report.sample import Sample
from latentdb.report.study import AbstractFindings, Headlines

_SHARES: Final = (1, 10, 100)


@final
@dataclass(frozen=True, eq=False)
class SpaceSpectrum:
    """Eigenvalues of one space.

    Parameters
    ----------
    eigenvalues : (min(n − 1, dim),) float64
        Of the covariance, falling.
    dim : int
    n : int
        Rows.
    kept : int
        Components that probes keep.
    """

    eigenvalues: FloatArray
    dim: int
    n: int
    kept: int

    @property
    def white(self) -> MarchenkoPastur:
        """Law of the eigenvalues of white noise of as much variance in as many rows."""
        return MarchenkoPastur(float(self.eigenvalues.sum()) / self.dim, self.dim / (self.n - 1))

    @property
    def effective_dim(self) -> float:
        """(Σλ)²/Σλ², the number of equal eigenvalues that would be as spread out.

        White noise in n rows has d/(1 + d/n) and not d.
        """
        return float(self.eigenvalues.sum() ** 2 / (self.eigenvalues**2).sum())

    @property
    def distance(self) -> float:
        """Kolmogorov–Smirnov distance of the eigenvalues to the law of white noise."""
        rising = self.eigenvalues[::-1]
        law = self.white.cdf(rising)
        steps = np.arange(len(rising) + 1) / len(rising)
        return float(max(np.abs(law - steps[1:]).max(), np.abs(law - steps[:-1]).max()))

    def share(self, count: int) -> float:
        """Share of the variance in the leading `count` directions."""
        return float(self.eigenvalues[:count].sum() / self.eigenvalues.sum())

    @property
    def above(self) -> tuple[int, float]:
        """How many eigenvalues exceed those of white noise, and their share of the variance."""
        count = int((self.eigenvalues > self.white.upper).sum())
        return count, self.share(count)

    def to_json(self) -> dict[str, Any]:
        """Eigenvalues and what is said of them."""
        count, share = self.above
        return {
            "dim": self.dim,
            "n": self.n,
            "variance_per_dimension": self.white.variance,
            "effective_dim": self.effective_dim,
            "white_effective_dim": self.dim / (1.0 + self.dim / (self.n - 1)),
            "white_edges": [self.white.lower, self.white.upper],
            "above_white": {"count": count, "share_of_variance": share},
            "share_of_variance": {str(k): self.share(k) for k in (*_SHARES, self.kept)},
            "kolmogorov_smirnov": self.distance,
            "eigenvalues": self.eigenvalues.tolist(),
        }


@final
@dataclass(frozen=True, eq=False)
class Spectrum(AbstractFindings):
    """Eigenvalues of every space."""

    spaces: Mapping[str, SpaceSpectrum]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Spectra by space."""
        return {"spaces": {name: one.to_json() for name, one in self.spaces.items()}}

    def headlines(self) -> Headlines:
        """Effective dimension."""
        return {
            "effective dimension": {
                name: Cell(f"{one.effective_dim:.0f}", note=f"of {one.dim}")
                for name, one in self.spaces.items()
            }
        }

    def section(self) -> Section:
        """Eigenvalues by rank, and their figures."""
        return Section(
            lead=(
                "How the variance is spread over directions. White noise has the eigenvalues of "
                "the Marchenko–Pastur law (dashed): all between two edges that the number of items "
                "sets. What stands above the upper edge is structure; effective dimension is the "
                "number of equally strong directions that would be as spread out."
            ),
            blocks=[
                Drawing(
                    draw("spectrum", self._paint, height=4.6),
                    "Eigenvalues by rank, as multiples of their mean over all dimensions; dashed, "
                    "white noise in as many rows.",
                ),
                self._table(),
            ],
            notes=self.notes,
        )

    def _paint(self, axes: list[Axes]) -> None:
        for i, (name, one) in enumerate(self.spaces.items()):
            rank = np.arange(1, len(one.eigenvalues) + 1)
            mean = one.white.variance
            white = one.white.quantile(1.0 - (rank - 0.5) / len(rank))
            axes[0].plot(rank, one.eigenvalues / mean, color=colour(i), label=name)
            axes[0].plot(rank, white / mean, color=colour(i), linestyle=(0, (4, 3)), linewidth=1.2)
        axes[0].axhline(1, color=SOFT, linewidth=0.8)
        axes[0].set_xscale("log")
        axes[0].set_yscale("log")
        axes[0].set_ylim(bottom=1e-4)
        axes[0].set_xlabel("rank")
        axes[0].set_ylabel("eigenvalue / mean")
        axes[0].legend()

    def _table(self) -> Table:
        rows = []
        for name, one in self.spaces.items():
            count, share = one.above
            rows.append(
                [
                    Cell(name),
                    Cell(f"{one.dim}"),
                    number(one.white.variance),
                    Cell(f"{one.effective_dim:.1f}"),
                    *(percent(one.share(k)) for k in _SHARES),
                    Cell(percent(one.share(one.kept)).text, note=f"leading {one.kept}"),
                    Cell(f"{count}", note=f"{100 * share:.1f} % of the variance"),
                    number(one.distance),
                ]
            )
        headings = [
            "space", "dimension", "variance per dimension", "effective dimension",
            *(f"leading {k}" if k > 1 else "first" for k in _SHARES), "kept by probes",
            "above white noise", "D to white noise",
        ]  # fmt: skip
        return Table(headings, rows, caption="Shares are of the total variance.")


def study_spectrum(sample: Sample) -> Spectrum:
    """Spectra of every space of at least 100 items; NotEnoughDataError where there is none."""
    found = {}
    for name in sample.having():
        vectors = sample.rows(name).vectors
        found[name] = SpaceSpectrum(
            eigenvalues=covariance_eigenvalues(vectors),
            dim=vectors.shape[1],
            n=len(vectors),
            kept=min(PCA_COMPONENTS[sample.spaces[name].kind], vectors.shape[1]),
        )
    return Spectrum(found, tuple(sample.left_out()))


def covariance_eigenvalues(vectors: Vectors) -> FloatArray:
    """Eigenvalues (min(n − 1, dim),) of the covariance of rows (n, dim), falling, none negative."""
    centred = vectors.astype(np.float64)
    centred -= centred.mean(axis=0)
    n, dim = centred.shape
    # The smaller of XᵀX and XXᵀ has the same eigenvalues, but for zeros.
    product = centred.T @ centred if dim < n else centred @ centred.T
    values = np.linalg.eigvalsh(product / (n - 1))[::-1][: min(n - 1, dim)]
    found: FloatArray = np.clip(values, 0.0, None)
    return found
