"""Spatial autocorrelation of noise codes: white noise has none.

================  =====================================================================
code              symbol
================  =====================================================================
``codes``         x, (n, channels, height, width), less their mean code
``values``        r(δ) = mean of x(p)·x(p + δ) over items, channels and places, over that at δ = 0
``deviation``     1/√(n·channels·places), of r(δ) for white noise
================  =====================================================================

Inverted codes keep the structure of smooth areas of the picture, which correlates neighbouring
places ("There and back again", arXiv 2410.23530).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from latentdb.arrays import FloatArray
from latentdb.report.blocks import Cell, Drawing, Section, Table, number, percent
from latentdb.report.codes import code_shapes
from latentdb.report.figure import SOFT, draw, shades
from latentdb.report.sample import Sample
from latentdb.report.study import AbstractFindings, Headlines

MAX_LAG: Final = 4
# Two-sided 95 % of a normal law.
_BAND: Final = 1.96


@final
@dataclass(frozen=True, eq=False)
class SpaceAutocorrelation:
    """Autocorrelation of one space.

    Parameters
    ----------
    values, deviation : (2·lags + 1, 2·lags + 1) float64
        r(δ) with δ = 0 in the middle, and its standard deviation for white noise.
    shape : (channels, height, width)
    mean_share : float
        Share of the mean square that the mean code has; 1/n for white noise.
    n : int
    """

    values: FloatArray
    deviation: FloatArray
    shape: tuple[int, int, int]
    mean_share: float
    n: int

    @property
    def _middle(self) -> int:
        return len(self.values) // 2

    @property
    def nearest(self) -> float:
        """Mean of r at one step across and one down."""
        at = self._middle
        return float((self.values[at, at + 1] + self.values[at + 1, at]) / 2)

    def by_lag(self) -> tuple[FloatArray, FloatArray]:
        """Mean of r across and down at lags 1, 2, …, and its 95 % bound for white noise."""
        at = self._middle
        mean = (self.values[at, at + 1 :] + self.values[at + 1 :, at]) / 2
        variance = (self.deviation[at, at + 1 :] ** 2 + self.deviation[at + 1 :, at] ** 2) / 4
        return mean, _BAND * np.sqrt(variance)

    def outside(self) -> float:
        """Share of the lags whose r is outside the 95 % band of white noise."""
        # r(−δ) = r(δ): one half of the lags, without 0.
        half = np.arange(self.values.size).reshape(self.values.shape) > self.values.size // 2
        return float((np.abs(self.values[half]) > _BAND * self.deviation[half]).mean())

    def to_json(self) -> dict[str, Any]:
        """Correlation at every lag, with the band of white noise."""
        return {
            "shape": list(self.shape),
            "n": self.n,
            "max_lag": self._middle,
            "values": self.values.tolist(),
            "white_deviation": self.deviation.tolist(),
            "nearest": self.nearest,
            "share_outside_band": self.outside(),
            "mean_code_share": self.mean_share,
        }


@final
@dataclass(frozen=True, eq=False)
class Autocorrelation(AbstractFindings):
    """Autocorrelation of every noise space."""

    spaces: Mapping[str, SpaceAutocorrelation]
    shades: Mapping[str, str]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Autocorrelation by space."""
        return {"spaces": {name: one.to_json() for name, one in self.spaces.items()}}

    def headlines(self) -> Headlines:
        """Correlation of places side by side."""
        return {
            "correlation of neighbours": {
                name: number(one.nearest) for name, one in self.spaces.items()
            }
        }

    def section(self) -> Section:
        """Correlation by lag, and over the plane."""
        blocks: list[Table | Drawing] = [
            Drawing(
                draw("autocorrelation", self._paint),
                "Correlation of values so many places apart, across and down, over items and "
                "channels; the band holds 95 % of what white noise of as many items gives.",
            ),
            self._table(),
        ]
        blocks += [_plane(name, one) for name, one in self.spaces.items()]
        return Section(
            lead=(
                "In white noise a place says nothing about the next. What inverted noise keeps of "
                "a picture’s smooth areas shows as correlation between neighbouring places of a "
                "channel, the mean code of all items taken off first."
            ),
            blocks=blocks,
            notes=self.notes,
        )

    def _paint(self, axes: list[Axes]) -> None:
        for name, one in self.spaces.items():
            shade = self.shades[name]
            mean, bound = one.by_lag()
            lags = np.arange(1, len(mean) + 1)
            axes[0].fill_between(lags, -bound, bound, color=shade, alpha=0.25, linewidth=0)
            axes[0].plot(lags, mean, "o-", color=shade, label=name)
        axes[0].axhline(0, color=SOFT, linewidth=1)
        axes[0].set_xticks(range(1, MAX_LAG + 1))
        axes[0].set_xlabel("places apart")
        axes[0].set_ylabel("correlation")
        axes[0].legend()

    def _table(self) -> Table:
        rows = [
            [
                Cell(name),
                Cell(" × ".join(str(size) for size in one.shape)),
                number(one.nearest),
                Cell(f"± {one.by_lag()[1][0]:.4f}"),
                percent(one.outside(), digits=0),
                Cell(percent(one.mean_share, digits=2).text, note=f"white {100 / one.n:.2f} %"),
            ]
            for name, one in self.spaces.items()
        ]
        headings = [
            "space", "code", "neighbours", "band of white noise", "lags outside the band",
            "mean square in the mean code",
        ]  # fmt: skip
        return Table(headings, rows)


def _plane(name: str, one: SpaceAutocorrelation) -> Table:
    """Correlation over the plane, coloured relative to its largest value."""
    middle = len(one.values) // 2
    around = one.values.copy()
    around[middle, middle] = 0.0
    largest = float(np.abs(around).max()) or 1.0
    rows = [
        [
            Cell(f"{down:+d}" if down else "0"),
            *(
                Cell("1")
                if (down, across) == (0, 0)
                else number(value, heat=float(value) / largest)
                for across, value in zip(_lags(middle), row.tolist(), strict=True)
            ),
        ]
        for down, row in zip(_lags(middle), one.values, strict=True)
    ]
    headings = ["down \\ across", *(f"{lag:+d}" if lag else "0" for lag in _lags(middle))]
    return Table(headings, rows, caption=f"{name}, by places down and across.", folded=True)


def _lags(most: int) -> range:
    return range(-most, most + 1)


def study_autocorrelation(sample: Sample) -> Autocorrelation:
    """Autocorrelation of every noise space; NotEnoughDataError where there is none."""
    known = code_shapes(sample)
    found = {}
    for name, shape in known.shapes.items():
        vectors = sample.rows(name).vectors
        mean = vectors.mean(axis=0, dtype=np.float64)
        codes = (vectors - mean.astype(np.float32)).reshape(-1, *shape)
        values, deviation = autocorrelation(codes)
        square = float((vectors.astype(np.float64) ** 2).sum(axis=1).mean())
        found[name] = SpaceAutocorrelation(
            values, deviation, shape, float(mean @ mean) / square, len(vectors)
        )
    return Autocorrelation(found, shades(sample.spaces), known.notes)


def autocorrelation(codes: NDArray[np.float32]) -> tuple[FloatArray, FloatArray]:
    """r(δ) and its deviation for white noise, up to four places each way.

    Parameters
    ----------
    codes : (n, channels, height, width)
        Of mean zero. Not modified.

    Returns
    -------
    values, deviation : (2·lags + 1, 2·lags + 1) float64
        Indexed by places down and across, 0 in the middle; lags is at most the side less 1.
    """
    n, channels, height, width = codes.shape
    most = min(MAX_LAG, height - 1, width - 1)
    values = np.empty((2 * most + 1, 2 * most + 1))
    deviation = np.empty_like(values)
    variance = float(np.square(codes, dtype=np.float64).mean())
    for down in range(most + 1):
        for across in _lags(most):
            here = codes[:, :, : height - down, max(0, -across) : width - max(0, across)]
            there = codes[:, :, down:, max(0, across) : width - max(0, -across)]
            count = n * channels * (height - down) * (width - abs(across))
            r = float(np.einsum("ncij,ncij->", here, there, dtype=np.float64)) / count / variance
            for sign in (1, -1):
                at = (most + sign * down, most + sign * across)
                values[at], deviation[at] = r, 1.0 / np.sqrt(count)
    return values, deviation
