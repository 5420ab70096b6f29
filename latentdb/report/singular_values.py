"""Singular values of the channels of noise codes, beside those of white noise.

A channel of white noise, an (h, w) matrix, has singular values up to about √h + √w, spread by the
Marchenko–Pastur law; what leaked of a picture into the noise stands out above. The law holds for
large matrices, and the matrices are small: drawn matrices of the same shape are the null.

References
----------
"SVD of the latent space", 2025, arXiv 2502.02225: attributes sit in the leading singular vectors
of each channel. Marchenko and Pastur, 1967.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from latentdb.arrays import FloatArray
from latentdb.report.blocks import Cell, Drawing, Section, Table, number, percent, signed
from latentdb.report.codes import code_shapes
from latentdb.report.figure import SOFT, draw, shades
from latentdb.report.sample import Sample
from latentdb.report.study import AbstractFindings, Headlines

_BAND: Final = (2.5, 97.5)
_BINS: Final = 40


@final
@dataclass(frozen=True, eq=False)
class SpaceSingularValues:
    """Singular values of one space, and of as much white noise of its shape.

    Each code is first brought to a mean square of 1, so that a norm off white noise's is no
    excess.

    Parameters
    ----------
    values, white : (n, channels, min(h, w)) float64
        Falling.
    edge : float
        √h + √w.
    """

    values: FloatArray
    white: FloatArray
    edge: float

    def excess(self, values: FloatArray) -> FloatArray:
        """Largest value of any channel over the edge, minus 1, for each code (n,)."""
        found: FloatArray = values[..., 0].max(axis=1) / self.edge - 1.0
        return found

    @property
    def above(self) -> float:
        """Share of codes with more excess than 99 % of white noise."""
        limit = np.percentile(self.excess(self.white), 99.0)
        return float((self.excess(self.values) > limit).mean())

    def to_json(self) -> dict[str, Any]:
        """Mean values by rank and channel, excess, and the null of both."""
        low, high = np.percentile(self.white, _BAND, axis=(0, 1))
        return {
            "n": len(self.values),
            "edge": self.edge,
            "mean_by_channel": self.values.mean(axis=0).tolist(),
            "white_mean": self.white.mean(axis=(0, 1)).tolist(),
            "white_band": [low.tolist(), high.tolist()],
            "excess": float(self.excess(self.values).mean()),
            "white_excess": float(self.excess(self.white).mean()),
            "share_above_white_99": self.above,
        }


@final
@dataclass(frozen=True, eq=False)
class SingularValues(AbstractFindings):
    """Singular values of every noise space."""

    spaces: Mapping[str, SpaceSingularValues]
    shades: Mapping[str, str]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Singular values by space."""
        return {"spaces": {name: one.to_json() for name, one in self.spaces.items()}}

    def headlines(self) -> Headlines:
        """Mean excess, beside white noise's."""
        return {
            "singular-value excess": {
                name: Cell(
                    signed(one.excess(one.values).mean()),
                    note=f"white {signed(one.excess(one.white).mean())}",
                )
                for name, one in self.spaces.items()
            }
        }

    def section(self) -> Section:
        """Values by rank, excess beside its null, and by channel."""
        return Section(
            lead=(
                "Each channel of a noise code is a matrix. White noise has singular values of a "
                "known spread; structure that leaked into the noise lifts the leading ones. Codes "
                "are scaled to a mean square of 1 first, so that only shape counts."
            ),
            blocks=[
                Drawing(
                    draw("singular-values", self._paint, panels=2),
                    "Left: mean singular value by rank; the band holds 95 % of white matrices. "
                    "Right: largest value of a code over √h + √w, less 1; dashed, white noise.",
                ),
                self._table(),
            ],
            notes=self.notes,
        )

    def _paint(self, axes: list[Axes]) -> None:
        for name, one in self.spaces.items():
            shade = self.shades[name]
            rank = np.arange(1, one.values.shape[2] + 1)
            low, high = np.percentile(one.white, _BAND, axis=(0, 1))
            axes[0].fill_between(rank, low, high, color=shade, alpha=0.2, linewidth=0)
            axes[0].plot(rank, one.white.mean(axis=(0, 1)), color=SOFT, linestyle=(0, (4, 3)))
            axes[0].plot(rank, one.values.mean(axis=(0, 1)), "o-", color=shade, label=name)
            excess, white = one.excess(one.values), one.excess(one.white)
            bins = np.histogram_bin_edges(np.concatenate([excess, white]), _BINS).tolist()
            axes[1].hist(excess, bins, density=True, color=shade, alpha=0.3, label=name)
            axes[1].hist(
                white, bins, density=True, histtype="step", color=SOFT, linestyle=(0, (4, 3))
            )
        axes[0].set_xlabel("rank")
        axes[0].set_ylabel("singular value")
        axes[1].set_xlabel("excess")
        axes[1].set_yticks([])
        axes[1].spines["left"].set_visible(False)
        axes[0].legend()

    def _table(self) -> Table:
        rows = []
        for name, one in self.spaces.items():
            leading = one.values[..., 0].mean(axis=0)
            rows.append(
                [
                    Cell(name),
                    Cell(signed(one.excess(one.values).mean())),
                    Cell(signed(one.excess(one.white).mean())),
                    percent(one.above),
                    Cell(", ".join(f"{value:.2f}" for value in leading)),
                    number(float(one.white[..., 0].mean()), 2),
                ]
            )
        headings = [
            "space", "mean excess", "of white noise", "codes above 99 % of white noise",
            "first value, by channel", "of white noise",
        ]  # fmt: skip
        return Table(headings, rows)


def study_singular_values(sample: Sample) -> SingularValues:
    """Singular values of every noise space; NotEnoughDataError where there is none."""
    known = code_shapes(sample)
    found = {}
    for name, shape in known.shapes.items():
        rng = sample.rng("singular_values", name)
        rows = sample.rows(name)
        at = rng.permutation(len(rows.ids))[: sample.plan.matrices]
        codes = rows.vectors[at].reshape(-1, *shape)
        white = rng.standard_normal(codes.shape, dtype=np.float32)
        found[name] = SpaceSingularValues(
            values=channel_values(codes),
            white=channel_values(white),
            edge=float(np.sqrt(shape[1]) + np.sqrt(shape[2])),
        )
    return SingularValues(found, shades(sample.spaces), known.notes)


def channel_values(codes: NDArray[np.float32]) -> FloatArray:
    """Singular values (n, channels, min(h, w)) of codes scaled to a mean square of 1.

    Parameters
    ----------
    codes : (n, channels, h, w)
        None is zero. Not modified.
    """
    scale = np.sqrt(np.square(codes, dtype=np.float64).mean(axis=(1, 2, 3), keepdims=True))
    values: FloatArray = np.linalg.svd(codes / scale, compute_uv=False)
    return values
